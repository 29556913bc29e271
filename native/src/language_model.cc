#include "language_model.h"

#include "failure.h"
#include "limits.h"

#include <cstring>

namespace rwkv {

LanguageModel::LanguageModel(uint32_t version, const WeightFile &file, const Ops &ops) : ops_(ops), layout_{} {
  shape_.version = version;
  shape_.vocab = static_cast<uint32_t>(file.dimension("emb.weight", 0, limits::vocab));
  shape_.width = static_cast<uint32_t>(file.dimension("emb.weight", 1, limits::width));
  shape_.layers = file.layer_count();
  if (shape_.width % head_size != 0) {
    fail(RWKV_FORMAT, "tensor \"emb.weight\" has width " + std::to_string(shape_.width) +
                          ", which is not a multiple of the head size 64");
  }
  layout_ = {shape_.width, head_size};
  shape_.state_floats = shape_.layers * layout_.layer_floats();
}

void LanguageModel::want_norm(WeightFile &file, NormWeights &norm, const std::string &name) const {
  file.want(norm.weight, name + ".weight", {shape_.width});
  file.want(norm.bias, name + ".bias", {shape_.width});
}

void LanguageModel::want_frame(WeightFile &file) {
  file.want(emb_, "emb.weight", {shape_.vocab, shape_.width});
  file.want(head_, "head.weight", {shape_.vocab, shape_.width});
  want_norm(file, ln0_, "blocks.0.ln0");
  want_norm(file, ln_out_, "ln_out");
  ln1_.resize(shape_.layers);
  ln2_.resize(shape_.layers);
  for (uint32_t layer = 0; layer < shape_.layers; ++layer) {
    const std::string block = "blocks." + std::to_string(layer) + ".";
    want_norm(file, ln1_[layer], block + "ln1");
    want_norm(file, ln2_[layer], block + "ln2");
  }
}

void LanguageModel::read(WeightFile &file) {
  block_ = file.read_all();
  shape_.weight_bytes = block_.count() * sizeof(float);
  shape_.hash = file.hash();
}

void LanguageModel::embed(uint32_t token, float *out) const {
  std::memcpy(out, emb_ + size_t{token} * shape_.width, shape_.width * sizeof(float));
}

size_t LanguageModel::scratch_floats(size_t rows) const {
  return 3 * whole_lines(rows * shape_.width) + mix_floats(rows);
}

void LanguageModel::shift(const Wave &wave, float *(LayerLayout::*previous)(float *, size_t) const,
                          size_t layer) const {
  const size_t width = shape_.width;
  for (const Span &span : wave.spans) {
    const size_t at = span.first_row * width;
    ops_.token_shift(wave.delta + at, (layout_.*previous)(span.memory, layer), wave.h + at, span.row_count, width);
  }
}

void LanguageModel::forward(float *x, size_t rows, std::span<const Span> spans, float *scratch) const {
  const size_t width = shape_.width;
  Scratch memory(scratch);
  float *const carried = memory.take(rows * width);
  const Wave wave{rows, spans, x, memory.take(rows * width), memory.take(rows * width)};
  const auto norm = [&](float *out, const NormWeights &weights) {
    ops_.norm(out, x, weights.weight, weights.bias, rows, width, 1, norm_epsilon);
  };
  norm(x, ln0_);
  for (size_t layer = 0; layer < shape_.layers; ++layer) {
    norm(wave.h, ln1_[layer]);
    shift(wave, &LayerLayout::att_prev, layer);
    time_mix(layer, wave, carried, memory);
    norm(wave.h, ln2_[layer]);
    shift(wave, &LayerLayout::ffn_prev, layer);
    channel_mix(layer, wave, memory);
  }
  norm(x, ln_out_);
}

void LanguageModel::logits(const float *x, size_t rows, float *out) const {
  ops_.matmul(out, x, head_, rows, shape_.width, shape_.vocab);
}

} // namespace rwkv
