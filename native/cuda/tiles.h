// Matrices as the device holds them. Tiles of 16 rows as in src/matrix.h, with two changes, made on the way to the device:
// every format is padded to whole blocks of 32 columns, so that kernels have no edge in a row; and f16 is held in pairs
// of columns like bf16, so that a thread gets two neighbours of a row in one word. Tiles suit a GPU as they suit
// vectors: 16 rows are the height of a tensor-core product, and a warp reads 16 rows of a block front to back in whole
// 32-byte sectors, whatever the format.
#pragma once

#include "../src/matrix.h"

#include <cstddef>
#include <cstdint>

namespace rwkv::cuda {

// A group of columns of all 16 rows. f32 [32 k][16 r] floats; f16 and bf16 [16 k/2][16 r][2 k%2]; the others as in
// matrix.h.
constexpr GroupLayout device_layouts[format_count] = {{32, 2048}, {32, 1024}, {32, 1024},
                                                      {64, 1088}, {256, 3392}, {256, 2368}};
constexpr GroupLayout device_layout(Format format) { return device_layouts[static_cast<size_t>(format)]; }

constexpr size_t device_tile_bytes(Format format, size_t columns) {
  const GroupLayout group = device_layout(format);
  return (columns + group.columns - 1) / group.columns * group.bytes;
}
constexpr size_t device_bytes(Format format, size_t rows, size_t columns) {
  return tile_count(rows) * device_tile_bytes(format, columns);
}

// Tile `index` of w as the device holds it: device_tile_bytes of it.
void pack_tile(uint8_t *out, const Matrix &w, size_t index);

} // namespace rwkv::cuda
