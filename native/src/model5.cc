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
    hidden_max_ = std::max(hidden_max_, layer.ffn.hidden);
  }
  read(file);
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

size_t Model5::mix_floats(size_t rows) const {
  return 6 * whole_lines(rows * shape_.width) + whole_lines(rows * hidden_max_);
}

void Model5::time_mix(size_t index, const MixInput &in, Scratch scratch) const {
  const Layer &layer = layers_[index];
  const size_t rows = in.wave.rows, width = shape_.width, count = rows * width;
  const auto row_block = [&] { return scratch.take(count); };
  float *const mixed = row_block(), *const k = row_block(), *const v = row_block(), *const r = row_block();
  float *const g = row_block(), *const y = row_block();
  const auto project = [&](float *out, const float *mu, const Matrix &w) {
    ops_.mix(mixed, in.h, in.delta, mu, rows, width);
    product(out, mixed, w, rows, width, width, in.team);
  };
  project(k, layer.mu_k, layer.key);
  project(v, layer.mu_v, layer.value);
  project(r, layer.mu_r, layer.receptance);
  project(g, layer.mu_g, layer.gate);
  ops_.silu(g, count);
  recur(index, in, [&](float *s, size_t at, size_t channel, size_t head_count) {
    ops_.wkv6(s, y + at, r + at, layer.decay + channel, k + at, v + at, layer.bonus + channel, head_count, head_size);
  });
  ops_.norm(y, y, layer.ln_x.weight, layer.ln_x.bias, rows, width, heads(), head_norm_epsilon);
  ops_.multiply(y, g, count);
  product(mixed, y, layer.output, rows, width, width, in.team);
  ops_.add(in.wave.x, mixed, count);
}

void Model5::channel_mix(size_t index, const MixInput &in, Scratch scratch) const {
  mix_channels(layers_[index].ffn, in, scratch);
}

} // namespace rwkv
