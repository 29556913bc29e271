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

GatedModel::Recurrence GatedModel::take_recurrence(Scratch &scratch, size_t floats) {
  Recurrence out;
  for (float **const block : {&out.r, &out.w, &out.k, &out.v, &out.g, &out.y}) *block = scratch.take(floats);
  return out;
}

void GatedModel::recur(size_t layer, const MixInput &in, const Heads &some, const Recurrence &at, const float *bonus,
                       const NormWeights &ln_x) const {
  const size_t stride = shape_.width, channel = some.channel;
  each_state(layer, in, some, [&](float *s, size_t i, size_t rows) {
    ops_.wkv6(s, at.y + i, at.r + i, at.w + i, at.k + i, at.v + i, bonus + channel, rows, stride, some.count,
              head_size);
  });
  each_row(in, some, [&](size_t i) {
    ops_.norm(at.y + i, at.y + i, ln_x.weight + channel, ln_x.bias + channel, 1, some.width, some.count,
              head_norm_epsilon);
    ops_.multiply(at.y + i, at.g + i, some.width);
  });
}

GatedModel::ChannelRoom GatedModel::take_channels(Scratch &scratch, const Ffn &ffn, size_t rows) const {
  const size_t count = rows * shape_.width;
  return {scratch.take(count),
          scratch.take(count),
          scratch.take(rows * ffn.hidden),
          take_input(scratch, ffn.receptance, rows),
          take_input(scratch, ffn.key, rows),
          take_input(scratch, ffn.value, rows)};
}

size_t GatedModel::channel_floats(const Ffn &ffn, size_t rows) const {
  Scratch count(nullptr);
  take_channels(count, ffn, rows);
  return count.used();
}

void GatedModel::mix_channels(const Ffn &ffn, const MixInput &in, Scratch scratch) const {
  const size_t rows = in.wave.rows, count = rows * shape_.width;
  const ChannelRoom at = take_channels(scratch, ffn, rows);
  const MixedRows inputs[] = {{ffn.mu_r, &ffn.receptance, at.gate, at.input_r},
                              {ffn.mu_k, &ffn.key, at.mixed, at.input_k}};
  prepare_mixed(in, inputs);
  ProductList first(ops_), second(ops_);
  first.add(at.gate, at.input_r, ffn.receptance, rows, ops_.sigmoid);
  first.add(at.inner, at.input_k, ffn.key, rows, ops_.relu_squared);
  first.run(in.team);
  second.add(at.mixed, prepare(at.input_v, at.inner, ffn.value, rows), ffn.value, rows);
  second.run(in.team);
  ops_.multiply(at.mixed, at.gate, count);
  ops_.add(in.wave.x, at.mixed, count);
}

} // namespace rwkv
