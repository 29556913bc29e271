// RWKV-6 "Finch" (x060): its weights and its two mixes. The rest of the model is language_model.h.
#pragma once

#include "language_model.h"

namespace rwkv {

class Model6 final : public LanguageModel {
 public:
  // Reads all of `file`. RWKV_FORMAT or RWKV_FILE, by tensor name.
  Model6(WeightFile &file, const Ops &ops);

 private:
  static constexpr size_t mix_count = 5; // w, k, v, r, g: the order inside maa_w1 and maa_w2
  struct Layer {
    const float *maa_x, *maa[mix_count];                  // [D], how much of the previous token goes in
    const float *maa_down, *maa_up[mix_count];            // [5·rank][D], each [D][rank]; held transposed
    const float *decay, *decay_down, *decay_up;           // [D], [rank][D], [D][rank]; held transposed
    const float *bonus;                                   // [D], u of the current token
    const float *receptance, *key, *value, *gate, *output; // [D][D]
    NormWeights ln_x;                                     // [D], per head
    const float *ffn_k, *ffn_r;                           // [D]
    const float *ffn_key, *ffn_value, *ffn_receptance;    // [F][D], [D][F], [D][D]
    size_t maa_rank, decay_rank, hidden;
  };

  void time_mix(size_t layer, const Wave &wave, float *carried, Scratch scratch) const override;
  void channel_mix(size_t layer, const Wave &wave, Scratch scratch) const override;
  size_t mix_floats(size_t rows) const override;

  std::vector<Layer> layers_;
  size_t inner_max_ = 0; // widest inner row of a layer
};

} // namespace rwkv
