// The maths, one token: five mixes of h and the h before it, each moved by a low-rank function of the token
// (order w, k, v, r, g); the current token enters the output through u, not through S.
#include "model6.h"

#include "failure.h"
#include "limits.h"

#include <algorithm>

namespace rwkv {

Model6::Model6(WeightFile &file, const Ops &ops) : GatedModel(6, file, ops) {
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
    vector(layer.maa_x, att + "time_maa_x");
    constexpr const char *mixes = "wkvrg";
    for (size_t mix = 0; mix < mix_count; ++mix) vector(layer.maa[mix], att + "time_maa_" + mixes[mix]);
    const uint64_t ranks = file.dimension(att + "time_maa_w1", 1, limits::width);
    if (ranks % mix_count != 0) {
      fail(RWKV_FORMAT, "tensor \"" + att + "time_maa_w1\" has " + std::to_string(ranks) +
                            " columns, which is not a multiple of 5");
    }
    layer.maa_rank = ranks / mix_count;
    file.want_transposed(layer.maa_down, att + "time_maa_w1", width, ranks);
    file.want_transposed_each(layer.maa_up, att + "time_maa_w2", {mix_count, layer.maa_rank, width});
    layer.decay_rank = file.dimension(att + "time_decay_w1", 1, limits::width);
    vector(layer.decay, att + "time_decay");
    file.want_transposed(layer.decay_down, att + "time_decay_w1", width, layer.decay_rank);
    file.want_transposed(layer.decay_up, att + "time_decay_w2", layer.decay_rank, width);
    file.want(layer.bonus, att + "time_faaaa", {heads(), head_size});
    square(layer.receptance, att + "receptance.weight"), square(layer.key, att + "key.weight");
    square(layer.value, att + "value.weight"), square(layer.gate, att + "gate.weight");
    square(layer.output, att + "output.weight");
    want_norm(file, layer.ln_x, att + "ln_x");
    vector(layer.ffn.mu_k, ffn + "time_maa_k"), vector(layer.ffn.mu_r, ffn + "time_maa_r");
    want_ffn(file, layer.ffn, ffn);
    inner_max_ = std::max({inner_max_, size_t{ranks}, layer.decay_rank, layer.ffn.hidden});
  }
  read(file);
}

size_t Model6::mix_floats(size_t rows) const {
  return 8 * whole_lines(rows * shape_.width) + 2 * whole_lines(rows * inner_max_);
}

void Model6::time_mix(size_t index, const MixInput &in, Scratch scratch) const {
  const Layer &layer = layers_[index];
  const size_t rows = in.wave.rows, width = shape_.width, count = rows * width, rank = layer.maa_rank;
  const auto row_block = [&] { return scratch.take(count); };
  float *const mixed = row_block(), *const moved = row_block();
  float *const w = row_block(), *const k = row_block(), *const v = row_block(), *const r = row_block();
  float *const g = row_block(), *const y = row_block();
  float *const inner = scratch.take(rows * inner_max_), *const part = scratch.take(rows * inner_max_);

  ops_.mix(mixed, in.h, in.delta, layer.maa_x, rows, width);
  product(inner, mixed, layer.maa_down, rows, width, mix_count * rank, in.team);
  ops_.tanh(inner, rows * mix_count * rank);
  // x_i = h + δ ⊙ (maa_i + inner_i @ up_i)
  const auto shifted = [&](size_t mix) {
    for (size_t row = 0; row < rows; ++row) {
      std::copy_n(inner + (row * mix_count + mix) * rank, rank, part + row * rank);
    }
    product(moved, part, layer.maa_up[mix], rows, rank, width, in.team);
    ops_.multiply(moved, in.delta, count);
    ops_.mix(mixed, in.h, in.delta, layer.maa[mix], rows, width);
    ops_.add(mixed, moved, count);
    return mixed;
  };
  const float *const x_w = shifted(0);
  product(part, x_w, layer.decay_down, rows, width, layer.decay_rank, in.team);
  ops_.tanh(part, rows * layer.decay_rank);
  product(w, part, layer.decay_up, rows, layer.decay_rank, width, in.team);
  ops_.decay6(w, layer.decay, rows, width);
  product(k, shifted(1), layer.key, rows, width, width, in.team);
  product(v, shifted(2), layer.value, rows, width, width, in.team);
  product(r, shifted(3), layer.receptance, rows, width, width, in.team);
  product(g, shifted(4), layer.gate, rows, width, width, in.team);
  ops_.silu(g, count);

  recur(index, in, [&](float *s, size_t at, size_t channel, size_t head_count) {
    ops_.wkv6(s, y + at, r + at, w + at, k + at, v + at, layer.bonus + channel, head_count, head_size);
  });
  ops_.norm(y, y, layer.ln_x.weight, layer.ln_x.bias, rows, width, heads(), head_norm_epsilon);
  ops_.multiply(y, g, count);
  product(mixed, y, layer.output, rows, width, width, in.team);
  ops_.add(in.wave.x, mixed, count);
}

void Model6::channel_mix(size_t index, const MixInput &in, Scratch scratch) const {
  mix_channels(layers_[index].ffn, in, scratch);
}

} // namespace rwkv
