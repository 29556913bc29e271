// A part of a network that keeps only its inputs for the way back and runs again then. Must not know what the part is.
#pragma once

#include <torch/torch.h>

#include <functional>

namespace rwkv_train {

using torch::autograd::variable_list;
// The same outputs for the same inputs; it may read `leaves` besides, and must live on its own.
using Part = std::function<variable_list(const variable_list &inputs)>;

// part(inputs), all of them defined. Gradients flow into the inputs and the leaves.
variable_list checkpointed(Part part, const variable_list &inputs, const variable_list &leaves);

} // namespace rwkv_train
