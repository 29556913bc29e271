// Reads the header of a GGUF file (versions 2 and 3): a checked list of tensors and what the header says of the model.
// Trusts nothing: every length is compared with what is left of the file before it is used. Must not know the names of
// weights.
#pragma once

#include "weights_stream.h"

namespace rwkv {

enum class GgufArchitecture : uint8_t { rwkv6, rwkv7 };

struct Gguf {
  std::vector<TensorEntry> tensors; // in file order, without overlaps; there may be gaps
  GgufArchitecture architecture;
  // 0: not stated.
  uint64_t embedding_length = 0, block_count = 0, feed_forward_length = 0, rescale_every = 0;
};

// From the beginning of a file; the stream stands where the data begins then.
Gguf read_gguf_header(WeightStream &stream);

} // namespace rwkv
