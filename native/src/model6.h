// RWKV-6 "Finch" (x060): its weights and its two mixes. The rest of the model is language_model.h.
#pragma once

#include "gated_model.h"

namespace rwkv {

class Model6 final : public GatedModel {
 public:
  // Reads all of `file`. RWKV_FORMAT or RWKV_FILE, by tensor name.
  Model6(WeightFile &file, const Ops &ops);

 private:
  static constexpr size_t mix_count = 5; // w, k, v, r, g: the order inside maa_w1 and maa_w2
  struct Layer {
    const float *maa_x, *maa[mix_count];                  // [D], how much of the previous token goes in
    Matrix maa_down, maa_up[mix_count];                   // [5·rank][D], each [D][rank]; held transposed
    const float *decay;                                   // [D]
    Matrix decay_down, decay_up;                          // [rank][D], [D][rank]; held transposed
    const float *bonus;                                   // [D], u of the current token
    Matrix receptance, key, value, gate, output;          // [D][D]
    NormWeights ln_x;                                     // [D], per head
    Ffn ffn;
    size_t maa_rank, decay_rank;
  };

  void time_mix(size_t layer, const MixInput &in, Scratch scratch) const override;
  void channel_mix(size_t layer, const MixInput &in, Scratch scratch) const override;
  size_t mix_floats(size_t rows) const override;

  std::vector<Layer> layers_;
  size_t inner_max_ = 0; // widest inner row of a layer
};

} // namespace rwkv
