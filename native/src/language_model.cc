#include "language_model.h"

#include "failure.h"
#include "limits.h"
#include "tiles.h"

#include <algorithm>
#include <cstddef>

namespace rwkv {
namespace {

uint32_t target_of(const Ops &ops) {
  constexpr std::pair<std::string_view, uint32_t> targets[] = {
      {"plain", RWKV_TARGET_PLAIN}, {"avx2", RWKV_TARGET_AVX2}, {"avx512", RWKV_TARGET_AVX512},
      {"vnni", RWKV_TARGET_VNNI},   {"amx", RWKV_TARGET_AMX},   {"neon", RWKV_TARGET_NEON}};
  for (const auto &[name, target] : targets) {
    if (name == ops.name) return target;
  }
  fail(RWKV_INTERNAL, std::string("Cannot tell the target: ") + ops.name + " has no number");
}

} // namespace

LanguageModel::LanguageModel(uint32_t version, const WeightFile &file, const Ops &ops) : ops_(ops), layout_{} {
  const std::string square = "blocks.0.att.receptance.weight"; // [D][D] in every generation
  shape_.version = version;
  shape_.target = target_of(ops);
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
  shape_.weight_bytes = block_.bytes();
  shape_.hash = file.hash();
}

void LanguageModel::count_work(std::span<const Matrix *const> matrices) {
  for (const Matrix *const w : matrices) shape_.row_work += uint64_t{w->rows} * w->columns;
}

void LanguageModel::embed(uint32_t token, float *out) const { read_row(out, emb_, token); }

size_t LanguageModel::scratch_floats(size_t rows) const {
  size_t most = 0;
  for (size_t index = 0; index < shape_.layers; ++index) most = std::max(most, mix_floats(index, rows));
  return 2 * whole_lines(rows * shape_.width) + most;
}

void LanguageModel::prepare_mixed(const MixInput &in, std::span<const MixedRows> all) const {
  const size_t rows = in.wave.rows, width = shape_.width;
  constexpr uint64_t work_per_number = 16; // memory is what it costs
  in.team.share(all.size(), 1, work_per_number * all.size() * rows * width, [&](size_t first, size_t last) {
    for (const MixedRows &one : all.subspan(first, last - first)) {
      ops_.mix(one.mixed, in.h, in.delta, one.mu, rows, width);
      if (one.moved) {
        ops_.multiply(one.moved, in.delta, rows * width);
        ops_.add(one.mixed, one.moved, rows * width);
      }
      prepare(one.input, one.mixed, *one.w, rows);
    }
  });
}

void LanguageModel::add_product(const MixInput &in, float *out, const void *input, const Matrix &w) const {
  ProductList list(ops_);
  list.add(out, input, w, in.wave.rows);
  list.run(in.team);
  ops_.add(in.wave.x, out, in.wave.rows * w.rows);
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

// The prepared rows lie on the stack, because a step allocates nothing and many threads may ask at once; as many rows at
// a time as fit. One always does: no format takes more than fp32, but for padding.
void LanguageModel::logits(const float *x, size_t rows, float *out, const Team &team) const {
  alignas(64) std::byte input[limits::logit_input_bytes];
  const size_t width = shape_.width, vocab = shape_.vocab;
  for (size_t done = 0, count = 0; done < rows; done += count) {
    count = rows - done;
    while (count > 1 && ops_.products.input_bytes(head_.format, count, width) > sizeof input) count = (count + 1) / 2;
    if (ops_.products.input_bytes(head_.format, count, width) > sizeof input) {
      fail(RWKV_INTERNAL, "Cannot compute logits: one row is wider than its room");
    }
    ProductList list(ops_);
    list.add(out + done * vocab, prepare(input, x + done * width, head_, count), head_, count);
    list.run(team);
  }
}

} // namespace rwkv
