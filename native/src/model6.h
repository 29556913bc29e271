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

  struct Room {
    Recurrence at;
    float *moved[mix_count];               // [rows][D]
    float *inner, *part, *decay;           // [rows][5·rank], [rows][rank], [rows][decay_rank]
    void *input_x, *input_part[mix_count]; // of maa_down, of maa_up
    void *input_mixed[mix_count];          // of what each mix goes into: decay_down, key, value, receptance, gate
    void *input_decay, *input_y;
  };
  Room take_room(Scratch &scratch, const Layer &layer, size_t rows) const;
  // The five mixes, each moved by the token, as the products read them.
  void mix_inputs(const Layer &layer, const MixInput &in, const Room &room) const;
  void time_mix(size_t layer, const MixInput &in, Scratch scratch) const override;
  void channel_mix(size_t layer, const MixInput &in, Scratch scratch) const override;
  size_t mix_floats(size_t layer, size_t rows) const override;

  std::vector<Layer> layers_;
};

} // namespace rwkv
