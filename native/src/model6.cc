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
  }
  read(file);
  for (const Layer &l : layers_) {
    const Matrix *const matrices[] = {&l.maa_down,   &l.maa_up[0],  &l.maa_up[1],  &l.maa_up[2], &l.maa_up[3],
                                      &l.maa_up[4],  &l.decay_down, &l.decay_up,   &l.receptance, &l.key,
                                      &l.value,      &l.gate,       &l.output,     &l.ffn.key,    &l.ffn.value,
                                      &l.ffn.receptance};
    count_work(matrices);
  }
}

Model6::Room Model6::take_room(Scratch &scratch, const Layer &layer, size_t rows) const {
  Room room;
  room.at = take_recurrence(scratch, rows * shape_.width);
  room.inner = scratch.take(rows * mix_count * layer.maa_rank);
  room.part = scratch.take(rows * layer.maa_rank);
  room.decay = scratch.take(rows * layer.decay_rank);
  room.input_x = take_input(scratch, layer.maa_down, rows);
  const Matrix *const read_by[] = {&layer.decay_down, &layer.key, &layer.value, &layer.receptance, &layer.gate};
  for (size_t mix = 0; mix < mix_count; ++mix) {
    room.moved[mix] = scratch.take(rows * shape_.width);
    room.input_part[mix] = take_input(scratch, layer.maa_up[mix], rows);
    room.input_mixed[mix] = take_input(scratch, *read_by[mix], rows);
  }
  room.input_decay = take_input(scratch, layer.decay_up, rows);
  room.input_y = take_input(scratch, layer.output, rows);
  return room;
}

size_t Model6::mix_floats(size_t index, size_t rows) const {
  Scratch count(nullptr);
  take_room(count, layers_[index], rows);
  return std::max(count.used(), channel_floats(layers_[index].ffn, rows));
}

void Model6::mix_inputs(const Layer &layer, const MixInput &in, const Room &room) const {
  const size_t rows = in.wave.rows, rank = layer.maa_rank;
  const Recurrence &at = room.at;
  const MixedRows first[] = {{layer.maa_x, &layer.maa_down, at.w, room.input_x}};
  prepare_mixed(in, first);
  ProductList down(ops_), up(ops_);
  down.add(room.inner, room.input_x, layer.maa_down, rows, ops_.tanh);
  down.run(in.team);
  for (size_t mix = 0; mix < mix_count; ++mix) {
    for (size_t row = 0; row < rows; ++row) {
      std::copy_n(room.inner + (row * mix_count + mix) * rank, rank, room.part + row * rank);
    }
    const Matrix &w = layer.maa_up[mix];
    up.add(room.moved[mix], prepare(room.input_part[mix], room.part, w, rows), w, rows);
  }
  up.run(in.team);
  const MixedRows moved[] = {
      {layer.maa[0], &layer.decay_down, at.w, room.input_mixed[0], room.moved[0]},
      {layer.maa[1], &layer.key, at.k, room.input_mixed[1], room.moved[1]},
      {layer.maa[2], &layer.value, at.v, room.input_mixed[2], room.moved[2]},
      {layer.maa[3], &layer.receptance, at.r, room.input_mixed[3], room.moved[3]},
      {layer.maa[4], &layer.gate, at.g, room.input_mixed[4], room.moved[4]}};
  prepare_mixed(in, moved);
}

void Model6::time_mix(size_t index, const MixInput &in, Scratch scratch) const {
  const Layer &layer = layers_[index];
  const size_t rows = in.wave.rows;
  const Room room = take_room(scratch, layer, rows);
  const Recurrence &at = room.at;
  mix_inputs(layer, in, room);
  ProductList list(ops_), decay(ops_);
  list.add(room.decay, room.input_mixed[0], layer.decay_down, rows, ops_.tanh);
  list.add(at.k, room.input_mixed[1], layer.key, rows);
  list.add(at.v, room.input_mixed[2], layer.value, rows);
  list.add(at.r, room.input_mixed[3], layer.receptance, rows);
  list.add(at.g, room.input_mixed[4], layer.gate, rows, ops_.silu);
  list.run(in.team);
  decay.add(at.w, prepare(room.input_decay, room.decay, layer.decay_up, rows), layer.decay_up, rows);
  decay.run(in.team);
  share_heads(in, [&](const Heads &some) {
    each_row(in, some, [&](size_t i) { ops_.decay6(at.w + i, layer.decay + some.channel, 1, some.width); });
    recur(index, in, some, at, layer.bonus, layer.ln_x);
  });
  add_product(in, at.r, prepare(room.input_y, at.y, layer.output, rows), layer.output);
}

void Model6::channel_mix(size_t index, const MixInput &in, Scratch scratch) const {
  mix_channels(layers_[index].ffn, in, scratch);
}

} // namespace rwkv
