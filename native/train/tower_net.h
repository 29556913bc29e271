// The image tower as a differentiable function of its tensors: two frames go in, one vector per cell comes out, and
// words become vectors beside it. Must not know losses, labels or batches' names.
//
// Tensors (float32; E: width shared by pictures and text, D: width of a cell's vector, a multiple of 64):
//   stem.N.weight [out, in, 3, 3], stem.N.bias [out]    pad 1; stride 1 and x + block(x) where in == out, else
//                                                       stride 2. The first has 6 inputs: the frame, and the frame
//                                                       minus the one before
//   stem.N.norm.weight, .bias [out]                     optional GroupNorm of 8 groups; GELU follows either way
//   position [cells, D]                                 row by row of the picture
//   blocks.N.norm1.weight, .bias [D]                    ViT, norms first, heads of 64
//   blocks.N.attn.qkv.weight [3 D, D], .bias [3 D]
//   blocks.N.attn.out.weight [D, D], .bias [D]
//   blocks.N.norm2.weight, .bias [D]
//   blocks.N.mlp.up.weight [4 D, D], .bias [4 D]
//   blocks.N.mlp.down.weight [D, 4 D], .bias [D]
//   norm.weight, .bias [D]
//   head.class.weight [E, D], head.class.scale (a scalar: the logarithm; e to it is at most 100), head.background [E]
//   head.box.weight [8, D], head.box.bias [8]
//   head.image.weight [E, D], head.image.scale (a scalar: the logarithm)
//   text.embedding [V, E2], text.out.weight [E, E2]
#pragma once

#include <torch/torch.h>

#include <string>

#include "language_net.h"

namespace rwkv_train {

class TowerNet {
 public:
  // `compute`: type of the large sums (float32, float64 as the tensors, or bfloat16). Throws c10::Error by tensor name.
  TowerNet(const Tensors &tensors, torch::ScalarType compute);

  // uint8 [B, 2, H, W, 3], the frame before and the frame → [B, cells, D] behind the last norm, type of the tensors.
  torch::Tensor cells(const torch::Tensor &pixels) const;
  // int64 [N, n], -1 pads → unit vectors [N, E]. A row of pads alone gives zeros.
  torch::Tensor text(const torch::Tensor &words) const;
  // [B, cells, D] and the classes' unit vectors [C, E] → [B, cells, C + 1], the background last.
  torch::Tensor class_logits(const torch::Tensor &cells, const torch::Tensor &classes) const;
  // [B, cells, 8] as the head gives it: dx, dy, ln size, 20 vx, 20 vy, 20 growth, and logits of new and visible.
  torch::Tensor boxes(const torch::Tensor &cells) const;
  torch::Tensor image(const torch::Tensor &cells) const; // → unit vectors [B, E]
  torch::Tensor image_scale() const;                     // at most 100

 private:
  const torch::Tensor &at(const std::string &name) const;
  torch::Tensor linear(const std::string &name, const torch::Tensor &x) const;
  torch::Tensor scale(const std::string &name) const;
  torch::Tensor stem(const torch::Tensor &pixels) const;
  torch::Tensor attention(const std::string &block, const torch::Tensor &x) const;

  const Tensors &tensors_;
  torch::ScalarType compute_;
  int64_t width_ = 0, stem_blocks_ = 0, blocks_ = 0;
};

} // namespace rwkv_train
