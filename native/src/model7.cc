// The maths, one token: h is the norm of x, δ = h of the token before − h, x_i = h + δ ⊙ μ_i for six μ.
// r, k0, v are matrices of x_r, x_k, x_v; decay, in-context rate a, gate g and value mix are low-rank.
#include "model7.h"

#include "limits.h"

#include <algorithm>

namespace rwkv {

Model7::Model7(WeightFile &file, const Ops &ops) : LanguageModel(7, file, ops) {
  want_frame(file);
  const uint64_t width = shape_.width;
  layers_.resize(shape_.layers);
  for (size_t index = 0; index < layers_.size(); ++index) {
    Layer &layer = layers_[index];
    const std::string block = "blocks." + std::to_string(index) + ".", att = block + "att.", ffn = block + "ffn.";
    const auto vector = [&](const float *&target, const std::string &name) { file.want(target, name, {width}); };
    const auto square = [&](Matrix &target, const std::string &name) {
      file.want_matrix(target, name, width, width);
    };
    vector(layer.x_r, att + "x_r"), vector(layer.x_w, att + "x_w"), vector(layer.x_k, att + "x_k");
    vector(layer.x_v, att + "x_v"), vector(layer.x_a, att + "x_a"), vector(layer.x_g, att + "x_g");
    vector(layer.w0, att + "w0"), vector(layer.a0, att + "a0");
    vector(layer.k_k, att + "k_k"), vector(layer.k_a, att + "k_a");
    file.want(layer.r_k, att + "r_k", {heads(), head_size});
    want_low_rank(file, layer.w, att + "w");
    want_low_rank(file, layer.a, att + "a");
    want_low_rank(file, layer.g, att + "g");
    if (index == 0) { // some files carry them; layer 0 makes v_first and mixes nothing in
      for (const char *name : {"v0", "v1", "v2"}) file.ignore(att + name);
    } else {
      vector(layer.v0, att + "v0");
      want_low_rank(file, layer.v, att + "v");
    }
    square(layer.receptance, att + "receptance.weight"), square(layer.key, att + "key.weight");
    square(layer.value, att + "value.weight"), square(layer.output, att + "output.weight");
    want_norm(file, layer.ln_x, att + "ln_x");
    layer.hidden = file.dimension(ffn + "key.weight", 0, limits::hidden);
    hidden_max_ = std::max(hidden_max_, layer.hidden);
    vector(layer.ffn_x_k, ffn + "x_k");
    file.want_matrix(layer.ffn_key, ffn + "key.weight", layer.hidden, width);
    file.want_matrix(layer.ffn_value, ffn + "value.weight", width, layer.hidden);
  }
  read(file);
}

void Model7::want_low_rank(WeightFile &file, LowRank &lora, const std::string &name) {
  lora.rank = file.dimension(name + "1", 1, limits::width);
  rank_max_ = std::max(rank_max_, lora.rank);
  file.want_transposed(lora.down, name + "1", shape_.width, lora.rank);
  file.want_transposed(lora.up, name + "2", lora.rank, shape_.width);
}

size_t Model7::mix_floats(size_t rows) const {
  return 10 * whole_lines(rows * shape_.width) + whole_lines(rows * std::max(rank_max_, hidden_max_));
}

void Model7::low_rank(float *out, const float *x, const LowRank &lora, const MixInput &in, float *inner,
                      void (*activation)(float *, size_t)) const {
  const size_t rows = in.wave.rows;
  product(inner, x, lora.down, rows, shape_.width, lora.rank, in.team);
  if (activation) activation(inner, rows * lora.rank);
  product(out, inner, lora.up, rows, lora.rank, shape_.width, in.team);
}

void Model7::time_mix(size_t index, const MixInput &in, Scratch scratch) const {
  const Layer &layer = layers_[index];
  const size_t rows = in.wave.rows, width = shape_.width, count = rows * width;
  const auto row_block = [&] { return scratch.take(count); };
  float *const mixed = row_block(), *const r = row_block(), *const w = row_block(), *const k = row_block();
  float *const v = row_block(), *const a = row_block(), *const g = row_block(), *const minus_kk = row_block();
  float *const b = row_block(), *const y = row_block();
  float *const inner = scratch.take(rows * std::max(rank_max_, hidden_max_));
  const auto shifted = [&](const float *mu) {
    ops_.mix(mixed, in.h, in.delta, mu, rows, width);
    return mixed;
  };

  product(r, shifted(layer.x_r), layer.receptance, rows, width, width, in.team);
  product(k, shifted(layer.x_k), layer.key, rows, width, width, in.team);
  low_rank(w, shifted(layer.x_w), layer.w, in, inner, ops_.tanh);
  ops_.decay7(w, layer.w0, rows, width);
  low_rank(a, shifted(layer.x_a), layer.a, in, inner, nullptr);
  ops_.sigmoid_bias(a, layer.a0, rows, width);
  low_rank(g, shifted(layer.x_g), layer.g, in, inner, ops_.sigmoid);
  if (index == 0) { // every later layer mixes this value in, token by token
    product(v, shifted(layer.x_v), layer.value, rows, width, width, in.team);
    std::copy_n(v, count, in.wave.carried);
  } else {
    product(v, shifted(layer.x_v), layer.value, rows, width, width, in.team);
    low_rank(y, mixed, layer.v, in, inner, nullptr);
    ops_.sigmoid_bias(y, layer.v0, rows, width);
    ops_.residual_value(v, in.wave.carried, y, count);
  }
  ops_.keys7(k, minus_kk, b, a, layer.k_k, layer.k_a, rows, heads(), head_size);

  recur(index, in, [&](float *s, size_t at, size_t, size_t head_count) {
    ops_.wkv7(s, y + at, r + at, w + at, k + at, v + at, minus_kk + at, b + at, head_count, head_size);
  });
  ops_.norm(y, y, layer.ln_x.weight, layer.ln_x.bias, rows, width, heads(), head_norm_epsilon);
  ops_.bonus7(y, r, k, v, layer.r_k, g, rows, heads(), head_size);
  product(mixed, y, layer.output, rows, width, width, in.team);
  ops_.add(in.wave.x, mixed, count);
}

void Model7::channel_mix(size_t index, const MixInput &in, Scratch scratch) const {
  const Layer &layer = layers_[index];
  const size_t rows = in.wave.rows, width = shape_.width;
  float *const mixed = scratch.take(rows * width), *const inner = scratch.take(rows * layer.hidden);
  ops_.mix(mixed, in.h, in.delta, layer.ffn_x_k, rows, width);
  product(inner, mixed, layer.ffn_key, rows, width, layer.hidden, in.team);
  ops_.relu_squared(inner, rows * layer.hidden);
  product(mixed, inner, layer.ffn_value, rows, layer.hidden, width, in.team);
  ops_.add(in.wave.x, mixed, rows * width);
}

} // namespace rwkv
