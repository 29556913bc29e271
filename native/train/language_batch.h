// A language batch as it came across, checked: which row of what stands at which position, and what the loss looks at.
// Must not know parameters or gradients.
#pragma once

#include "model.h"

#include <vector>

namespace rwkv_train {

struct LanguageBatch {
  int64_t rows = 0, time = 0;
  torch::Tensor text;    // [M], the ids, in order
  torch::Tensor vectors; // [N, F], undefined when no position takes one
  // [rows * time]: 0..M−1 a token, M..M+N−1 a vector, M+N padding.
  torch::Tensor places;
  bool padded = false, text_only = false;
  bool has_targets = false;
  // Where the loss looks: indices into rows * time, [P]; with the row, target and weight of each.
  torch::Tensor at, row, target, weight;
  torch::Tensor goes_on; // [rows], 0 where "reset" begins anew; undefined: all go on
};

// Throws Failure; the sentence names the input.
LanguageBatch read_language_batch(const Inputs &inputs, int64_t vocabulary, torch::Device device);

} // namespace rwkv_train
