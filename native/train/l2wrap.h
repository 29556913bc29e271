// The pull on the largest logits of the published training (spec 6.7). Must not know models.
#pragma once

#include <torch/torch.h>

namespace rwkv_train {

// The loss as it is. On the way back, the gradient at each position's largest logit gets that logit * factor / positions
// on top, whatever the gradient of the loss is. logits [positions, V].
torch::Tensor l2wrap(const torch::Tensor &loss, const torch::Tensor &logits, double factor);

} // namespace rwkv_train
