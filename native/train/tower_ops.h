// Element-wise parts of the tower, each one pass over memory where libtorch takes several: our loops on CPUs for
// float32 and bfloat16, libtorch's functions for everything else. Must not know which tensors the tower has.
#pragma once

#include <torch/torch.h>

namespace rwkv_train {

// Whether this CPU multiplies bfloat16 matrices faster than float32 ones.
bool fast_bf16();

// uint8 [B, 2, H, W, 3], the frame before and the frame → [B, 6, H, W], channels last.
torch::Tensor frames_input(const torch::Tensor &pixels, torch::ScalarType type);
// gelu(group_norm(x)) + residual (may be undefined); x [B, C, H, W], weight and bias [C] of any type.
torch::Tensor norm_gelu(const torch::Tensor &x, const torch::Tensor &weight, const torch::Tensor &bias, int64_t groups,
                        double epsilon, const torch::Tensor &residual);
struct Summed {
  torch::Tensor sum, normed;
};
// x + delta, and its layer_norm in delta's type; both [B, rows, width], x of the norm's type.
Summed add_norm(const torch::Tensor &x, const torch::Tensor &delta, const torch::Tensor &weight,
                const torch::Tensor &bias, double epsilon);
torch::Tensor gelu_exact(const torch::Tensor &x);

} // namespace rwkv_train
