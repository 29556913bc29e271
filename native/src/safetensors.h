// Reads the safetensors container: a checked list of tensors, then their bytes in file order, once.
// Trusts nothing: lengths and offsets are compared with the size of the file, in arithmetic that cannot
// overflow, before anything is allocated. Knows no model.
#pragma once

#include "matrix.h"
#include "sha256.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rwkv {

struct TensorEntry {
  std::string name;
  Dtype dtype;
  std::vector<uint64_t> shape;
  uint64_t element_count;
  uint64_t begin, end; // bytes, from the start of the data
};

// The entries in file order. They must fill `data_bytes` without gaps or overlaps, as the format demands.
std::vector<TensorEntry> parse_safetensors_header(std::string_view json, uint64_t data_bytes);

// Numbers of a file as fp32; exact.
void widen(float *out, const void *numbers, size_t count, Dtype dtype);
// No infinity and no NaN among them.
bool all_finite(const void *numbers, size_t count, Dtype dtype);

class Safetensors {
 public:
  // Opens a regular file and checks its header. RWKV_FILE or RWKV_FORMAT.
  explicit Safetensors(const std::string &path);

  const std::vector<TensorEntry> &tensors() const { return tensors_; }

  // Called with pieces of each tensor, in file order: `count` numbers in the type of the tensor, from index `first`.
  using Sink = std::function<void(size_t tensor_index, uint64_t first, const uint8_t *numbers, size_t count)>;
  // Once. Answers the SHA-256 of the whole file.
  std::array<uint8_t, 32> read_all(const Sink &sink);

 private:
  void read(void *to, size_t bytes);

  struct Close {
    void operator()(std::FILE *file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> file_;
  Sha256 hash_;
  std::vector<TensorEntry> tensors_;
};

} // namespace rwkv
