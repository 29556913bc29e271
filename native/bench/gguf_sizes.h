// How many bytes of a GGUF file one decoded token has to read. Must not know the library.
#pragma once

#include <cstdint>
#include <string>

namespace bench {

// Bytes of all tensors but the embedding, of which a token reads one row. 0 when this is no GGUF file of known types.
uint64_t bytes_read_per_token(const std::string &path);

} // namespace bench
