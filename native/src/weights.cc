// How tensors find their place: what was asked for decides format and room; the file is then read once, in its order.
#include "weights.h"

#include "failure.h"
#include "limits.h"
#include "quantise.h"
#include "safetensors.h"
#include "tiles.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

namespace rwkv {
namespace {

constexpr uint32_t bits_of[format_count] = {32, 16, 16, 8, 6, 4};
constexpr const char *format_names[format_count] = {"f32", "f16", "bf16", "q8", "q6", "q4"};
uint32_t bits(Format format) { return bits_of[static_cast<size_t>(format)]; }

std::string shape_text(const std::vector<uint64_t> &shape) {
  std::string out = "[";
  for (const uint64_t size : shape) out += (out.size() > 1 ? ", " : "") + std::to_string(size);
  return out + "]";
}

// [1, 1, D] and [D] are the same vector.
std::vector<uint64_t> squeezed(std::vector<uint64_t> shape) {
  while (shape.size() > 1 && shape.front() == 1) shape.erase(shape.begin());
  return shape;
}

bool is_deep_embed(const std::string &name) {
  return name.find(".ffn.s_emb") != std::string::npos || name.find(".ffn.s0") != std::string::npos ||
         name.find(".ffn.s1") != std::string::npos || name.find(".ffn.s2") != std::string::npos;
}

bool is_gguf(const std::string &path) {
  char mark[4] = {};
  WeightStream stream(path);
  if (stream.bytes() < sizeof mark) return false;
  stream.read(mark, sizeof mark);
  return std::memcmp(mark, "GGUF", sizeof mark) == 0;
}

} // namespace

WeightFile::WeightFile(const std::string &path, std::optional<Format> asked) : stream_(path), asked_(asked) {
  if (is_gguf(path)) {
    Gguf file = read_gguf_header(stream_);
    tensors_ = official_names(file);
    entries_ = std::move(file.tensors);
  } else {
    entries_ = read_safetensors_header(stream_);
    tensors_ = official_names(entries_);
  }
  plans_.resize(tensors_.size());
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const std::string &name = tensors_[i].name;
    if (!by_name_.emplace(name, i).second) refuse(name, "is there twice, under two names");
  }
}

void WeightFile::refuse(const std::string &name, const std::string &why) const {
  fail(RWKV_FORMAT, "tensor " + in_quotes(name) + " " + why);
}

const NamedTensor &WeightFile::find(const std::string &name) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) refuse(name, "is missing");
  return tensors_[found->second];
}

uint32_t WeightFile::layer_count() const {
  uint32_t count = 0;
  for (const auto &[name, index] : by_name_) {
    constexpr std::string_view start = "blocks.";
    if (!name.starts_with(start)) continue;
    uint32_t layer = 0;
    const char *digits = name.data() + start.size(), *end = name.data() + name.size();
    const auto [stop, problem] = std::from_chars(digits, end, layer);
    if (problem != std::errc() || stop == end || *stop != '.' || layer >= limits::layers) {
      refuse(name, "names an impossible layer");
    }
    count = std::max(count, layer + 1);
  }
  return count;
}

uint64_t WeightFile::dimension(const std::string &name, size_t index, uint64_t at_most) const {
  const auto &shape = find(name).shape;
  if (shape.size() != 2) refuse(name, "has shape " + shape_text(shape) + "; a matrix is needed");
  if (shape[index] == 0 || shape[index] > at_most) {
    refuse(name, "has shape " + shape_text(shape) + ", out of range");
  }
  return shape[index];
}

WeightFile::Plan &WeightFile::claim(const std::string &name, const std::vector<uint64_t> &shape) {
  const NamedTensor &tensor = find(name);
  if (squeezed(tensor.shape) != squeezed(shape)) {
    refuse(name, "has shape " + shape_text(tensor.shape) + "; " + shape_text(shape) + " is needed");
  }
  Plan &plan = plans_[static_cast<size_t>(&tensor - tensors_.data())];
  plan.claimed = true;
  return plan;
}

void WeightFile::take_room(Plan &plan, uint64_t bytes) {
  plan.offset = byte_count_;
  byte_count_ += (bytes + 63) / 64 * 64;
}

void WeightFile::want(const float *&target, const std::string &name, std::vector<uint64_t> shape) {
  Plan &plan = claim(name, shape);
  plan.vector = &target;
  take_room(plan, find(name).element_count * sizeof(float));
}

Format WeightFile::format_of(const NamedTensor &tensor, uint64_t columns) const {
  const Format own = stored_type(type_of(tensor)).held;
  if (!asked_ || bits(own) < bits(*asked_)) return own;
  Format to = *asked_;
  if (tensor.name == "emb.weight") {
    if (bits(to) > 8 || bits(own) <= 8) return own;
    to = Format::q8;
  }
  if (tensor.name == "head.weight" && to == Format::q4 && own != Format::q4) to = Format::q6;
  if ((to == Format::q4 || to == Format::q6) && columns % row_block(to).columns != 0) to = Format::q8;
  if (bits(own) <= bits(to) && bits(to) < 16) return own;
  return columns % row_block(to).columns == 0 ? to : own;
}

void WeightFile::want_matrix(Matrix &target, const std::string &name, uint64_t rows, uint64_t columns) {
  Plan &plan = claim(name, {rows, columns});
  const NamedTensor &tensor = find(name);
  plan.matrices = &target;
  plan.rows = rows, plan.columns = columns;
  plan.format = format_of(tensor, columns);
  if (plan.format != stored_type(type_of(tensor)).held) changes_format_ = true;
  take_room(plan, plan.matrix_bytes());
}

void WeightFile::want_turned(Matrix *targets, const std::string &name, const std::vector<uint64_t> &shape) {
  Plan &plan = claim(name, shape);
  const NamedTensor &tensor = find(name);
  plan.matrices = targets;
  plan.matrix_count = shape.size() == 3 ? shape[0] : 1;
  plan.rows = shape.back(), plan.columns = shape[shape.size() - 2];
  plan.format = stored_type(type_of(tensor)).held;
  plan.by_column = !tensor.turned; // then numbers are plain: only GGUF has blocks, and there all are turned
  if (plan.columns % stored_type(type_of(tensor)).columns != 0) { // one dimension less than it should have
    refuse(name, "has blocks of " + std::string(stored_type(type_of(tensor)).name) + " that reach across rows");
  }
  take_room(plan, plan.matrix_count * plan.matrix_bytes());
}

void WeightFile::want_transposed(Matrix &target, const std::string &name, uint64_t rows, uint64_t columns) {
  want_turned(&target, name, {rows, columns});
}

void WeightFile::want_transposed_each(Matrix *targets, const std::string &name, const std::vector<uint64_t> &shape) {
  want_turned(targets, name, shape);
}

void WeightFile::ignore(const std::string &name) {
  if (const auto found = by_name_.find(name); found != by_name_.end()) plans_[found->second].claimed = true;
}

void WeightFile::refuse_unclaimed() const {
  for (size_t i = 0; i < plans_.size(); ++i) {
    if (plans_[i].claimed) continue;
    const std::string &name = entries_[tensors_[i].entry].name;
    refuse(name, is_deep_embed(name) ? "belongs to the DeepEmbed architecture, which is not supported" : "is unknown");
  }
}

Pages WeightFile::read_all() {
  refuse_unclaimed();
  Pages block(byte_count_);
  widened_.resize(limits::quantised_numbers), blocks_.resize(limits::quantised_numbers * sizeof(float));
  for (const Plan &plan : plans_) {
    if (!plan.matrices) continue;
    for (size_t i = 0; i < plan.matrix_count; ++i) {
      uint8_t *const tiles = block.data() + plan.offset + i * plan.matrix_bytes();
      clear_tiles(tiles, plan.format, plan.rows, plan.columns);
      plan.matrices[i] = {tiles, plan.format, plan.rows, plan.columns};
    }
  }
  size_t from = 0; // the first tensor of the entry
  hash_ = stream_.read_tensors(entries_, [&](size_t entry, uint64_t first, uint8_t *blocks, size_t count) {
    const Stored type = entries_[entry].type;
    const StoredType &layout = stored_type(type);
    if (!all_finite(blocks, count, type)) refuse(entries_[entry].name, "holds a value that is not finite");
    while (tensors_[from].entry < entry) ++from;
    for (size_t i = from; i < tensors_.size() && tensors_[i].entry == entry; ++i) {
      const NamedTensor &tensor = tensors_[i];
      const uint64_t low = std::max(first, tensor.first);
      const uint64_t high = std::min(first + count, tensor.first + tensor.element_count);
      if (low >= high) continue;
      uint8_t *const at = blocks + (low - first) / layout.columns * layout.bytes;
      if (tensor.power > 0 && !scale_by_power(at, high - low, type, tensor.power)) {
        refuse(entries_[entry].name, "holds a value that is not finite");
      }
      place(i, block.data(), {low - tensor.first, at, high - low, type});
    }
  });
  for (const Plan &plan : plans_) {
    if (plan.vector) *plan.vector = reinterpret_cast<const float *>(block.data() + plan.offset);
  }
  if (changes_format_) {
    Sha256 named;
    named.update(hash_.data(), hash_.size());
    const char *const name = format_names[static_cast<size_t>(*asked_)];
    named.update(name, std::strlen(name));
    hash_ = named.finish();
  }
  return block;
}

void WeightFile::place(size_t index, uint8_t *block, const Piece &piece) {
  const Plan &plan = plans_[index];
  uint8_t *const to = block + plan.offset;
  if (plan.vector) widen(reinterpret_cast<float *>(to) + piece.first, piece.blocks, piece.count, piece.type);
  if (!plan.matrices) return;
  const uint64_t matrix = plan.rows * plan.columns;
  const uint64_t line = plan.by_column ? plan.rows : plan.columns; // numbers that stand together in the file
  const StoredType &layout = stored_type(piece.type);
  for (size_t done = 0; done < piece.count;) {
    const uint64_t at = piece.first + done, inside = at % matrix, start = inside % line;
    const size_t count = std::min<uint64_t>(piece.count - done, line - start);
    const Piece part{0, piece.blocks + done / layout.columns * layout.bytes, count, piece.type};
    uint8_t *const tiles = to + at / matrix * plan.matrix_bytes();
    if (plan.by_column) {
      put_column(tiles, plan.format, plan.rows, plan.columns, inside / line, part.blocks, start, count);
    } else {
      place_rows(plan, tensors_[index], tiles, inside / line, start, part);
    }
    done += count;
  }
}

// Part of one row, from `column` on.
void WeightFile::place_rows(const Plan &plan, const NamedTensor &tensor, uint8_t *tiles, uint64_t row, uint64_t column,
                            const Piece &piece) {
  const StoredType &layout = stored_type(piece.type);
  const auto put = [&](const uint8_t *blocks, size_t done, size_t count) {
    put_row(tiles, plan.format, plan.rows, plan.columns, row, blocks, column + done, count);
  };
  const bool as_stored = piece.type <= Stored::q4_k && plan.format == layout.held;
  if (as_stored) return put(piece.blocks, 0, piece.count);
  for (size_t done = 0; done < piece.count;) {
    const size_t count = std::min<size_t>(piece.count - done, limits::quantised_numbers);
    const uint8_t *const from = piece.blocks + done / layout.columns * layout.bytes;
    if (plan.format == layout.held) {
      hold(blocks_.data(), from, count, piece.type);
    } else {
      constexpr float largest_half = 65504.0f;
      widen(widened_.data(), from, count, piece.type);
      const bool fits = std::all_of(widened_.begin(), widened_.begin() + static_cast<ptrdiff_t>(count),
                                    [](float value) { return std::fabs(value) <= largest_half; });
      const std::string format = format_names[static_cast<size_t>(plan.format)];
      if (!fits) refuse(tensor.name, "holds a value too large for " + format);
      quantise(blocks_.data(), plan.format, widened_.data(), count);
    }
    put(blocks_.data(), done, count);
    done += count;
  }
}

} // namespace rwkv
