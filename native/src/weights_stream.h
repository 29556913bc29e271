// A file of tensors as a stream of bytes, read front to back once and hashed on the way, and the list of what is in it.
// Must not know containers, names and numbers.
#pragma once

#include "sha256.h"
#include "weights_types.h"

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rwkv {

struct TensorEntry {
  std::string name;
  Stored type;
  std::vector<uint64_t> shape; // outermost first
  uint64_t element_count;
  uint64_t begin, end; // bytes, from the start of the data
};

class WeightStream {
 public:
  explicit WeightStream(const std::string &path); // a regular file, else RWKV_FILE

  uint64_t bytes() const { return bytes_; } // of the file
  uint64_t at() const { return at_; }
  void read(void *to, size_t bytes); // the next ones; RWKV_FILE where there are none
  void skip(uint64_t bytes);         // the same, hashed and forgotten

  // Called with pieces of each tensor, in the order of `entries`, which follow each other in the file: `count` numbers
  // from index `first`, both multiples of 256 but at the end of the tensor. The piece may be changed.
  using Sink = std::function<void(size_t index, uint64_t first, uint8_t *blocks, size_t count)>;
  // All that follows. `entries` count from where the stream stands. The SHA-256 of the whole file.
  std::array<uint8_t, 32> read_tensors(const std::vector<TensorEntry> &entries, const Sink &sink);

 private:
  struct Close {
    void operator()(std::FILE *file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> file_;
  uint64_t bytes_ = 0, at_ = 0;
  Sha256 hash_;
};

} // namespace rwkv
