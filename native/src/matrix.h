// A large matrix as it is held: in tiles of 16 rows, in one of six number formats. A tile is what one vector of sixteen
// sums reads, front to back and once, so a product is one linear stream through memory whatever the format.
// Includes nothing that a table of ops must not include.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace rwkv {

// f32, f16, bf16: numbers as they are. The others are blocks of integers with scales, exactly as GGUF defines them:
// q8 is Q8_0 (32 numbers, one scale), q6 is Q6_K, q4 is Q4_K (super-blocks of 256 numbers).
enum class Format : uint8_t { f32, f16, bf16, q8, q6, q4 };
constexpr size_t format_count = 6;

constexpr size_t tile_rows = 16;

// A tile is a run of groups; a group holds `columns` columns of all 16 rows. The columns of a matrix are padded to whole
// groups and its rows to whole tiles with numbers whose value is 0. r: row in the tile; k: column in the group.
//   f32   1 column     64 bytes  float [16 r]
//   f16   2 columns    64 bytes  half [2 k][16 r]
//   bf16  32 columns 1024 bytes  word [16 k/2][16 r][2 k%2]
//   q8    64 columns 1088 bytes  half scale[2 k/32][16 r], byte [16 k/4][16 r][4 k%4]: value = scale · (byte − 128)
//   q6    256 columns 3392 bytes half d[16 r], 32 bytes of 0, int8 scale[16 k/16][16 r],
//                                byte low[32][16 r][4], byte high[16][16 r][4]
//   q4    256 columns 2368 bytes half d[16 r], half dmin[16 r], byte scale[8 k/32][16 r], byte min[8 k/32][16 r],
//                                byte [32][16 r][4]
// q4: in sub-block b (32 columns), line [4·b + j] (j < 4) has the columns 32·b + 4·j + i (i < 4) in its low nibbles and
//     32·b + 16 + 4·j + i in its high nibbles. value = d · scale · nibble − dmin · min.
// q6: number n = low | high << 4, value = d · scale · (n − 32). low: line [4·b + j] as in q4, for b of 32 columns. high:
//     line [2·b + j] (j < 2) has, in bits 0-1, 2-3, 4-5, 6-7 of byte i, the columns 32·b + 4·j + i + 8·m for m = 0..3.
struct GroupLayout {
  size_t columns, bytes;
};
constexpr GroupLayout group_layouts[format_count] = {{1, 64}, {2, 64}, {32, 1024}, {64, 1088}, {256, 3392}, {256, 2368}};
constexpr GroupLayout group_layout(Format format) { return group_layouts[static_cast<size_t>(format)]; }

constexpr size_t tile_bytes(Format format, size_t columns) {
  const GroupLayout group = group_layout(format);
  return (columns + group.columns - 1) / group.columns * group.bytes;
}
constexpr size_t tile_count(size_t rows) { return (rows + tile_rows - 1) / tile_rows; }
constexpr size_t matrix_bytes(Format format, size_t rows, size_t columns) {
  return tile_count(rows) * tile_bytes(format, columns);
}

// [rows out][columns in]: a row of it makes one number of the product.
struct Matrix {
  const uint8_t *tiles = nullptr; // 64-byte aligned, matrix_bytes of them
  Format format = Format::f32;
  size_t rows = 0, columns = 0;

  const uint8_t *tile(size_t index) const { return tiles + index * tile_bytes(format, columns); }
};

} // namespace rwkv
