#include "weights.h"

#include "failure.h"
#include "limits.h"

#include <charconv>
#include <cstring>

namespace rwkv {
namespace {

// Of VisualRWKV checkpoints: the language model, and the encoder that shortens a picture (spec 2.9).
constexpr std::string_view prefixes[] = {"rwkv.", "vtc."};

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

} // namespace

WeightFile::WeightFile(const std::string &path) : file_(path) {
  const auto &tensors = file_.tensors();
  plans_.resize(tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    std::string_view name = tensors[i].name;
    for (const std::string_view prefix : prefixes) {
      if (!name.starts_with(prefix)) continue;
      name.remove_prefix(prefix.size());
      break;
    }
    if (!by_name_.emplace(std::string(name), i).second) {
      refuse(std::string(name), "is there twice, with and without a prefix");
    }
  }
}

void WeightFile::refuse(const std::string &name, const std::string &why) const {
  fail(RWKV_FORMAT, "tensor " + in_quotes(name) + " " + why);
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
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) refuse(name, "is missing");
  const auto &shape = file_.tensors()[found->second].shape;
  if (shape.size() != 2) refuse(name, "has shape " + shape_text(shape) + "; a matrix is needed");
  if (shape[index] == 0 || shape[index] > at_most) {
    refuse(name, "has shape " + shape_text(shape) + ", out of range");
  }
  return shape[index];
}

WeightFile::Plan &WeightFile::claim(const std::string &name, const std::vector<uint64_t> &shape, bool as_stored) {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) refuse(name, "is missing");
  const TensorEntry &entry = file_.tensors()[found->second];
  if (squeezed(entry.shape) != squeezed(shape)) {
    refuse(name, "has shape " + shape_text(entry.shape) + "; " + shape_text(shape) + " is needed");
  }
  Plan &plan = plans_[found->second];
  plan.claimed = true;
  plan.as_stored = as_stored;
  plan.offset = float_count_;
  const uint64_t bytes = entry.element_count * element_bytes(as_stored ? entry.dtype : Dtype::f32);
  float_count_ += whole_lines((bytes + sizeof(float) - 1) / sizeof(float));
  return plan;
}

void WeightFile::want(const float *&target, const std::string &name, std::vector<uint64_t> shape) {
  claim(name, shape, false).vector = &target;
}

void WeightFile::want_matrix(Matrix &target, const std::string &name, uint64_t rows, uint64_t columns) {
  claim(name, {rows, columns}, true).matrices = &target;
}

void WeightFile::want_transposed(Matrix &target, const std::string &name, uint64_t rows, uint64_t columns) {
  Plan &plan = claim(name, {rows, columns}, false);
  plan.matrices = &target;
  plan.rows = rows, plan.columns = columns;
}

void WeightFile::want_transposed_each(Matrix *targets, const std::string &name, const std::vector<uint64_t> &shape) {
  Plan &plan = claim(name, shape, false);
  plan.matrices = targets, plan.matrix_count = shape[0];
  plan.rows = shape[1], plan.columns = shape[2];
}

void WeightFile::ignore(const std::string &name) {
  if (const auto found = by_name_.find(name); found != by_name_.end()) plans_[found->second].claimed = true;
}

Floats WeightFile::read_all() {
  const auto &tensors = file_.tensors();
  for (size_t i = 0; i < plans_.size(); ++i) {
    if (plans_[i].claimed) continue;
    const std::string &name = tensors[i].name;
    refuse(name, is_deep_embed(name) ? "belongs to the DeepEmbed architecture, which is not supported"
                                     : "is unknown");
  }
  Floats block(float_count_);
  widened_.resize(limits::read_bytes / element_bytes(Dtype::f16));
  hash_ = file_.read_all([&](size_t index, uint64_t first, const uint8_t *numbers, size_t count) {
    if (!all_finite(numbers, count, tensors[index].dtype)) {
      refuse(tensors[index].name, "holds a value that is not finite");
    }
    place(plans_[index], tensors[index].dtype, block.data(), first, numbers, count);
  });
  for (size_t index = 0; index < plans_.size(); ++index) {
    const Plan &plan = plans_[index];
    const float *const at = block.data() + plan.offset;
    if (plan.vector) *plan.vector = at;
    if (!plan.matrices) continue;
    const size_t share = tensors[index].element_count / plan.matrix_count;
    const Dtype dtype = plan.as_stored ? tensors[index].dtype : Dtype::f32;
    for (size_t i = 0; i < plan.matrix_count; ++i) plan.matrices[i] = {at + i * share, dtype};
  }
  return block;
}

void WeightFile::place(const Plan &plan, Dtype dtype, float *block, uint64_t first, const uint8_t *numbers,
                       size_t count) {
  if (!plan.vector && !plan.matrices) return;
  float *const to = block + plan.offset;
  if (plan.as_stored) {
    const size_t bytes = element_bytes(dtype);
    std::memcpy(reinterpret_cast<uint8_t *>(to) + first * bytes, numbers, count * bytes);
  } else if (plan.rows == 0) {
    widen(to + first, numbers, count, dtype);
  } else {
    widen(widened_.data(), numbers, count, dtype);
    const uint64_t matrix = plan.rows * plan.columns;
    for (size_t i = 0; i < count; ++i) {
      const uint64_t start = (first + i) / matrix * matrix, at = (first + i) % matrix;
      to[start + at % plan.columns * plan.rows + at / plan.columns] = widened_[i];
    }
  }
}

} // namespace rwkv
