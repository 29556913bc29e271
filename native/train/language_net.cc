#include "language_net.h"

#include "checkpoint.h"
#include "mix_function.h"
#include "wkv_function.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace rwkv_train {
namespace {

using torch::Tensor;

constexpr int64_t head_size = 64;
constexpr double norm_epsilon = 1e-5, head_norm_epsilon = 64e-5, key_norm_min = 1e-12;

Tensor by_heads(const Tensor &x) { return x.view({x.size(0), x.size(1), -1, head_size}); }

} // namespace

LanguageNet::LanguageNet(const Tensors &tensors) : tensors_(tensors) {
  version_ = tensors.count("blocks.0.att.w0") ? 7 : 6;
  TORCH_CHECK(version_ == 7 || tensors.count("blocks.0.att.time_maa_x"), "these tensors are neither RWKV-7 nor RWKV-6");
  width_ = at("emb.weight").size(1);
  TORCH_CHECK(width_ % head_size == 0, "emb.weight has width ", width_, ", which is not a multiple of 64");
  for (const auto &[name, tensor] : tensors) {
    int layer = 0;
    if (std::sscanf(name.c_str(), "blocks.%4d.", &layer) == 1) layers_ = std::max(layers_, int64_t{layer} + 1);
  }
}

const Tensor &LanguageNet::at(const std::string &name) const {
  const auto found = tensors_.find(name);
  TORCH_CHECK(found != tensors_.end(), "the tensor \"", name, "\" is missing");
  return found->second;
}

Tensor LanguageNet::flat(const std::string &name) const { return at(name).view({-1}); }

Tensor LanguageNet::norm(const std::string &name, const Tensor &x) const {
  return torch::layer_norm(x, {x.size(-1)}, at(name + ".weight"), at(name + ".bias"), norm_epsilon);
}

Tensor LanguageNet::linear(const std::string &name, const Tensor &x) const {
  return torch::linear(x, at(name + ".weight"));
}

Tensor LanguageNet::low_rank(const std::string &name, const Tensor &x, const char *inner) const {
  Tensor down = torch::matmul(x, at(name + "1"));
  if (std::string_view(inner) == "tanh") down = torch::tanh(down);
  if (std::string_view(inner) == "sigmoid") down = torch::sigmoid(down);
  return torch::matmul(down, at(name + "2"));
}

Tensor LanguageNet::head_norm(const std::string &name, const Tensor &y) const {
  const Tensor flat = y.reshape({-1, y.size(-1)});
  const Tensor normed = torch::group_norm(flat, width_ / head_size, at(name + ".weight"), at(name + ".bias"),
                                          head_norm_epsilon);
  return normed.view(y.sizes());
}

Tensor LanguageNet::shift(const Tensor &h, Tensor &previous) const {
  const Tensor before = torch::cat({previous.unsqueeze(1), h.slice(1, 0, h.size(1) - 1)}, 1);
  previous = h.select(1, h.size(1) - 1);
  return before - h;
}

Tensor LanguageNet::time_mix7(const std::string &att, const Tensor &h, LayerState &state, Tensor &v_first,
                              bool first) const {
  std::vector<Tensor> mu;
  for (const char *name : {"x_r", "x_w", "x_k", "x_v", "x_a", "x_g"}) mu.push_back(flat(att + name));
  const std::vector<Tensor> mixed = shift_mix(h, state.att_prev, mu);
  const Tensor &x_r = mixed[0], &x_w = mixed[1], &x_k = mixed[2], &x_v = mixed[3], &x_a = mixed[4], &x_g = mixed[5];
  state.att_prev = h.select(1, h.size(1) - 1);
  const Tensor r = linear(att + "receptance", x_r), k0 = linear(att + "key", x_k);
  Tensor v = linear(att + "value", x_v);
  const Tensor z = flat(att + "w0") + low_rank(att + "w", x_w, "tanh");
  const Tensor w = torch::exp(-std::exp(-0.5) * torch::sigmoid(z));
  const Tensor a = torch::sigmoid(flat(att + "a0") + low_rank(att + "a", x_a, ""));
  const Tensor g = low_rank(att + "g", x_g, "sigmoid");
  if (first) v_first = v;
  else v = v + (v_first - v) * torch::sigmoid(flat(att + "v0") + low_rank(att + "v", x_v, ""));

  const Tensor u = by_heads(k0 * flat(att + "k_k"));
  const Tensor kk = u / u.norm(2, -1, true).clamp_min(key_norm_min);
  const Tensor k = by_heads(k0 * (1 + (a - 1) * flat(att + "k_a")));
  const Tensor heads_r = by_heads(r), heads_v = by_heads(v);
  const WkvResult result = wkv7(heads_r, by_heads(w), k, heads_v, -kk, kk * by_heads(a), state.s);
  state.s = result.state;
  const Tensor bonus = (heads_r * k * at(att + "r_k").view({-1, head_size})).sum(-1, true) * heads_v;
  const Tensor y = head_norm(att + "ln_x", result.y.reshape(h.sizes())) + bonus.reshape(h.sizes());
  return linear(att + "output", y * g);
}

Tensor LanguageNet::channel_mix7(const std::string &ffn, const Tensor &h, LayerState &state) const {
  const Tensor x_k = shift_mix(h, state.ffn_prev, {flat(ffn + "x_k")})[0];
  state.ffn_prev = h.select(1, h.size(1) - 1);
  const Tensor k = torch::relu(linear(ffn + "key", x_k));
  return linear(ffn + "value", k * k);
}

Tensor LanguageNet::time_mix6(const std::string &att, const Tensor &h, LayerState &state) const {
  const Tensor delta = shift(h, state.att_prev);
  const Tensor &up = at(att + "time_maa_w2"); // [5, rank, D], order w k v r g
  const Tensor inner = torch::tanh(torch::matmul(torch::addcmul(h, delta, flat(att + "time_maa_x")), at(att + "time_maa_w1")))
                           .view({h.size(0), h.size(1), 5, up.size(1)});
  const auto mixed = [&](int64_t index, const char *name) {
    return h + delta * (flat(att + "time_maa_" + name) + torch::matmul(inner.select(2, index), up.select(0, index)));
  };
  const Tensor decay = flat(att + "time_decay") +
                       torch::matmul(torch::tanh(torch::matmul(mixed(0, "w"), at(att + "time_decay_w1"))),
                                     at(att + "time_decay_w2"));
  const Tensor w = torch::exp(-torch::exp(decay));
  const Tensor k = linear(att + "key", mixed(1, "k")), v = linear(att + "value", mixed(2, "v"));
  const Tensor r = linear(att + "receptance", mixed(3, "r")), g = torch::silu(linear(att + "gate", mixed(4, "g")));
  const WkvResult result = wkv6(by_heads(r), by_heads(w), by_heads(k), by_heads(v),
                                at(att + "time_faaaa").view({-1, head_size}), state.s);
  state.s = result.state;
  return linear(att + "output", head_norm(att + "ln_x", result.y.reshape(h.sizes())) * g);
}

Tensor LanguageNet::channel_mix6(const std::string &ffn, const Tensor &h, LayerState &state) const {
  const auto mixed = shift_mix(h, state.ffn_prev, {flat(ffn + "time_maa_k"), flat(ffn + "time_maa_r")});
  state.ffn_prev = h.select(1, h.size(1) - 1);
  const Tensor k = torch::relu(linear(ffn + "key", mixed[0]));
  const Tensor r = torch::sigmoid(linear(ffn + "receptance", mixed[1]));
  return r * linear(ffn + "value", k * k);
}

Tensor LanguageNet::block(int64_t layer, const Tensor &x, LayerState &memory, Tensor &v_first) const {
  const std::string name = "blocks." + std::to_string(layer) + ".", att = name + "att.", ffn = name + "ffn.";
  const Tensor h1 = norm(name + "ln1", x);
  const Tensor mixed =
      x + (version_ == 7 ? time_mix7(att, h1, memory, v_first, layer == 0) : time_mix6(att, h1, memory));
  const Tensor h2 = norm(name + "ln2", mixed);
  return mixed + (version_ == 7 ? channel_mix7(ffn, h2, memory) : channel_mix6(ffn, h2, memory));
}

Tensor LanguageNet::block_again(int64_t layer, const Tensor &x, LayerState &memory, Tensor &v_first) const {
  variable_list inputs{x, memory.att_prev, memory.ffn_prev, memory.s}, leaves;
  if (v_first.defined()) inputs.push_back(v_first);
  const std::string name = "blocks." + std::to_string(layer) + ".";
  for (const auto &[key, tensor] : tensors_) {
    if (key.rfind(name, 0) == 0) leaves.push_back(tensor);
  }
  // A copy of the net: this one need not live until the way back. The tensors are the caller's, and do.
  const Part part = [net = *this, layer](const variable_list &in) {
    LayerState state{in[1], in[2], in[3]};
    Tensor first = in.size() > 4 ? in[4] : Tensor();
    const bool makes_first = !first.defined();
    const Tensor out = net.block(layer, in[0], state, first);
    variable_list all{out, state.att_prev.clone(), state.ffn_prev.clone(), state.s};
    if (makes_first && first.defined()) all.push_back(first);
    return all;
  };
  const variable_list out = checkpointed(part, inputs, leaves);
  memory = {out[1], out[2], out[3]};
  if (out.size() > 4) v_first = out[4];
  return out[0];
}

Tensor LanguageNet::forward(const Tensor &input, NetState &state, bool grad_checkpoint) const {
  TORCH_CHECK(input.dim() == 3 && input.size(2) == width_ && input.size(1) > 0, "a piece is [batch, time, ", width_, "]");
  state.resize(static_cast<size_t>(layers_));
  Tensor x = norm("blocks.0.ln0", input), v_first;
  for (int64_t layer = 0; layer < layers_; ++layer) {
    LayerState &memory = state[static_cast<size_t>(layer)];
    const auto zeros = [&](at::IntArrayRef sizes) { return torch::zeros(sizes, x.options().requires_grad(false)); };
    if (!memory.s.defined()) memory.s = zeros({x.size(0), width_ / head_size, head_size, head_size});
    if (!memory.att_prev.defined()) memory.att_prev = zeros({x.size(0), width_});
    if (!memory.ffn_prev.defined()) memory.ffn_prev = zeros({x.size(0), width_});
    x = grad_checkpoint ? block_again(layer, x, memory, v_first) : block(layer, x, memory, v_first);
  }
  return norm("ln_out", x);
}

Tensor LanguageNet::logits(const Tensor &x) const { return linear("head", x); }

Tensor LanguageNet::embed(const Tensor &tokens) const { return torch::embedding(at("emb.weight"), tokens); }

} // namespace rwkv_train
