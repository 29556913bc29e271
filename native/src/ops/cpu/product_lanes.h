// Products over the registers of lanes.h, written once for the vector units that have no dot product of their own: what
// an input looks like, and the loops over tiles and rows. Formats of numbers multiply fp32 rows; formats of integers
// multiply rows of signed bytes with one scale per 32 columns. In an unnamed namespace because files compiled for
// different vector units include it; one that does also defines the pieces that product_lanes_kernels.h names.
#pragma once

#include "../../matrix.h"
#include "lanes.h"

namespace {

constexpr size_t block_columns = 32;

// 32 columns of a row as integers: x = scale · bytes.
struct InputBlock {
  int8_t bytes[block_columns];
  float scale;
  float offset;    // −scale · Σ bytes: times what every weight of the block is too large by
  int32_t half[2]; // −32 · Σ of either half of the bytes: q6
};
static_assert(sizeof(InputBlock) == 48);

constexpr bool is_integer(rwkv::Format format) { return format >= rwkv::Format::q8; }
constexpr size_t round_up(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }
// Of a row, with what the last group is padded by.
constexpr size_t input_blocks(rwkv::Format format, size_t columns) {
  return round_up(columns, rwkv::group_layout(format).columns) / block_columns;
}
constexpr size_t input_row_bytes(rwkv::Format format, size_t columns) {
  return is_integer(format) ? input_blocks(format, columns) * sizeof(InputBlock) : round_up(columns, 2) * sizeof(float);
}

size_t input_bytes(rwkv::Format format, size_t rows, size_t columns) {
  return round_up(rows * input_row_bytes(format, columns), 64);
}

// Scaled so that the largest is 127. A block with a number that is not finite makes no finite number.
inline void put_block(InputBlock &to, const float *x) {
  int32_t bits[block_columns], most_bits = 0;
  __builtin_memcpy(bits, x, sizeof bits);
  for (const int32_t number : bits) {
    const int32_t magnitude = number & 0x7fffffff; // in the order of the numbers
    most_bits = magnitude > most_bits ? magnitude : most_bits;
  }
  float most;
  __builtin_memcpy(&most, &most_bits, sizeof most);
  const bool finite = most_bits < 0x7f800000;
  const float inverse = finite && most >= 1e-30f ? 127.0f / most : 0.0f;
  int32_t rounded[block_columns];
  for (size_t i = 0; i < block_columns; ++i) {
    const float shifted = (finite ? x[i] * inverse : 0.0f) + 12582912.0f; // 1.5 · 2^23: rounds to an integer
    __builtin_memcpy(&rounded[i], &shifted, sizeof shifted);
    rounded[i] -= 0x4b400000;
  }
  int32_t sums[2] = {};
  for (size_t i = 0; i < block_columns; ++i) {
    to.bytes[i] = static_cast<int8_t>(rounded[i]);
    sums[i / 16] += rounded[i];
  }
  to.scale = finite ? most / 127.0f : __builtin_nanf("");
  to.offset = -to.scale * static_cast<float>(sums[0] + sums[1]);
  for (size_t i = 0; i < 2; ++i) to.half[i] = -32 * sums[i];
}

void prepare(void *input, const float *x, rwkv::Format format, size_t rows, size_t columns) {
  if (!is_integer(format)) {
    const size_t padded = round_up(columns, 2);
    float *to = static_cast<float *>(input);
    for (size_t row = 0; row < rows; ++row, x += columns, to += padded) {
      __builtin_memcpy(to, x, columns * sizeof(float));
      if (columns < padded) to[columns] = 0.0f;
    }
    return;
  }
  InputBlock *to = static_cast<InputBlock *>(input);
  const size_t blocks = input_blocks(format, columns);
  for (size_t row = 0; row < rows; ++row, x += columns) {
    for (size_t block = 0; block < blocks; ++block, ++to) {
      const size_t from = block * block_columns;
      if (from + block_columns <= columns) {
        put_block(*to, x + from);
      } else {
        float some[block_columns] = {};
        for (size_t i = from; i < columns; ++i) some[i - from] = x[i];
        put_block(*to, some);
      }
    }
  }
}

// The 16 sums of a row; the last tile of a product may be narrower.
inline __attribute__((always_inline)) void store_sums(float *out, const Part *sums, size_t width) {
  for (size_t at = 0; at < width; at += part_lanes) {
    if (width - at >= part_lanes) store(out + at, sums[at / part_lanes]);
    else store_some(out + at, sums[at / part_lanes], width - at);
  }
}

// What a kernel computes: a tile of some rows.
struct Piece {
  float *out; // of the first row and column
  size_t out_step, width;
  const uint8_t *tile;
  const uint8_t *input; // of the first row
  size_t input_step, columns;
};

// Inputs of so many bytes stay in the second-level cache while tiles go by.
constexpr size_t input_chunk_bytes = 256 * 1024;

// Kernels: run<R>(piece) for R of 1 to most_rows.
template <class Kernel, size_t R = Kernel::most_rows>
inline __attribute__((always_inline)) void run_rows(const Piece &piece, size_t rows) {
  if constexpr (R > 1) {
    if (rows < R) return run_rows<Kernel, R - 1>(piece, rows);
  }
  Kernel::template run<R>(piece);
}

template <class Kernel>
void all_tiles(float *out, const void *input, const rwkv::Matrix &w, size_t rows, size_t first, size_t last) {
  const size_t step = input_row_bytes(w.format, w.columns);
  const size_t chunk = round_up(input_chunk_bytes / step + 1, Kernel::most_rows);
  for (size_t from = 0; from < rows; from += chunk) {
    const size_t to = rows - from < chunk ? rows : from + chunk;
    for (size_t tile = first; tile < last; ++tile) {
      const size_t column = tile * rwkv::tile_rows, left = w.rows - column;
      for (size_t row = from; row < to; row += Kernel::most_rows) {
        const Piece piece{out + row * w.rows + column, w.rows, left < rwkv::tile_rows ? left : rwkv::tile_rows,
                          w.tile(tile), static_cast<const uint8_t *>(input) + row * step, step, w.columns};
        run_rows<Kernel>(piece, to - row);
      }
    }
  }
}

} // namespace
