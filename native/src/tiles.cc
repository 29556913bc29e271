// Packing of tiles: one place that knows where a number of each format lies.
#include "tiles.h"

#include "ops/cpu/numbers.h"

#include <cstring>

namespace rwkv {
namespace {

// A line of a tile has four bytes of each of the 16 rows.
constexpr size_t line_bytes = 4 * tile_rows;
// Where the parts of a group begin, in bytes.
constexpr size_t q8_bytes = 2 * tile_rows * 2;
constexpr size_t q6_scales = 64, q6_low = q6_scales + 16 * tile_rows, q6_high = q6_low + 32 * line_bytes;
constexpr size_t q4_scales = 64, q4_mins = q4_scales + 8 * tile_rows, q4_nibbles = q4_mins + 8 * tile_rows;
static_assert(q8_bytes + 16 * line_bytes == group_layout(Format::q8).bytes);
static_assert(q6_high + 16 * line_bytes == group_layout(Format::q6).bytes);
static_assert(q4_nibbles + 32 * line_bytes == group_layout(Format::q4).bytes);

template <typename Number>
Number load(const void *from) {
  Number out;
  std::memcpy(&out, from, sizeof out);
  return out;
}

// The first byte of a row in the group that holds `column`, were its numbers one byte wide and side by side.
template <typename Byte>
Byte *group_at(Byte *tile, Format format, size_t column) {
  const GroupLayout group = group_layout(format);
  return tile + column / group.columns * group.bytes;
}

// In elements: the place of a number of f32, f16, bf16 in its tile.
size_t place(Format format, size_t row, size_t column) {
  if (format == Format::bf16) return (column / 2 * tile_rows + row) * 2 + column % 2;
  return column * tile_rows + row;
}

void put_q8(uint8_t *group, size_t row, const uint8_t *block, size_t half) {
  std::memcpy(group + (half * tile_rows + row) * 2, block, 2);
  uint8_t *to = group + q8_bytes + half * 8 * line_bytes + row * 4;
  for (size_t line = 0; line < 8; ++line, to += line_bytes) {
    const uint32_t four = load<uint32_t>(block + 2 + line * 4) ^ 0x80808080u; // + 128
    std::memcpy(to, &four, 4);
  }
}

// 256 numbers of 0 to 15 in the 32 lines that q6 and q4 share.
void put_nibbles(uint8_t *lines, size_t row, const uint8_t (&numbers)[256]) {
  for (size_t line = 0; line < 32; ++line) {
    const uint8_t *from = numbers + line / 4 * 32 + line % 4 * 4;
    const uint32_t four = load<uint32_t>(from) | load<uint32_t>(from + 16) << 4;
    std::memcpy(lines + line * line_bytes + row * 4, &four, 4);
  }
}

uint8_t nibble(const uint8_t *lines, size_t row, size_t column) {
  const size_t in_block = column % 32;
  const uint8_t byte = lines[(column / 32 * 4 + in_block % 16 / 4) * line_bytes + row * 4 + column % 4];
  return static_cast<uint8_t>(in_block < 16 ? byte & 15 : byte >> 4);
}

void put_q6(uint8_t *group, size_t row, const uint8_t *block) {
  const uint8_t *low = block, *high = block + 128, *scales = block + 192;
  uint8_t lows[256], highs[256];
  for (size_t column = 0; column < 256; ++column) { // in a file, halves of 128 columns, in each four runs of 32
    const size_t half = column / 128, run = column % 128 / 32, i = column % 32;
    lows[column] = static_cast<uint8_t>(low[half * 64 + run % 2 * 32 + i] >> run / 2 * 4 & 15);
    highs[column] = static_cast<uint8_t>(high[half * 32 + i] >> run * 2 & 3);
  }
  std::memcpy(group + row * 2, block + 208, 2);
  for (size_t i = 0; i < 16; ++i) group[q6_scales + i * tile_rows + row] = scales[i];
  put_nibbles(group + q6_low, row, lows);
  for (size_t line = 0; line < 16; ++line) {
    const uint8_t *from = highs + line / 2 * 32 + line % 2 * 4;
    const uint32_t four = load<uint32_t>(from) | load<uint32_t>(from + 8) << 2 | load<uint32_t>(from + 16) << 4 |
                          load<uint32_t>(from + 24) << 6;
    std::memcpy(group + q6_high + line * line_bytes + row * 4, &four, 4);
  }
}

void put_q4(uint8_t *group, size_t row, const uint8_t *block) {
  std::memcpy(group + row * 2, block, 2);
  std::memcpy(group + (tile_rows + row) * 2, block + 2, 2);
  const uint8_t *packed = block + 4; // the upper two bits of the second four are those of the first eight bytes
  for (size_t i = 0; i < 8; ++i) {
    const unsigned scale = i < 4 ? packed[i] & 63 : (packed[i + 4] & 15) | packed[i - 4] >> 6 << 4;
    const unsigned min = i < 4 ? packed[i + 4] & 63 : packed[i + 4] >> 4 | packed[i] >> 6 << 4;
    group[q4_scales + i * tile_rows + row] = static_cast<uint8_t>(scale);
    group[q4_mins + i * tile_rows + row] = static_cast<uint8_t>(min);
  }
  uint8_t nibbles[256];
  for (size_t column = 0; column < 256; ++column) { // in a file, pairs of sub-blocks, the second in the high nibbles
    const uint8_t byte = block[16 + column / 64 * 32 + column % 32];
    nibbles[column] = static_cast<uint8_t>(column % 64 < 32 ? byte & 15 : byte >> 4);
  }
  put_nibbles(group + q4_nibbles, row, nibbles);
}

float half_at(const uint8_t *group, size_t index) { return f16_value(load<uint16_t>(group + index * 2)); }

float value_at(const uint8_t *tile, Format format, size_t row, size_t column) {
  const uint8_t *group = group_at(tile, format, column);
  const size_t in_group = column % group_layout(format).columns;
  switch (format) {
    case Format::f32: return load<float>(tile + place(format, row, column) * 4);
    case Format::f16: return half_at(tile, place(format, row, column));
    case Format::bf16: return bf16_value(load<uint16_t>(tile + place(format, row, column) * 2));
    case Format::q8: {
      const uint8_t byte = group[q8_bytes + in_group / 4 * line_bytes + row * 4 + in_group % 4];
      return half_at(group, in_group / 32 * tile_rows + row) * static_cast<float>(byte - 128);
    }
    case Format::q6: {
      const uint8_t *line = group + q6_high + (in_group / 32 * 2 + in_group / 4 % 2) * line_bytes;
      const int high = line[row * 4 + in_group % 4] >> in_group % 32 / 8 * 2 & 3;
      const int number = (nibble(group + q6_low, row, in_group) | high << 4) - 32;
      const auto scale = static_cast<int8_t>(group[q6_scales + in_group / 16 * tile_rows + row]);
      return half_at(group, row) * static_cast<float>(scale * number);
    }
    case Format::q4: {
      const size_t of_block = in_group / 32 * tile_rows + row;
      const int number = group[q4_scales + of_block] * nibble(group + q4_nibbles, row, in_group);
      return half_at(group, row) * static_cast<float>(number) -
             half_at(group, tile_rows + row) * static_cast<float>(group[q4_mins + of_block]);
    }
  }
  return 0;
}

} // namespace

void clear_tiles(uint8_t *tiles, Format format, size_t rows, size_t columns) {
  const GroupLayout group = group_layout(format);
  const size_t bytes = matrix_bytes(format, rows, columns);
  std::memset(tiles, 0, bytes);
  if (format == Format::q8) {
    for (size_t at = 0; at < bytes; at += group.bytes) std::memset(tiles + at + q8_bytes, 128, group.bytes - q8_bytes);
  } else if (format == Format::q6) { // the number 32
    for (size_t at = 0; at < bytes; at += group.bytes) std::memset(tiles + at + q6_high, 0xaa, group.bytes - q6_high);
  }
}

void put_row(uint8_t *tiles, Format format, size_t, size_t columns, size_t row, const void *numbers,
             size_t first_column, size_t count) {
  uint8_t *tile = tiles + row / tile_rows * tile_bytes(format, columns);
  const auto *from = static_cast<const uint8_t *>(numbers);
  const GroupLayout block = row_block(format);
  const size_t r = row % tile_rows, end = first_column + count;
  for (size_t column = first_column; column < end; column += block.columns, from += block.bytes) {
    switch (format) {
      case Format::f32: std::memcpy(tile + place(format, r, column) * 4, from, 4); break;
      case Format::f16:
      case Format::bf16: std::memcpy(tile + place(format, r, column) * 2, from, 2); break;
      case Format::q8: put_q8(group_at(tile, format, column), r, from, column % 64 / 32); break;
      case Format::q6: put_q6(group_at(tile, format, column), r, from); break;
      case Format::q4: put_q4(group_at(tile, format, column), r, from); break;
    }
  }
}

void put_column(uint8_t *tiles, Format format, size_t, size_t columns, size_t column, const void *numbers,
                size_t first_row, size_t count) {
  const auto *from = static_cast<const uint8_t *>(numbers);
  const size_t bytes = row_block(format).bytes, of_tile = tile_bytes(format, columns);
  for (size_t row = first_row; row < first_row + count; ++row, from += bytes) {
    std::memcpy(tiles + row / tile_rows * of_tile + place(format, row % tile_rows, column) * bytes, from, bytes);
  }
}

void read_row(float *out, const Matrix &w, size_t row) {
  const uint8_t *tile = w.tile(row / tile_rows);
  for (size_t column = 0; column < w.columns; ++column) {
    out[column] = value_at(tile, w.format, row % tile_rows, column);
  }
}

} // namespace rwkv
