// What RWKV-6 and RWKV-7 share: embedding, ln0, the residual frame around time mix and channel mix, ln_out,
// head. A generation adds its weights and its two mixes. Knows no slots, no queues, no file format.
#pragma once

#include "floats.h"
#include "model.h"
#include "ops/ops.h"
#include "state.h"
#include "weights.h"

#include <vector>

namespace rwkv {

inline constexpr size_t head_size = 64; // N of every released model
inline constexpr float norm_epsilon = 1e-5f;
inline constexpr float head_norm_epsilon = 64e-5f;

struct NormWeights {
  const float *weight = nullptr, *bias = nullptr; // [D]
};

// Hands out scratch memory front to back.
class Scratch {
 public:
  explicit Scratch(float *at) : at_(at) {}
  float *take(size_t floats) {
    float *const taken = at_;
    at_ += whole_lines(floats);
    return taken;
  }

 private:
  float *at_;
};

// The rows of one wave on their way through the layers.
struct Wave {
  size_t rows;
  std::span<const Span> spans;
  float *x; // [rows][D], the residual stream
  float *h; // [rows][D], a norm of x
  float *delta; // [rows][D], h of the row before − h
};

class LanguageModel : public Model {
 public:
  void embed(uint32_t token, float *out) const final;
  void forward(float *x, size_t rows, std::span<const Span> spans, float *scratch) const final;
  void logits(const float *x, size_t rows, float *out) const final;
  size_t scratch_floats(size_t rows) const final;

 protected:
  LanguageModel(uint32_t version, const WeightFile &file, const Ops &ops);

  // Asks for the tensors that both generations have.
  void want_frame(WeightFile &file);
  void want_norm(WeightFile &file, NormWeights &norm, const std::string &name) const;
  void read(WeightFile &file);

  // x += mix(h); delta is ready. `scratch` is fresh for every layer, but for `carried`: floats per row that
  // live through all layers of a wave.
  virtual void time_mix(size_t layer, const Wave &wave, float *carried, Scratch scratch) const = 0;
  virtual void channel_mix(size_t layer, const Wave &wave, Scratch scratch) const = 0;
  virtual size_t mix_floats(size_t rows) const = 0;

  size_t heads() const { return shape_.width / head_size; }

  const Ops &ops_;
  LayerLayout layout_;

 private:
  void shift(const Wave &wave, float *(LayerLayout::*previous)(float *, size_t) const, size_t layer) const;

  Floats block_;
  const float *emb_ = nullptr, *head_ = nullptr; // [V][D]
  NormWeights ln0_, ln_out_;
  std::vector<NormWeights> ln1_, ln2_; // per layer
};

} // namespace rwkv
