// Random rows in every number format, as files hold them, and their exact values: what tests of tiles and of products
// compare with. Reads the formats in its own way and shares nothing with the library but their names.
#pragma once

#include "../src/tiles.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

namespace rwkv {

constexpr Format all_formats[] = {Format::f32, Format::f16, Format::bf16, Format::q8, Format::q6, Format::q4};
constexpr const char *format_names[] = {"f32", "f16", "bf16", "q8", "q6", "q4"};

struct Random {
  uint32_t seed;
  uint32_t bits() { return seed = seed * 1664525u + 1013904223u; }
  uint8_t byte() { return static_cast<uint8_t>(bits() >> 20); }
  float number() { return static_cast<float>(bits() >> 8) / 8388608.0f - 1; } // in [-1, 1)
  // A half of 2^-9 to 2^-7, times 2^by.
  uint16_t scale(int by) { return static_cast<uint16_t>(((6 + by) << 10) + (bits() >> 16 & 2047)); }
};

inline double half_value(const uint8_t *from) {
  const unsigned bits = from[0] | from[1] << 8, exponent = bits >> 10 & 31;
  const double fraction = bits & 1023;
  const double size = exponent == 0 ? fraction * 0x1p-24 : (1024 + fraction) * std::exp2(exponent - 25.0);
  return bits >> 15 ? -size : size;
}

// Number `i` of a block.
inline double block_value(const uint8_t *block, Format format, size_t i) {
  switch (format) {
    case Format::f32: {
      float value;
      std::memcpy(&value, block, 4);
      return value;
    }
    case Format::f16: return half_value(block);
    case Format::bf16: {
      const uint8_t wide[4] = {0, 0, block[0], block[1]};
      return block_value(wide, Format::f32, 0);
    }
    case Format::q8: return half_value(block) * static_cast<int8_t>(block[2 + i]);
    case Format::q6: {
      const size_t low = i / 128 * 64 + i % 64, high = 128 + i / 128 * 32 + i % 32;
      const int number = (i / 64 % 2 ? block[low] >> 4 : block[low] & 15) + 16 * (block[high] >> i / 32 % 4 * 2 & 3);
      return half_value(block + 208) * static_cast<int8_t>(block[192 + i / 16]) * (number - 32);
    }
    case Format::q4: {
      const uint8_t *packed = block + 4;
      const size_t part = i / 32;
      int scale, min;
      if (part < 4) {
        scale = packed[part] % 64, min = packed[part + 4] % 64;
      } else {
        scale = packed[part + 4] % 16 + packed[part - 4] / 64 * 16;
        min = packed[part + 4] / 16 + packed[part] / 64 * 16;
      }
      const uint8_t byte = block[16 + i / 64 * 32 + i % 32];
      return half_value(block) * scale * (part % 2 ? byte / 16 : byte % 16) - half_value(block + 2) * min;
    }
  }
  return 0;
}

struct FormatRows {
  Format format;
  size_t rows, columns;
  std::vector<uint8_t> bytes;
  std::vector<double> values; // [rows][columns]

  const uint8_t *row(size_t index) const { return bytes.data() + index * row_bytes(format, columns); }
};

// Numbers of about the size of 1; integers and their scales are any.
inline FormatRows random_rows(Format format, size_t rows, size_t columns, uint32_t seed) {
  Random random{seed};
  const GroupLayout block = row_block(format);
  FormatRows made{format, rows, columns, std::vector<uint8_t>(rows * row_bytes(format, columns)), {}};
  for (uint8_t *at = made.bytes.data(); at < made.bytes.data() + made.bytes.size(); at += block.bytes) {
    for (size_t i = 0; i < block.bytes; ++i) at[i] = random.byte();
    const float number = random.number();
    uint32_t bits;
    std::memcpy(&bits, &number, 4);
    const auto put = [](uint8_t *to, uint16_t word) { std::memcpy(to, &word, 2); };
    switch (format) {
      case Format::f32: std::memcpy(at, &number, 4); break;
      case Format::f16: put(at, static_cast<uint16_t>((bits >> 31) << 15 | (bits >> 8) % 0x3c00)); break;
      case Format::bf16: put(at, static_cast<uint16_t>(bits >> 16)); break;
      case Format::q8: put(at, random.scale(0)); break;
      case Format::q6: put(at + 208, random.scale(-5)); break;
      case Format::q4: put(at, random.scale(-4)), put(at + 2, random.scale(-2)); break;
    }
    for (size_t i = 0; i < block.columns; ++i) made.values.push_back(block_value(at, format, i));
  }
  return made;
}

// Memory as tiles and inputs need it, with nothing behind its last byte.
struct Bytes64 {
  explicit Bytes64(size_t count) : bytes(static_cast<uint8_t *>(std::aligned_alloc(64, count)), std::free) {}
  std::unique_ptr<uint8_t, void (*)(void *)> bytes;
  uint8_t *data() const { return bytes.get(); }
};

// A matrix in tiles.
struct Packed {
  explicit Packed(const FormatRows &from) : tiles(matrix_bytes(from.format, from.rows, from.columns)) {
    clear_tiles(tiles.data(), from.format, from.rows, from.columns);
    for (size_t row = 0; row < from.rows; ++row) {
      put_row(tiles.data(), from.format, from.rows, from.columns, row, from.row(row), 0, from.columns);
    }
    matrix = {tiles.data(), from.format, from.rows, from.columns};
  }
  Bytes64 tiles;
  Matrix matrix;
};

} // namespace rwkv
