// The echo device: a model without weights. What it says is a hash of everything it was fed, in order, so a
// caller can test the whole boundary, laws included, on a machine with no model.
// WIDTH 8, VOCAB 256. Token 0 is meant as the silence token: its logit swings so that about half of all
// decisions speak.
#pragma once

#include "model.h"

namespace rwkv {

class Echo final : public Model {
 public:
  Echo();
  void embed(uint32_t token, float *out) const override;
  void begin(float *, size_t) const override {}
  void layer(size_t index, const Wave &wave, float *scratch, const Team &team) const override; // the only one
  void finish(float *, size_t) const override {}
  size_t scratch_floats(size_t) const override { return 0; }
  size_t carried_width() const override { return 0; }
  void logits(const float *x, size_t rows, float *out, const Team &team) const override;
};

} // namespace rwkv
