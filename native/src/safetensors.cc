#include "safetensors.h"

#include "failure.h"
#include "json_cursor.h"
#include "limits.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <numeric>
#include <unordered_set>

namespace rwkv {
namespace {

static_assert(std::endian::native == std::endian::little, "tensor bytes are little-endian");

Dtype dtype_of(const std::string &name, const std::string &tensor) {
  if (name == "F32") return Dtype::f32;
  if (name == "F16") return Dtype::f16;
  if (name == "BF16") return Dtype::bf16;
  fail(RWKV_FORMAT, "tensor " + in_quotes(tensor) + " has type " + in_quotes(name) + "; F32, F16 and BF16 are read");
}

std::vector<uint64_t> numbers(JsonCursor &json, size_t count_max) {
  std::vector<uint64_t> out;
  json.expect('[');
  if (json.take(']')) return out;
  do {
    if (out.size() == count_max) json.refuse("an array is too long");
    out.push_back(json.whole_number());
  } while (json.take(','));
  json.expect(']');
  return out;
}

void skip_metadata(JsonCursor &json) {
  json.expect('{');
  if (json.take('}')) return;
  do {
    json.string(), json.expect(':'), json.string();
  } while (json.take(','));
  json.expect('}');
}

TensorEntry tensor_entry(JsonCursor &json, std::string name, uint64_t data_bytes) {
  TensorEntry entry{std::move(name), Dtype::f32, {}, 1, 0, 0};
  std::string dtype;
  std::vector<uint64_t> offsets;
  std::vector<std::string> seen;
  json.expect('{');
  do {
    const std::string key = json.string();
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) json.refuse("a key is there twice");
    seen.push_back(key);
    json.expect(':');
    if (key == "dtype") dtype = json.string();
    else if (key == "shape") entry.shape = numbers(json, limits::dimension_count);
    else if (key == "data_offsets") offsets = numbers(json, 2);
    else json.refuse("a tensor has an unknown key");
  } while (json.take(','));
  json.expect('}');
  const std::string tensor = "tensor " + in_quotes(entry.name);
  if (seen.size() != 3 || offsets.size() != 2) fail(RWKV_FORMAT, tensor + " needs dtype, shape and data_offsets");
  entry.dtype = dtype_of(dtype, entry.name);
  entry.begin = offsets[0], entry.end = offsets[1];
  if (entry.begin > entry.end || entry.end > data_bytes) {
    fail(RWKV_FORMAT, tensor + " reaches outside the file");
  }
  uint64_t bytes = 0;
  for (const uint64_t size : entry.shape) {
    if (__builtin_mul_overflow(entry.element_count, size, &entry.element_count)) {
      fail(RWKV_FORMAT, tensor + " has an impossible shape");
    }
  }
  if (__builtin_mul_overflow(entry.element_count, uint64_t{element_bytes(entry.dtype)}, &bytes) ||
      bytes != entry.end - entry.begin) {
    fail(RWKV_FORMAT, tensor + " has a shape that does not fit its data_offsets");
  }
  return entry;
}

float from_half(uint16_t bits) {
  const uint32_t sign = uint32_t{bits} >> 15 << 31, exponent = bits >> 10 & 31, fraction = bits & 1023;
  if (exponent == 0) { // zero and subnormal: fraction · 2^-24, exact in fp32
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | sign);
  }
  const uint32_t wide = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

// True when one of the words has all bits of `exponent` set.
template <typename Word>
bool any_full(const void *numbers, size_t count, Word exponent) {
  bool full = false;
  for (size_t i = 0; i < count; ++i) {
    Word bits;
    std::memcpy(&bits, static_cast<const char *>(numbers) + i * sizeof bits, sizeof bits);
    full |= (bits & exponent) == exponent;
  }
  return full;
}

} // namespace

void widen(float *out, const void *numbers, size_t count, Dtype dtype) {
  if (dtype == Dtype::f32) {
    std::memcpy(out, numbers, count * 4);
    return;
  }
  for (size_t i = 0; i < count; ++i) {
    uint16_t bits;
    std::memcpy(&bits, static_cast<const char *>(numbers) + 2 * i, 2);
    out[i] = dtype == Dtype::f16 ? from_half(bits) : std::bit_cast<float>(uint32_t{bits} << 16);
  }
}

bool all_finite(const void *numbers, size_t count, Dtype dtype) {
  switch (dtype) {
    case Dtype::f32: return !any_full<uint32_t>(numbers, count, 0x7f800000);
    case Dtype::f16: return !any_full<uint16_t>(numbers, count, 0x7c00);
    default: return !any_full<uint16_t>(numbers, count, 0x7f80);
  }
}

std::vector<TensorEntry> parse_safetensors_header(std::string_view text, uint64_t data_bytes) {
  JsonCursor json(text);
  std::vector<TensorEntry> entries;
  std::unordered_set<std::string> names;
  json.expect('{');
  if (!json.take('}')) {
    do {
      std::string name = json.string();
      json.expect(':');
      if (!names.insert(name).second) fail(RWKV_FORMAT, "tensor " + in_quotes(name) + " is there twice");
      if (names.size() > limits::tensors) fail(RWKV_FORMAT, "there are too many tensors");
      if (name == "__metadata__") skip_metadata(json);
      else entries.push_back(tensor_entry(json, std::move(name), data_bytes));
    } while (json.take(','));
    json.expect('}');
  }
  json.expect_end();
  std::stable_sort(entries.begin(), entries.end(), [](const TensorEntry &a, const TensorEntry &b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
  });
  uint64_t at = 0;
  for (const TensorEntry &entry : entries) {
    if (entry.begin != at) {
      fail(RWKV_FORMAT, "tensor " + in_quotes(entry.name) + (entry.begin < at ? " overlaps" : " leaves a gap after") +
                            " the one before it");
    }
    at = entry.end;
  }
  if (at != data_bytes) fail(RWKV_FORMAT, "bytes follow the last tensor");
  return entries;
}

Safetensors::Safetensors(const std::string &path) {
  std::error_code problem;
  const auto status = std::filesystem::status(std::filesystem::path(path), problem);
  if (!std::filesystem::exists(status)) {
    fail(RWKV_FILE, problem && problem.value() != ENOENT ? problem.message() : "no such file");
  }
  if (!std::filesystem::is_regular_file(status)) fail(RWKV_FILE, "not a regular file");
  file_.reset(std::fopen(path.c_str(), "rb"));
  if (!file_) fail(RWKV_FILE, std::strerror(errno));
  const uint64_t file_bytes = std::filesystem::file_size(path, problem);
  if (problem) fail(RWKV_FILE, problem.message());

  if (file_bytes < 8) fail(RWKV_FORMAT, "the file is too short for a safetensors header");
  uint64_t header_bytes = 0;
  read(&header_bytes, 8);
  if (header_bytes > file_bytes - 8) fail(RWKV_FORMAT, "the header is longer than the file");
  if (header_bytes > limits::header_bytes) fail(RWKV_FORMAT, "the header is longer than the format allows");
  std::string header(header_bytes, '\0');
  read(header.data(), header.size());
  tensors_ = parse_safetensors_header(header, file_bytes - 8 - header_bytes);
}

void Safetensors::read(void *to, size_t bytes) {
  if (bytes == 0) return;
  errno = 0;
  if (std::fread(to, 1, bytes, file_.get()) != bytes) {
    fail(RWKV_FILE, std::ferror(file_.get()) ? std::strerror(errno) : "the file became shorter while it was read");
  }
  hash_.update(to, bytes);
}

std::array<uint8_t, 32> Safetensors::read_all(const Sink &sink) {
  std::vector<uint8_t> bytes(limits::read_bytes);
  for (size_t index = 0; index < tensors_.size(); ++index) {
    const TensorEntry &entry = tensors_[index];
    const size_t size = element_bytes(entry.dtype);
    for (uint64_t first = 0; first < entry.element_count;) {
      const size_t count = std::min<uint64_t>(entry.element_count - first, bytes.size() / size);
      read(bytes.data(), count * size);
      sink(index, first, bytes.data(), count);
      first += count;
    }
  }
  return hash_.finish();
}

} // namespace rwkv
