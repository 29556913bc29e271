// Reads the header of the safetensors container: a checked list of tensors. Trusts nothing: lengths and offsets are
// compared with the size of the file, in arithmetic that cannot overflow, before anything is allocated.
// Knows no model.
#pragma once

#include "weights_stream.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace rwkv {

// The entries in file order. They must fill `data_bytes` without gaps or overlaps, as the format demands.
std::vector<TensorEntry> parse_safetensors_header(std::string_view json, uint64_t data_bytes);
// From the beginning of a file; the stream stands behind the header then.
std::vector<TensorEntry> read_safetensors_header(WeightStream &stream);

} // namespace rwkv
