// What RWKV-5 and RWKV-6 share beyond the frame: the channel mix, whose output passes a gate.
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
  using LanguageModel::LanguageModel;

  void want_ffn(WeightFile &file, Ffn &ffn, const std::string &prefix) const;
  // x += σ(W_r x_r) ⊙ W_v relu(W_k x_k)²
  void mix_channels(const Ffn &ffn, const MixInput &in, Scratch scratch) const;
};

} // namespace rwkv
