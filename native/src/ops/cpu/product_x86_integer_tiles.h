// Products of integers on the tile registers of AMX: the same blocks, added up in the same order with the same
// arithmetic as product_x86_integers.h, so a row has the same bits there and here. Only the integers come from tiles.
#pragma once

#include "product_x86_matmul.h"
#include "product_x86_tiles.h"

namespace rwkv {
namespace {

// Registers: sums in 0, rows in 1, weights in 2.
RWKV_INLINE void shape_integers(size_t rows) {
  TileShapes shapes;
  shapes.set(0, rows, vector_bytes);
  shapes.set(1, rows, block_columns);
  shapes.set(2, block_lines, vector_bytes);
  load_shapes(shapes);
}

// The block's lines as the tile registers read them: unpacked where the format packs them.
template <class W> RWKV_INLINE void unpack_block(uint8_t *lines, const uint8_t *weights, size_t b, size_t bytes) {
  if constexpr (W::narrow) {
    W block;
    block.start(weights, b, bytes_ahead(0, 1, bytes));
#pragma GCC unroll 8
    for (size_t c = 0; c < block_lines; ++c) _mm512_store_si512(lines + c * vector_bytes, block.line(c));
  }
}

// The sums of a block: 16 for each row of x.
template <class W>
RWKV_INLINE void multiply_block(int32_t *sums, const uint8_t *lines, const uint8_t *x, const uint8_t *tile, size_t b,
                                size_t bytes) {
  if constexpr (!W::narrow) {
    W block;
    block.start(tile, b, bytes_ahead(0, 1, bytes));
    lines = block.lines;
#pragma GCC unroll 8
    for (size_t c = 0; c < block_lines; ++c) prefetch(lines + c * vector_bytes + block.ahead);
  }
  _tile_zero(0);
  _tile_loadd(1, x, block_columns);
  _tile_loadd(2, lines, vector_bytes);
  _tile_dpbsud(0, 1, 2);
  _tile_stored(0, sums, vector_bytes);
}

// One tile of R rows. Tiles work some blocks ahead of the vectors, and unpacking ahead of them.
template <class W, size_t R>
__attribute__((noinline)) void integer_tile_kernel(float *out, const uint8_t *x, const Matrix &w, size_t tile) {
  const size_t blocks = integer_blocks(W::format, w.columns), bytes = tile_bytes(W::format, w.columns);
  const float *words = reinterpret_cast<const float *>(x + blocks * R * block_columns);
  const uint8_t *weights = w.tile(tile);
  static_assert(W::segments == 1);
  constexpr size_t ring = 8, multiplied = 2, unpacked = 4; // blocks ahead
  alignas(64) int32_t integers[ring][R * 16];
  alignas(64) uint8_t lines[ring][block_lines * vector_bytes];
  __m512 sum[R];
#pragma GCC unroll 16
  for (size_t r = 0; r < R; ++r) sum[r] = _mm512_setzero_ps();
  for (size_t step = 0; step < blocks + unpacked; ++step) { // a block before the first is one past the last, too
    if (step < blocks) unpack_block<W>(lines[step % ring], weights, step, bytes);
    if (const size_t b = step - (unpacked - multiplied); b < blocks) {
      multiply_block<W>(integers[b % ring], lines[b % ring], x + b * R * block_columns, weights, b, bytes);
    }
    const size_t b = step - unpacked;
    if (b >= blocks) continue;
    W now;
    now.start(weights, b, 0);
    const int32_t *done = integers[b % ring];
#pragma GCC unroll 16
    for (size_t r = 0; r < R; ++r) {
      __m512i dots = _mm512_load_si512(done + r * 16);
      if constexpr (!W::minimum) dots = _mm512_add_epi32(dots, offset<W>(words + r, 0, R));
      sum[r] = add_block(sum[r], dots, now, 0, words + r, R);
    }
    words += words_per_block(W::format) * R;
  }
  const __mmask16 mask = tile_mask(w, tile);
#pragma GCC unroll 16
  for (size_t r = 0; r < R; ++r) _mm512_mask_storeu_ps(out + r * w.rows + tile * tile_rows, mask, sum[r]);
}

// Fewer rows than this are not worth a tile register.
constexpr size_t least_tile_rows = 9;

template <class W>
RWKV_INLINE void integer_tile(float *out, const uint8_t *x, const Matrix &w, size_t tile, size_t rows) {
  switch (rows) {
    case 8: return integer_tile_kernel<W, 8>(out, x, w, tile);
    case 9: return integer_tile_kernel<W, 9>(out, x, w, tile);
    case 10: return integer_tile_kernel<W, 10>(out, x, w, tile);
    case 11: return integer_tile_kernel<W, 11>(out, x, w, tile);
    case 12: return integer_tile_kernel<W, 12>(out, x, w, tile);
    case 13: return integer_tile_kernel<W, 13>(out, x, w, tile);
    case 14: return integer_tile_kernel<W, 14>(out, x, w, tile);
    case 15: return integer_tile_kernel<W, 15>(out, x, w, tile);
    default: return integer_tile_kernel<W, 16>(out, x, w, tile);
  }
}

// Rows in panels of at most amx_panel_rows: of several, each has at least 8 rows.
template <class W>
void integer_tile_matmul(float *out, const void *input, const Matrix &w, size_t rows, size_t first, size_t last) {
  if (rows < least_tile_rows) return integer_matmul<W, VnniDots>(out, input, w, rows, first, last);
  const Panels panels(rows, amx_panel_rows);
  const size_t row_bytes = integer_row_bytes(W::format, w.columns);
  const size_t chunk = panels_per_chunk(row_bytes, amx_panel_rows);
  const uint8_t *x = static_cast<const uint8_t *>(input);
  size_t shaped = 0;
  for (size_t from = 0; from < panels.count; from += chunk) {
    const size_t to = smaller(from + chunk, panels.count);
    for (size_t tile = first; tile < last; ++tile) {
      for (size_t p = from; p < to; ++p) {
        const size_t row = panels.first_row(p), count = panels.size(p);
        if (count != shaped) shape_integers(shaped = count);
        integer_tile<W>(out + row * w.rows, x + row * row_bytes, w, tile, count);
      }
    }
  }
  _tile_release();
}

} // namespace
} // namespace rwkv
