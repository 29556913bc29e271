#include "language_model.h"

#include "failure.h"
#include "limits.h"

namespace rwkv {

LanguageModel::LanguageModel(uint32_t version, const WeightFile &file, const Ops &ops) : ops_(ops), layout_{} {
  const std::string square = "blocks.0.att.receptance.weight"; // [D][D] in every generation
  shape_.version = version;
  if (file.has("emb.weight") || file.has("head.weight")) {
    shape_.vocab = static_cast<uint32_t>(file.dimension("emb.weight", 0, limits::vocab));
  }
  shape_.width = static_cast<uint32_t>(file.dimension(square, 1, limits::width));
  shape_.layers = file.layer_count();
  if (shape_.width % head_size != 0) {
    fail(RWKV_FORMAT, "tensor " + in_quotes(square) + " has width " + std::to_string(shape_.width) +
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
  if (shape_.vocab > 0) {
    file.want_matrix(emb_, "emb.weight", shape_.vocab, shape_.width);
    file.want_matrix(head_, "head.weight", shape_.vocab, shape_.width);
  }
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
  const size_t row_bytes = shape_.width * element_bytes(emb_.dtype);
  widen(out, static_cast<const char *>(emb_.data) + token * row_bytes, shape_.width, emb_.dtype);
}

size_t LanguageModel::scratch_floats(size_t rows) const {
  return 2 * whole_lines(rows * shape_.width) + mix_floats(rows);
}

void LanguageModel::shift(const MixInput &in, float *(LayerLayout::*previous)(float *, size_t) const,
                          size_t layer) const {
  const size_t width = shape_.width;
  for (const Span &span : in.wave.spans) {
    const size_t at = span.first_row * width;
    ops_.token_shift(in.delta + at, (layout_.*previous)(span.memory, layer), in.h + at, span.row_count, width);
  }
}

void LanguageModel::begin(float *x, size_t rows) const {
  ops_.norm(x, x, ln0_.weight, ln0_.bias, rows, shape_.width, 1, norm_epsilon);
}

void LanguageModel::layer(size_t index, const Wave &wave, float *scratch, const Team &team) const {
  const size_t width = shape_.width;
  Scratch memory(scratch);
  const MixInput in{wave, memory.take(wave.rows * width), memory.take(wave.rows * width), team};
  const auto norm = [&](const NormWeights &weights) {
    ops_.norm(in.h, wave.x, weights.weight, weights.bias, wave.rows, width, 1, norm_epsilon);
  };
  norm(ln1_[index]);
  shift(in, &LayerLayout::att_prev, index);
  time_mix(index, in, memory);
  norm(ln2_[index]);
  shift(in, &LayerLayout::ffn_prev, index);
  channel_mix(index, in, memory);
}

void LanguageModel::finish(float *x, size_t rows) const {
  ops_.norm(x, x, ln_out_.weight, ln_out_.bias, rows, shape_.width, 1, norm_epsilon);
}

void LanguageModel::logits(const float *x, size_t rows, float *out, const Team &team) const {
  product(out, x, head_, rows, shape_.width, shape_.vocab, team);
}

} // namespace rwkv
