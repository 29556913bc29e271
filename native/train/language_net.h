// RWKV-7 and RWKV-6 as differentiable functions of their tensors, under the official names: what the trainer runs
// forward and back. Sequences go in as vectors before ln0 (embeddings and pictures alike), so this file knows no tokens
// and no pictures; states go in and come out, so that a long clip can be trained piece by piece.
#pragma once

#include <torch/torch.h>

#include <string>
#include <unordered_map>
#include <vector>

namespace rwkv_train {

using Tensors = std::unordered_map<std::string, torch::Tensor>;

// What one sequence of a batch remembers between pieces. Undefined tensors are a beginning.
struct LayerState {
  torch::Tensor att_prev, ffn_prev; // [B, D], the last norm
  torch::Tensor s;                  // [B, H, 64, 64]
};
using NetState = std::vector<LayerState>;

class LanguageNet {
 public:
  // Looks at names and shapes; throws c10::Error by tensor name. The map stays the caller's and is read at every call.
  explicit LanguageNet(const Tensors &tensors);

  int version() const { return version_; }
  int64_t width() const { return width_; }
  int64_t layers() const { return layers_; }

  // x [B, T, D] before ln0 → [B, T, D] behind ln_out. `state` is replaced by the state behind the piece (with its graph).
  // grad_checkpoint: blocks keep nothing for the way back but their input, and run again then.
  torch::Tensor forward(const torch::Tensor &x, NetState &state, bool grad_checkpoint = false) const;
  torch::Tensor logits(const torch::Tensor &x) const; // [.., D] → [.., V]
  torch::Tensor embed(const torch::Tensor &tokens) const; // int64 [..] → [.., D]

 private:
  const torch::Tensor &at(const std::string &name) const;
  torch::Tensor flat(const std::string &name) const; // a vector, whatever dimensions of 1 it has
  torch::Tensor norm(const std::string &name, const torch::Tensor &x) const;
  torch::Tensor linear(const std::string &name, const torch::Tensor &x) const;
  torch::Tensor low_rank(const std::string &name, const torch::Tensor &x, const char *inner) const;
  torch::Tensor head_norm(const std::string &name, const torch::Tensor &y) const;
  // h of the position before − h; `previous` [B, D] becomes the last h.
  torch::Tensor shift(const torch::Tensor &h, torch::Tensor &previous) const;
  // x behind the block; `memory` is full, before and behind. v_first: what layer 0 of RWKV-7 leaves for the others.
  torch::Tensor block(int64_t layer, const torch::Tensor &x, LayerState &memory, torch::Tensor &v_first) const;
  torch::Tensor block_again(int64_t layer, const torch::Tensor &x, LayerState &memory, torch::Tensor &v_first) const;
  torch::Tensor time_mix7(const std::string &att, const torch::Tensor &h, LayerState &state, torch::Tensor &v_first,
                          bool first) const;
  torch::Tensor channel_mix7(const std::string &ffn, const torch::Tensor &h, LayerState &state) const;
  torch::Tensor time_mix6(const std::string &att, const torch::Tensor &h, LayerState &state) const;
  torch::Tensor channel_mix6(const std::string &ffn, const torch::Tensor &h, LayerState &state) const;

  const Tensors &tensors_;
  int version_ = 0;
  int64_t width_ = 0, layers_ = 0;
};

} // namespace rwkv_train
