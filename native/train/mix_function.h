// The token shift of mix_loops.h as one differentiable function. Must not know models.
#pragma once

#include <torch/torch.h>

#include <vector>

namespace rwkv_train {

// h [B, T, D], previous [B, D], each μ [D] → as many sequences as there are μ, at most 6.
std::vector<torch::Tensor> shift_mix(const torch::Tensor &h, const torch::Tensor &previous,
                                     const std::vector<torch::Tensor> &mu);

} // namespace rwkv_train
