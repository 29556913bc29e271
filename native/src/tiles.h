// Numbers into the tiles of matrix.h, from rows as files hold them, and back to fp32. Must not know which file they
// come from, nor products.
#pragma once

#include "matrix.h"

namespace rwkv {

// A row as a file holds it: blocks, one behind the other, in the byte order of a PC.
//   f32, f16, bf16  numbers
//   q8  34 bytes    half d, int8 [32]: value = d · number
//   q6  210 bytes   Q6_K of GGUF: byte low[128], byte high[64], int8 scale[16], half d
//   q4  144 bytes   Q4_K of GGUF: half d, half dmin, byte packed scales and mins[12], byte nibbles[128]
constexpr GroupLayout row_blocks[format_count] = {{1, 4}, {1, 2}, {1, 2}, {32, 34}, {256, 210}, {256, 144}};
constexpr GroupLayout row_block(Format format) { return row_blocks[static_cast<size_t>(format)]; }
// columns: a multiple of the columns of a block.
constexpr size_t row_bytes(Format format, size_t columns) {
  return columns / row_block(format).columns * row_block(format).bytes;
}

// Numbers whose value is 0 in all matrix_bytes. To be done first: what is not put, padding above all, must be 0.
void clear_tiles(uint8_t *tiles, Format format, size_t rows, size_t columns);
// Columns [first_column, first_column + count) of a row, whole blocks. numbers: of any alignment.
void put_row(uint8_t *tiles, Format format, size_t rows, size_t columns, size_t row, const void *numbers,
             size_t first_column, size_t count);
// Rows [first_row, first_row + count) of a column. f32, f16 and bf16 only, for files that hold a matrix transposed.
void put_column(uint8_t *tiles, Format format, size_t rows, size_t columns, size_t column, const void *numbers,
                size_t first_row, size_t count);
// out[w.columns], the exact values (q8, q6, q4: rounded once to fp32).
void read_row(float *out, const Matrix &w, size_t row);

} // namespace rwkv
