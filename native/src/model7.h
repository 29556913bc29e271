// RWKV-7 "Goose" (x070): its weights and its two mixes. The rest of the model is language_model.h.
#pragma once

#include "language_model.h"

namespace rwkv {

class Model7 final : public LanguageModel {
 public:
  // Reads all of `file`. RWKV_FORMAT or RWKV_FILE, by tensor name.
  Model7(WeightFile &file, const Ops &ops);

 private:
  // down[rank][D] and up[D][rank]: held transposed from the file, so that both are rows of dot products.
  struct LowRank {
    Matrix down, up;
    size_t rank = 0;
  };
  struct Layer {
    const float *x_r, *x_w, *x_k, *x_v, *x_a, *x_g;       // [D], how much of the previous token goes in
    const float *w0, *a0, *v0;                            // [D]; v0 not in layer 0
    LowRank w, a, v, g;                                   // v not in layer 0
    const float *k_k, *k_a, *r_k;                         // [D]
    Matrix receptance, key, value, output;                // [D][D]
    NormWeights ln_x;                                     // [D], per head
    const float *ffn_x_k;                                 // [D]
    Matrix ffn_key, ffn_value;                            // [F][D], [D][F]
    size_t hidden;                                        // F
  };

  // What a time mix needs room for, for one low-rank function: inner[rows][rank] and its two inputs.
  struct LowRankRoom {
    float *inner;
    void *input_down, *input_up;
  };
  struct Room {
    float *r, *w, *k, *v, *a, *g, *minus_kk, *b, *y, *gate; // [rows][D]
    LowRankRoom w_rank, a_rank, g_rank, v_rank;             // v_rank not in layer 0
    void *input_r, *input_k, *input_v, *input_y;
  };
  struct ChannelRoom {
    float *mixed, *inner; // [rows][D], [rows][F]
    void *input_k, *input_v;
  };
  void want_low_rank(WeightFile &file, LowRank &lora, const std::string &name);
  void count_layers();
  LowRankRoom take_low_rank(Scratch &scratch, const LowRank &lora, size_t rows) const;
  Room take_room(Scratch &scratch, size_t layer, size_t rows) const;
  ChannelRoom take_channels(Scratch &scratch, const Layer &layer, size_t rows) const;

  // r, k, v and the low-rank functions of the mixed rows, before their biases.
  void project(size_t layer, const MixInput &in, const Room &room) const;
  // From there to y ⊙ g, for some heads.
  void recur(size_t layer, const MixInput &in, const Room &room, const Heads &some) const;
  void time_mix(size_t layer, const MixInput &in, Scratch scratch) const override;
  void channel_mix(size_t layer, const MixInput &in, Scratch scratch) const override;
  size_t mix_floats(size_t layer, size_t rows) const override;
  size_t carried_width() const override { return shape_.width; } // v_first

  std::vector<Layer> layers_;
};

} // namespace rwkv
