// The header is read front to back through the stream; long texts and arrays (a vocabulary) are passed over.
#include "gguf.h"

#include "failure.h"
#include "limits.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <unordered_map>
#include <unordered_set>

namespace rwkv {
namespace {

enum ValueType : uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, text, array, u64, i64, f64, value_type_count };
constexpr uint64_t scalar_bytes[value_type_count] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

// A scalar of the header, or a short text.
struct Value {
  ValueType type;
  uint64_t bits = 0; // whole numbers with sign extended
  std::string words;
};

struct TypeNumber {
  uint32_t number;
  Stored type;
};
constexpr TypeNumber read_types[] = {{0, Stored::f32},   {1, Stored::f16},   {30, Stored::bf16}, {8, Stored::q8_0},
                                     {14, Stored::q6_k}, {12, Stored::q4_k}, {2, Stored::q4_0},  {3, Stored::q4_1},
                                     {6, Stored::q5_0},  {7, Stored::q5_1},  {13, Stored::q5_k}};
struct OtherType {
  uint32_t number;
  const char *name;
};
constexpr OtherType other_types[] = {{9, "Q8_1"},     {10, "Q2_K"},   {11, "Q3_K"},    {15, "Q8_K"},  {16, "IQ2_XXS"},
                                     {17, "IQ2_XS"},  {18, "IQ3_XXS"}, {19, "IQ1_S"},  {20, "IQ4_NL"}, {21, "IQ3_S"},
                                     {22, "IQ2_S"},   {23, "IQ4_XS"}, {24, "I8"},      {25, "I16"},   {26, "I32"},
                                     {27, "I64"},     {28, "F64"},    {29, "IQ1_M"},   {34, "TQ1_0"}, {35, "TQ2_0"},
                                     {39, "MXFP4"},   {40, "NVFP4"},  {41, "Q1_0"}};

[[noreturn]] void refuse(const std::string &why) { fail(RWKV_FORMAT, why); }

class Header {
 public:
  explicit Header(WeightStream &stream) : stream_(stream) {}

  template <typename Number>
  Number number() {
    Number out;
    need(sizeof out);
    stream_.read(&out, sizeof out);
    return out;
  }
  std::string words(uint64_t bytes_max, const char *what) {
    const uint64_t bytes = number<uint64_t>();
    need(bytes);
    if (bytes > bytes_max) refuse(std::string("the header has a ") + what + " of " + std::to_string(bytes) + " bytes");
    std::string out(bytes, '\0');
    stream_.read(out.data(), bytes);
    return out;
  }
  void skip(uint64_t bytes) {
    need(bytes);
    stream_.skip(bytes);
  }
  Value value() {
    Value out{type(), 0, {}};
    if (out.type == array) {
      const ValueType of = type();
      if (of == array) refuse("the header has arrays of arrays");
      const uint64_t count = number<uint64_t>();
      need(count); // a byte for each, at the least
      if (of != text) skip(count * scalar_bytes[of]);
      else for (uint64_t i = 0; i < count; ++i) skip(number<uint64_t>());
    } else if (out.type == text) {
      out.words = words(limits::gguf_text_bytes, "text");
    } else {
      need(scalar_bytes[out.type]);
      stream_.read(&out.bits, scalar_bytes[out.type]); // little-endian: the rest stays 0
    }
    return out;
  }

 private:
  void need(uint64_t bytes) const {
    if (bytes > stream_.bytes() - stream_.at()) refuse("the file ends inside its header");
    if (bytes > limits::header_bytes - std::min(stream_.at(), limits::header_bytes)) refuse("the header is too long");
  }
  ValueType type() {
    const auto found = number<uint32_t>();
    if (found >= value_type_count) refuse("the header has the unknown value type " + std::to_string(found));
    return static_cast<ValueType>(found);
  }

  WeightStream &stream_;
};

using Values = std::unordered_map<std::string, Value>;

Values read_values(Header &header, uint64_t count) {
  Values values;
  for (uint64_t i = 0; i < count; ++i) {
    std::string key = header.words(limits::gguf_text_bytes, "key");
    Value value = header.value();
    if (values.contains(key)) refuse("the header has " + in_quotes(key) + " twice");
    values.emplace(std::move(key), std::move(value));
  }
  return values;
}

// A whole number that is not negative; 0 when it is not stated.
uint64_t whole(const Values &values, const std::string &key) {
  const auto found = values.find(key);
  if (found == values.end()) return 0;
  const Value &value = found->second;
  const bool is_signed = value.type == i8 || value.type == i16 || value.type == i32 || value.type == i64;
  const bool is_whole = is_signed || value.type == u8 || value.type == u16 || value.type == u32 || value.type == u64;
  const bool negative = is_signed && value.bits >> (8 * scalar_bytes[value.type] - 1) != 0;
  if (!is_whole || negative) refuse("the header's " + in_quotes(key) + " is not a whole number");
  return value.bits;
}

void read_model(Gguf &out, const Values &values) {
  const auto found = values.find("general.architecture");
  if (found == values.end() || found->second.type != text) refuse("the header does not name an architecture");
  const std::string &name = found->second.words;
  if (name == "rwkv7") out.architecture = GgufArchitecture::rwkv7;
  else if (name == "rwkv6") out.architecture = GgufArchitecture::rwkv6;
  else refuse("it is of architecture " + in_quotes(name) + "; rwkv7 and rwkv6 are read");
  const auto size = [&](const char *key) { return whole(values, name + "." + key); };
  out.embedding_length = size("embedding_length"), out.block_count = size("block_count");
  out.feed_forward_length = size("feed_forward_length"), out.rescale_every = size("rescale_every_n_layers");
  if (const uint64_t head = size("wkv.head_size"); head != 0 && head != 64) {
    refuse("it has heads of size " + std::to_string(head) + "; 64 is read");
  }
  if (const uint64_t shifts = size("token_shift_count"); shifts != 0 && shifts != 2) {
    refuse("it has " + std::to_string(shifts) + " token shifts in a layer; 2 are read");
  }
  if (const auto epsilon = values.find(name + ".attention.layer_norm_epsilon"); epsilon != values.end()) {
    const auto value = std::bit_cast<float>(static_cast<uint32_t>(epsilon->second.bits));
    const bool ours = epsilon->second.type == f32 && std::fabs(value - 1e-5f) < 1e-7f;
    if (!ours) refuse("its layer norms do not have epsilon 1e-5");
  }
}

Stored read_type(uint32_t number, const std::string &tensor) {
  for (const auto &[known, type] : read_types) {
    if (known == number) return type;
  }
  std::string name = "number " + std::to_string(number);
  for (const auto &[known, text] : other_types) {
    if (known == number) name = text;
  }
  refuse(tensor + " has type " + name + "; F32, F16, BF16, Q8_0, Q6_K, Q5_K, Q4_K, Q5_0, Q5_1, Q4_0 and Q4_1 are read");
}

TensorEntry read_entry(Header &header) {
  TensorEntry entry{header.words(limits::gguf_name_bytes, "name"), Stored::f32, {}, 1, 0, 0};
  const std::string tensor = "tensor " + in_quotes(entry.name);
  const auto dimensions = header.number<uint32_t>();
  if (dimensions > limits::dimension_count) refuse(tensor + " has " + std::to_string(dimensions) + " dimensions");
  for (uint32_t i = 0; i < dimensions; ++i) {
    const auto size = header.number<uint64_t>();
    entry.shape.insert(entry.shape.begin(), size); // the innermost comes first
    if (size == 0 || __builtin_mul_overflow(entry.element_count, size, &entry.element_count)) {
      refuse(tensor + " has an impossible shape");
    }
  }
  entry.type = read_type(header.number<uint32_t>(), tensor);
  entry.begin = header.number<uint64_t>();
  const StoredType &type = stored_type(entry.type);
  const uint64_t row = entry.shape.empty() ? 1 : entry.shape.back();
  if (row % type.columns != 0) {
    refuse(tensor + " has rows of " + std::to_string(row) + ", which are not whole blocks of " + type.name);
  }
  uint64_t bytes = 0;
  if (__builtin_mul_overflow(entry.element_count / type.columns, uint64_t{type.bytes}, &bytes) ||
      __builtin_add_overflow(entry.begin, bytes, &entry.end)) {
    refuse(tensor + " has an impossible shape");
  }
  return entry;
}

void check_places(std::vector<TensorEntry> &entries, uint64_t data_bytes, uint64_t alignment) {
  std::stable_sort(entries.begin(), entries.end(),
                   [](const TensorEntry &a, const TensorEntry &b) { return a.begin < b.begin; });
  uint64_t at = 0;
  for (const TensorEntry &entry : entries) {
    const std::string tensor = "tensor " + in_quotes(entry.name);
    if (entry.begin % alignment != 0) refuse(tensor + " is not aligned to " + std::to_string(alignment) + " bytes");
    if (entry.end > data_bytes) refuse(tensor + " reaches outside the file");
    if (entry.begin < at) refuse(tensor + " overlaps the one before it");
    at = entry.end;
  }
}

} // namespace

Gguf read_gguf_header(WeightStream &stream) {
  Header header(stream);
  header.skip(4); // the mark
  const auto version = header.number<uint32_t>();
  if (version != 2 && version != 3) {
    refuse((version & 0xffff) == 0 ? "it is big-endian"
                                   : "it is GGUF version " + std::to_string(version) + "; 2 and 3 are read");
  }
  const auto tensor_count = header.number<uint64_t>(), value_count = header.number<uint64_t>();
  if (tensor_count > limits::tensors) refuse("the header claims " + std::to_string(tensor_count) + " tensors");
  if (value_count > limits::gguf_values) refuse("the header claims " + std::to_string(value_count) + " key-values");
  const Values values = read_values(header, value_count);
  Gguf out{};
  read_model(out, values);
  uint64_t alignment = 32;
  if (values.contains("general.alignment")) alignment = whole(values, "general.alignment");
  if (!std::has_single_bit(alignment) || alignment > limits::gguf_alignment) {
    refuse("its alignment is " + std::to_string(alignment));
  }
  std::unordered_set<std::string> names;
  for (uint64_t i = 0; i < tensor_count; ++i) {
    out.tensors.push_back(read_entry(header));
    const std::string &name = out.tensors.back().name;
    if (!names.insert(name).second) refuse("tensor " + in_quotes(name) + " is there twice");
  }
  header.skip((alignment - stream.at() % alignment) % alignment);
  check_places(out.tensors, stream.bytes() - stream.at(), alignment);
  return out;
}

} // namespace rwkv
