// From the tensors of a file to the official names of RWKV: prefixes off, fused mixes taken apart, and of GGUF the
// names and shapes that llama.cpp gives them. Must not know bytes.
#pragma once

#include "gguf.h"

namespace rwkv {

// A tensor by its official name and shape: all of a stored one, or a part of it.
struct NamedTensor {
  std::string name;
  std::vector<uint64_t> shape;
  size_t entry;           // index of the stored one
  uint64_t first = 0;     // its numbers there
  uint64_t element_count; // blocks are never cut
  bool turned = false;    // stored with its last two dimensions exchanged
  int power = 0;          // stored divided by 2^power
};

// In the order of the entries. Names that are not known stay as they are.
std::vector<NamedTensor> official_names(const std::vector<TensorEntry> &entries);
// The same for GGUF, where unknown names are refused; also compares the sizes that the header states with the tensors.
std::vector<NamedTensor> official_names(const Gguf &file);

} // namespace rwkv
