#include "language_net.h"

#include "wkv_function.h"

#include <cmath>

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
  while (tensors.count("blocks." + std::to_string(layers_) + ".ln1.weight")) ++layers_;
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
  const Tensor first = previous.defined() ? previous.unsqueeze(1) : torch::zeros_like(h.slice(1, 0, 1));
  const Tensor before = torch::cat({first, h.slice(1, 0, h.size(1) - 1)}, 1);
  previous = h.select(1, h.size(1) - 1);
  return before - h;
}

Tensor LanguageNet::time_mix7(const std::string &att, const Tensor &h, LayerState &state, Tensor &v_first,
                              bool first) const {
  const Tensor delta = shift(h, state.att_prev);
  const auto mixed = [&](const char *name) { return torch::addcmul(h, delta, flat(att + name)); };
  const Tensor x_v = mixed("x_v");
  const Tensor r = linear(att + "receptance", mixed("x_r")), k0 = linear(att + "key", mixed("x_k"));
  Tensor v = linear(att + "value", x_v);
  const Tensor z = flat(att + "w0") + low_rank(att + "w", mixed("x_w"), "tanh");
  const Tensor w = torch::exp(-std::exp(-0.5) * torch::sigmoid(z));
  const Tensor a = torch::sigmoid(flat(att + "a0") + low_rank(att + "a", mixed("x_a"), ""));
  const Tensor g = low_rank(att + "g", mixed("x_g"), "sigmoid");
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
  const Tensor delta = shift(h, state.ffn_prev);
  const Tensor k = torch::relu(linear(ffn + "key", torch::addcmul(h, delta, flat(ffn + "x_k"))));
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
  const Tensor delta = shift(h, state.ffn_prev);
  const Tensor k = torch::relu(linear(ffn + "key", torch::addcmul(h, delta, flat(ffn + "time_maa_k"))));
  const Tensor r = torch::sigmoid(linear(ffn + "receptance", torch::addcmul(h, delta, flat(ffn + "time_maa_r"))));
  return r * linear(ffn + "value", k * k);
}

Tensor LanguageNet::forward(const Tensor &input, NetState &state) const {
  TORCH_CHECK(input.dim() == 3 && input.size(2) == width_ && input.size(1) > 0, "a piece is [batch, time, ", width_, "]");
  state.resize(static_cast<size_t>(layers_));
  Tensor x = norm("blocks.0.ln0", input), v_first;
  for (int64_t layer = 0; layer < layers_; ++layer) {
    LayerState &memory = state[static_cast<size_t>(layer)];
    if (!memory.s.defined()) {
      memory.s = torch::zeros({x.size(0), width_ / head_size, head_size, head_size}, x.options().requires_grad(false));
    }
    const std::string block = "blocks." + std::to_string(layer) + ".", att = block + "att.", ffn = block + "ffn.";
    const Tensor h1 = norm(block + "ln1", x);
    x = x + (version_ == 7 ? time_mix7(att, h1, memory, v_first, layer == 0) : time_mix6(att, h1, memory));
    const Tensor h2 = norm(block + "ln2", x);
    x = x + (version_ == 7 ? channel_mix7(ffn, h2, memory) : channel_mix6(ffn, h2, memory));
  }
  return norm("ln_out", x);
}

Tensor LanguageNet::logits(const Tensor &x) const { return linear("head", x); }

Tensor LanguageNet::embed(const Tensor &tokens) const { return torch::embedding(at("emb.weight"), tokens); }

} // namespace rwkv_train
