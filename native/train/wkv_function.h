// The recurrences of wkv.h as differentiable functions of tensors. Must not know models.
#pragma once

#include <torch/torch.h>

namespace rwkv_train {

struct WkvResult {
  torch::Tensor y;     // [B, T, H, 64]
  torch::Tensor state; // [B, H, 64, 64], behind the last position
};

// Sequences [B, T, H, 64], state [B, H, 64, 64]; float or double. Gradients flow into everything, the state included. On
// CUDA kernels run where the library was built with them (RWKV_TRAIN_CUDA), in float32. From any other device the inputs go
// to the CPU and the results back: right, and slow.
WkvResult wkv7(const torch::Tensor &r, const torch::Tensor &w, const torch::Tensor &k, const torch::Tensor &v,
               const torch::Tensor &a, const torch::Tensor &b, const torch::Tensor &state);
// The same with u [H, 64].
WkvResult wkv6(const torch::Tensor &r, const torch::Tensor &w, const torch::Tensor &k, const torch::Tensor &v,
               const torch::Tensor &u, const torch::Tensor &state);

} // namespace rwkv_train
