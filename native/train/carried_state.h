// The state of a language model as one row of floats per sequence, for resume: per layer att_prev, ffn_prev, s. Must not
// know batches.
#pragma once

#include "language_net.h"

namespace rwkv_train {

torch::Tensor flatten_state(const NetState &state); // [B, floats], detached
// Throws Failure when the rows are not as wide as this model's.
NetState unflatten_state(const torch::Tensor &rows, const LanguageNet &net);

} // namespace rwkv_train
