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
    vector(layer.ffn_x_k, ffn + "x_k");
    file.want_matrix(layer.ffn_key, ffn + "key.weight", layer.hidden, width);
    file.want_matrix(layer.ffn_value, ffn + "value.weight", width, layer.hidden);
  }
  read(file);
  count_layers();
}

void Model7::want_low_rank(WeightFile &file, LowRank &lora, const std::string &name) {
  lora.rank = file.dimension(name + "1", 1, limits::width);
  file.want_transposed(lora.down, name + "1", shape_.width, lora.rank);
  file.want_transposed(lora.up, name + "2", lora.rank, shape_.width);
}

void Model7::count_layers() {
  for (const Layer &l : layers_) {
    const Matrix *const matrices[] = {&l.receptance, &l.key,    &l.value,  &l.output, &l.w.down,  &l.w.up,    &l.a.down,
                                      &l.a.up,       &l.v.down, &l.v.up,   &l.g.down, &l.g.up,    &l.ffn_key, &l.ffn_value};
    count_work(matrices);
  }
}

Model7::LowRankRoom Model7::take_low_rank(Scratch &scratch, const LowRank &lora, size_t rows) const {
  return {scratch.take(rows * lora.rank), take_input(scratch, lora.down, rows), take_input(scratch, lora.up, rows)};
}

Model7::Room Model7::take_room(Scratch &scratch, size_t index, size_t rows) const {
  const Layer &layer = layers_[index];
  Room room{};
  for (float **const block : {&room.r, &room.w, &room.k, &room.v, &room.a, &room.g, &room.minus_kk, &room.b, &room.y,
                              &room.gate}) {
    *block = scratch.take(rows * shape_.width);
  }
  room.w_rank = take_low_rank(scratch, layer.w, rows);
  room.a_rank = take_low_rank(scratch, layer.a, rows);
  room.g_rank = take_low_rank(scratch, layer.g, rows);
  if (index > 0) room.v_rank = take_low_rank(scratch, layer.v, rows);
  room.input_r = take_input(scratch, layer.receptance, rows);
  room.input_k = take_input(scratch, layer.key, rows);
  room.input_v = take_input(scratch, layer.value, rows);
  room.input_y = take_input(scratch, layer.output, rows);
  return room;
}

Model7::ChannelRoom Model7::take_channels(Scratch &scratch, const Layer &layer, size_t rows) const {
  return {scratch.take(rows * shape_.width), scratch.take(rows * layer.hidden),
          take_input(scratch, layer.ffn_key, rows), take_input(scratch, layer.ffn_value, rows)};
}

size_t Model7::mix_floats(size_t index, size_t rows) const {
  Scratch time(nullptr), channels(nullptr);
  take_room(time, index, rows);
  take_channels(channels, layers_[index], rows);
  return std::max(time.used(), channels.used());
}

void Model7::project(size_t index, const MixInput &in, const Room &room) const {
  const Layer &layer = layers_[index];
  const size_t rows = in.wave.rows;
  const bool mixes_values = index > 0, own_input = layer.v.down.format != layer.value.format;
  // Blocks that the products below overwrite serve as room for the mixed rows.
  const MixedRows inputs[] = {{layer.x_r, &layer.receptance, room.r, room.input_r},
                              {layer.x_k, &layer.key, room.k, room.input_k},
                              {layer.x_v, &layer.value, room.v, room.input_v},
                              {layer.x_w, &layer.w.down, room.w, room.w_rank.input_down},
                              {layer.x_a, &layer.a.down, room.a, room.a_rank.input_down},
                              {layer.x_g, &layer.g.down, room.g, room.g_rank.input_down},
                              {layer.x_v, &layer.v.down, room.gate, room.v_rank.input_down}};
  prepare_mixed(in, std::span(inputs).first(mixes_values && own_input ? 7 : 6));

  ProductList down(ops_), up(ops_);
  down.add(room.r, room.input_r, layer.receptance, rows);
  down.add(room.k, room.input_k, layer.key, rows);
  down.add(room.v, room.input_v, layer.value, rows);
  down.add(room.w_rank.inner, room.w_rank.input_down, layer.w.down, rows, ops_.tanh);
  down.add(room.a_rank.inner, room.a_rank.input_down, layer.a.down, rows);
  down.add(room.g_rank.inner, room.g_rank.input_down, layer.g.down, rows, ops_.sigmoid);
  if (mixes_values) {
    down.add(room.v_rank.inner, own_input ? room.v_rank.input_down : room.input_v, layer.v.down, rows);
  }
  down.run(in.team);

  const auto lift = [&](float *out, const LowRank &lora, const LowRankRoom &at) {
    up.add(out, prepare(at.input_up, at.inner, lora.up, rows), lora.up, rows);
  };
  lift(room.w, layer.w, room.w_rank);
  lift(room.a, layer.a, room.a_rank);
  lift(room.g, layer.g, room.g_rank);
  if (mixes_values) lift(room.gate, layer.v, room.v_rank);
  up.run(in.team);
}

void Model7::recur(size_t index, const MixInput &in, const Room &at, const Heads &some) const {
  const Layer &layer = layers_[index];
  const size_t from = some.channel, width = some.width;
  each_row(in, some, [&](size_t i) {
    ops_.decay7(at.w + i, layer.w0 + from, 1, width);
    ops_.sigmoid_bias(at.a + i, layer.a0 + from, 1, width);
    if (index == 0) { // every later layer mixes this value in, token by token
      std::copy_n(at.v + i, width, in.wave.carried + i);
    } else {
      ops_.sigmoid_bias(at.gate + i, layer.v0 + from, 1, width);
      ops_.residual_value(at.v + i, in.wave.carried + i, at.gate + i, width);
    }
    ops_.keys7(at.k + i, at.minus_kk + i, at.b + i, at.a + i, layer.k_k + from, layer.k_a + from, 1, some.count,
               head_size);
  });
  each_state(index, in, some, [&](float *s, size_t i, size_t rows) {
    ops_.wkv7(s, at.y + i, at.r + i, at.w + i, at.k + i, at.v + i, at.minus_kk + i, at.b + i, rows, shape_.width,
              some.count, head_size);
  });
  each_row(in, some, [&](size_t i) {
    ops_.norm(at.y + i, at.y + i, layer.ln_x.weight + from, layer.ln_x.bias + from, 1, width, some.count,
              head_norm_epsilon);
    ops_.bonus7(at.y + i, at.r + i, at.k + i, at.v + i, layer.r_k + from, at.g + i, 1, some.count, head_size);
  });
}

void Model7::time_mix(size_t index, const MixInput &in, Scratch scratch) const {
  const Layer &layer = layers_[index];
  const size_t rows = in.wave.rows;
  const Room room = take_room(scratch, index, rows);
  project(index, in, room);
  share_heads(in, [&](const Heads &some) { recur(index, in, room, some); });
  add_product(in, room.r, prepare(room.input_y, room.y, layer.output, rows), layer.output);
}

void Model7::channel_mix(size_t index, const MixInput &in, Scratch scratch) const {
  const Layer &layer = layers_[index];
  const size_t rows = in.wave.rows;
  const ChannelRoom at = take_channels(scratch, layer, rows);
  const MixedRows inputs[] = {{layer.ffn_x_k, &layer.ffn_key, at.mixed, at.input_k}};
  prepare_mixed(in, inputs);
  ProductList list(ops_);
  list.add(at.inner, at.input_k, layer.ffn_key, rows, ops_.relu_squared);
  list.run(in.team);
  add_product(in, at.mixed, prepare(at.input_v, at.inner, layer.ffn_value, rows), layer.ffn_value);
}

} // namespace rwkv
