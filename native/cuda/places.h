// Where the rows of a wave and its states lie on the device: the tables that make a recorded step serve other states.
// Plain data, the same for host and kernels.
#pragma once

#include <cstdint>

namespace rwkv::cuda {

// A row of a wave: the memory of its state, and the first and the last row of its span.
struct RowPlace {
  float *memory;
  uint32_t first, last;
};

// A span: consecutive rows of one state.
struct SpanPlace {
  float *memory;
  uint32_t first_row, row_count;
};

} // namespace rwkv::cuda
