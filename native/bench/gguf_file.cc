// See gguf_file.h. Little-endian machines only, as the library is.
#include "gguf_file.h"

#include <cstring>

namespace bench {

namespace {

constexpr uint64_t alignment = 32;
constexpr uint32_t magic = 0x46554747, version = 3; // "GGUF"
// Value types of metadata.
constexpr uint32_t type_u32 = 4, type_i32 = 5, type_f32 = 6, type_bool = 7, type_text = 8, type_array = 9;

uint64_t aligned(uint64_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

} // namespace

uint64_t tensor_bytes(TensorType type, uint64_t count) {
  switch (type) {
    case TensorType::f32: return count * 4;
    case TensorType::f16:
    case TensorType::bf16: return count * 2;
    case TensorType::q8_0: return count / 32 * 34;
    case TensorType::q4_k: return count / 256 * 144;
    case TensorType::q6_k: return count / 256 * 210;
  }
  return 0;
}

uint64_t Tensor::count() const {
  uint64_t product = 1;
  for (uint64_t dimension : dimensions) product *= dimension;
  return product;
}

GgufFile::GgufFile(const std::string &path) : file_(std::fopen(path.c_str(), "wb")), good_(file_ != nullptr) {}

GgufFile::~GgufFile() { close(); }

template <typename T> void GgufFile::number(T value) {
  const size_t at = metadata_.size();
  metadata_.resize(at + sizeof value);
  std::memcpy(&metadata_[at], &value, sizeof value);
}

void GgufFile::text(const std::string &value) {
  number<uint64_t>(value.size());
  metadata_.insert(metadata_.end(), value.begin(), value.end());
}

void GgufFile::key(const std::string &name, uint32_t type) {
  text(name);
  number(type);
  pairs_++;
}

void GgufFile::put(const std::string &name, const std::string &value) {
  key(name, type_text);
  text(value);
}

void GgufFile::put(const std::string &name, uint32_t value) {
  key(name, type_u32);
  number(value);
}

void GgufFile::put(const std::string &name, float value) {
  key(name, type_f32);
  number(value);
}

void GgufFile::put(const std::string &name, bool value) {
  key(name, type_bool);
  number<uint8_t>(value ? 1 : 0);
}

void GgufFile::put(const std::string &name, const std::vector<std::string> &values) {
  key(name, type_array);
  number(type_text);
  number<uint64_t>(values.size());
  for (const std::string &value : values) text(value);
}

void GgufFile::put(const std::string &name, const std::vector<int32_t> &values) {
  key(name, type_array);
  number(type_i32);
  number<uint64_t>(values.size());
  for (int32_t value : values) number(value);
}

void GgufFile::begin(const std::vector<Tensor> &tensors) {
  std::vector<uint8_t> pairs;
  pairs.swap(metadata_);
  number(magic);
  number(version);
  number<uint64_t>(tensors.size());
  number<uint64_t>(pairs_);
  metadata_.insert(metadata_.end(), pairs.begin(), pairs.end());
  uint64_t offset = 0;
  for (const Tensor &tensor : tensors) {
    text(tensor.name);
    number(static_cast<uint32_t>(tensor.dimensions.size()));
    for (uint64_t dimension : tensor.dimensions) number(dimension);
    number(static_cast<uint32_t>(tensor.type));
    number(offset);
    offset += aligned(tensor.bytes());
  }
  data(metadata_.data(), metadata_.size());
  end_tensor();
}

void GgufFile::data(const void *bytes, size_t count) {
  good_ = good_ && std::fwrite(bytes, 1, count, file_) == count;
  position_ += count;
}

void GgufFile::end_tensor() {
  const uint8_t zeros[alignment] = {};
  data(zeros, aligned(position_) - position_);
}

bool GgufFile::close() {
  if (file_ && std::fclose(file_) != 0) good_ = false;
  file_ = nullptr;
  return good_;
}

} // namespace bench
