// The recurrences as differentiable functions of tensors on a CUDA device, of any floating type; computed and answered in
// float32. Others call ../wkv_function.h.
#pragma once

#include "../wkv_function.h"

namespace rwkv_train {

WkvResult wkv7_on_cuda(const torch::Tensor &r, const torch::Tensor &w, const torch::Tensor &k, const torch::Tensor &v,
                       const torch::Tensor &a, const torch::Tensor &b, const torch::Tensor &state);
WkvResult wkv6_on_cuda(const torch::Tensor &r, const torch::Tensor &w, const torch::Tensor &k, const torch::Tensor &v,
                       const torch::Tensor &u, const torch::Tensor &state);

} // namespace rwkv_train
