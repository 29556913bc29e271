// RWKV-5.2 "Eagle" (x052): its weights and its two mixes. The rest of the model is language_model.h.
#pragma once

#include "gated_model.h"

namespace rwkv {

class Model5 final : public GatedModel {
 public:
  // Reads all of `file`. RWKV_FORMAT or RWKV_FILE, by tensor name; 5.0 and 5.1 are refused by their time_decay.
  Model5(WeightFile &file, const Ops &ops);

 private:
  struct Layer {
    const float *mu_k, *mu_v, *mu_r, *mu_g;      // [D], how much of the previous token goes in
    const float *decay;                          // [D], what is kept of S per step, in (0, 1)
    const float *bonus;                          // [D], u of the current token
    Matrix receptance, key, value, gate, output; // [D][D]
    NormWeights ln_x;                            // [D], per head
    Ffn ffn;
  };

  struct Room {
    Recurrence at;
    void *input_k, *input_v, *input_r, *input_g, *input_y;
  };
  Room take_room(Scratch &scratch, const Layer &layer, size_t rows) const;
  void derive();
  void time_mix(size_t layer, const MixInput &in, Scratch scratch) const override;
  void channel_mix(size_t layer, const MixInput &in, Scratch scratch) const override;
  size_t mix_floats(size_t layer, size_t rows) const override;

  std::vector<Layer> layers_;
  Floats derived_; // what is computed once from the vectors of the file
};

} // namespace rwkv
