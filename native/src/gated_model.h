// What RWKV-5 and RWKV-6 share beyond the frame: the recurrence between its inputs and the output product, and the
// channel mix, whose output passes a gate.
#pragma once

#include "language_model.h"

namespace rwkv {

class GatedModel : public LanguageModel {
 protected:
  struct Ffn {
    const float *mu_k = nullptr, *mu_r = nullptr; // [D], how much of the previous token goes in; set by the model
    Matrix key, value, receptance;                // [F][D], [D][F], [D][D]
    size_t hidden = 0;                            // F
  };
  // [rows][D] each: what the recurrence reads, and y.
  struct Recurrence {
    float *r, *w, *k, *v, *g, *y;
  };
  using LanguageModel::LanguageModel;

  void want_ffn(WeightFile &file, Ffn &ffn, const std::string &prefix) const;
  static Recurrence take_recurrence(Scratch &scratch, size_t floats);
  // y = norm(recurrence) ⊙ g for some heads. w is the decay itself.
  void recur(size_t layer, const MixInput &in, const Heads &some, const Recurrence &at, const float *bonus,
             const NormWeights &ln_x) const;
  // x += σ(W_r x_r) ⊙ W_v relu(W_k x_k)²
  void mix_channels(const Ffn &ffn, const MixInput &in, Scratch scratch) const;
  size_t channel_floats(const Ffn &ffn, size_t rows) const;

 private:
  struct ChannelRoom {
    float *gate, *mixed, *inner;
    void *input_r, *input_k, *input_v;
  };
  ChannelRoom take_channels(Scratch &scratch, const Ffn &ffn, size_t rows) const;
};

} // namespace rwkv
