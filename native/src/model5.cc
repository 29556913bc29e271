// The maths, one token: as RWKV-6, but mixes and decay do not depend on the token. The file tells how much of the
// current token goes in (m) and the decay as log(−log w); held are 1 − m and w.
#include "model5.h"

#include "failure.h"
#include "limits.h"

#include <algorithm>

namespace rwkv {

Model5::Model5(WeightFile &file, const Ops &ops) : GatedModel(5, file, ops) {
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
    file.want(layer.decay, att + "time_decay", {heads(), head_size}); // first: it tells 5.2 from those before
    file.want(layer.bonus, att + "time_faaaa", {heads(), head_size});
    vector(layer.mu_k, att + "time_mix_k"), vector(layer.mu_v, att + "time_mix_v");
    vector(layer.mu_r, att + "time_mix_r"), vector(layer.mu_g, att + "time_mix_g");
    square(layer.receptance, att + "receptance.weight"), square(layer.key, att + "key.weight");
    square(layer.value, att + "value.weight"), square(layer.gate, att + "gate.weight");
    square(layer.output, att + "output.weight");
    want_norm(file, layer.ln_x, att + "ln_x");
    vector(layer.ffn.mu_k, ffn + "time_mix_k"), vector(layer.ffn.mu_r, ffn + "time_mix_r");
    want_ffn(file, layer.ffn, ffn);
  }
  read(file);
  for (const Layer &l : layers_) {
    const Matrix *const matrices[] = {&l.receptance, &l.key,       &l.value,     &l.gate,
                                      &l.output,     &l.ffn.key, &l.ffn.value, &l.ffn.receptance};
    count_work(matrices);
  }
  derive();
}

void Model5::derive() {
  const size_t width = shape_.width;
  derived_ = Floats(layers_.size() * 7 * width); // width is a multiple of 64
  float *next = derived_.data();
  for (Layer &layer : layers_) {
    for (const float **mu : {&layer.mu_k, &layer.mu_v, &layer.mu_r, &layer.mu_g, &layer.ffn.mu_k, &layer.ffn.mu_r}) {
      for (size_t i = 0; i < width; ++i) next[i] = 1.0f - (*mu)[i];
      *mu = next, next += width;
    }
    ops_.decay6(next, layer.decay, 1, width);
    layer.decay = next, next += width;
  }
  shape_.weight_bytes += derived_.count() * sizeof(float);
}

Model5::Room Model5::take_room(Scratch &scratch, const Layer &layer, size_t rows) const {
  return {take_recurrence(scratch, rows * shape_.width),
          take_input(scratch, layer.key, rows),
          take_input(scratch, layer.value, rows),
          take_input(scratch, layer.receptance, rows),
          take_input(scratch, layer.gate, rows),
          take_input(scratch, layer.output, rows)};
}

size_t Model5::mix_floats(size_t index, size_t rows) const {
  Scratch count(nullptr);
  take_room(count, layers_[index], rows);
  return std::max(count.used(), channel_floats(layers_[index].ffn, rows));
}

void Model5::time_mix(size_t index, const MixInput &in, Scratch scratch) const {
  const Layer &layer = layers_[index];
  const size_t rows = in.wave.rows;
  const Room room = take_room(scratch, layer, rows);
  const Recurrence &at = room.at;
  const MixedRows inputs[] = {{layer.mu_k, &layer.key, at.k, room.input_k},
                              {layer.mu_v, &layer.value, at.v, room.input_v},
                              {layer.mu_r, &layer.receptance, at.r, room.input_r},
                              {layer.mu_g, &layer.gate, at.g, room.input_g}};
  prepare_mixed(in, inputs);
  ProductList list(ops_);
  list.add(at.k, room.input_k, layer.key, rows);
  list.add(at.v, room.input_v, layer.value, rows);
  list.add(at.r, room.input_r, layer.receptance, rows);
  list.add(at.g, room.input_g, layer.gate, rows, ops_.silu);
  list.run(in.team);
  share_heads(in, [&](const Heads &some) {
    each_row(in, some, [&](size_t i) { std::copy_n(layer.decay + some.channel, some.width, at.w + i); });
    recur(index, in, some, at, layer.bonus, layer.ln_x);
  });
  add_product(in, at.r, prepare(room.input_y, at.y, layer.output, rows), layer.output);
}

void Model5::channel_mix(size_t index, const MixInput &in, Scratch scratch) const {
  mix_channels(layers_[index].ffn, in, scratch);
}

} // namespace rwkv
