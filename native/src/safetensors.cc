// The header is JSON: a flat list of tensors, in any order, that must fill the rest of the file.
#include "safetensors.h"

#include "failure.h"
#include "json_cursor.h"
#include "limits.h"

#include <algorithm>
#include <bit>
#include <unordered_set>

namespace rwkv {
namespace {

static_assert(std::endian::native == std::endian::little, "tensor bytes are little-endian");

Stored type_of(const std::string &name, const std::string &tensor) {
  for (const Stored type : {Stored::f32, Stored::f16, Stored::bf16}) {
    if (name == stored_type(type).name) return type;
  }
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
  TensorEntry entry{std::move(name), Stored::f32, {}, 1, 0, 0};
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
  entry.type = type_of(dtype, entry.name);
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
  if (__builtin_mul_overflow(entry.element_count, uint64_t{stored_type(entry.type).bytes}, &bytes) ||
      bytes != entry.end - entry.begin) {
    fail(RWKV_FORMAT, tensor + " has a shape that does not fit its data_offsets");
  }
  return entry;
}

} // namespace

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

std::vector<TensorEntry> read_safetensors_header(WeightStream &stream) {
  if (stream.bytes() < 8) fail(RWKV_FORMAT, "the file is too short for a safetensors header");
  uint64_t header_bytes = 0;
  stream.read(&header_bytes, 8);
  if (header_bytes > stream.bytes() - 8) fail(RWKV_FORMAT, "the header is longer than the file");
  if (header_bytes > limits::header_bytes) fail(RWKV_FORMAT, "the header is longer than the format allows");
  std::string header(header_bytes, '\0');
  stream.read(header.data(), header.size());
  return parse_safetensors_header(header, stream.bytes() - 8 - header_bytes);
}

} // namespace rwkv
