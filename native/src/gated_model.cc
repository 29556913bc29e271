#include "gated_model.h"

#include "limits.h"

namespace rwkv {

void GatedModel::want_ffn(WeightFile &file, Ffn &ffn, const std::string &prefix) const {
  const uint64_t width = shape_.width;
  ffn.hidden = file.dimension(prefix + "key.weight", 0, limits::hidden);
  file.want_matrix(ffn.key, prefix + "key.weight", ffn.hidden, width);
  file.want_matrix(ffn.value, prefix + "value.weight", width, ffn.hidden);
  file.want_matrix(ffn.receptance, prefix + "receptance.weight", width, width);
}

void GatedModel::mix_channels(const Ffn &ffn, const MixInput &in, Scratch scratch) const {
  const size_t rows = in.wave.rows, width = shape_.width, count = rows * width;
  float *const mixed = scratch.take(count), *const gate = scratch.take(count);
  float *const inner = scratch.take(rows * ffn.hidden);
  ops_.mix(mixed, in.h, in.delta, ffn.mu_r, rows, width);
  product(gate, mixed, ffn.receptance, rows, width, width, in.team);
  ops_.sigmoid(gate, count);
  ops_.mix(mixed, in.h, in.delta, ffn.mu_k, rows, width);
  product(inner, mixed, ffn.key, rows, width, ffn.hidden, in.team);
  ops_.relu_squared(inner, rows * ffn.hidden);
  product(mixed, inner, ffn.value, rows, ffn.hidden, width, in.team);
  ops_.multiply(mixed, gate, count);
  ops_.add(in.wave.x, mixed, count);
}

} // namespace rwkv
