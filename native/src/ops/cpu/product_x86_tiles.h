// Products on the tile registers of AMX. The order of summation is the registers' own and the same for any number of
// rows: bf16 goes 32 columns at a time; integers are exact, so they agree to the bit with the vectors' products.
#pragma once

#include "product_x86_floats.h"
#include "product_x86_integers.h"

namespace rwkv {
namespace {

constexpr size_t amx_panel_rows = 16;

// The shapes of the eight tile registers, as the processor reads them.
struct alignas(64) TileShapes {
  uint8_t palette = 1, start = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
  void set(size_t tile, size_t tile_row_count, size_t bytes) {
    rows[tile] = static_cast<uint8_t>(tile_row_count);
    row_bytes[tile] = static_cast<uint16_t>(bytes);
  }
};

RWKV_INLINE void load_shapes(const TileShapes &shapes) {
  asm volatile("" : : "r"(&shapes) : "memory"); // the intrinsic is declared to read 8 bytes only
  _tile_loadconfig(&shapes);
}

// bf16: sums in 0 to 3, rows in 4 and 5, weights in 6 and 7. One panel: four tiles of weights, rows in two parts.
// Two panels: two tiles of weights each.
RWKV_INLINE void shape_bf16(size_t first_rows, size_t second_rows) {
  TileShapes shapes;
  const bool pair = second_rows != 0;
  for (size_t i = 0; i < 4; ++i) shapes.set(i, pair && i >= 2 ? second_rows : first_rows, 64);
  shapes.set(4, first_rows, 64);
  shapes.set(5, pair ? second_rows : first_rows, 64);
  shapes.set(6, 16, 64);
  shapes.set(7, 16, 64);
  load_shapes(shapes);
}

RWKV_INLINE void store_columns(float *out, size_t width, const float *from, size_t rows, __mmask16 mask) {
  for (size_t r = 0; r < rows; ++r) _mm512_mask_storeu_ps(out + r * width, mask, _mm512_load_ps(from + r * 16));
}

#define RWKV_STORE_SUMS(number, count, to, index) \
  _tile_stored(number, sums, 64);                 \
  store_columns(to + (index) * tile_rows, w.rows, sums, count, tile_mask(w, index))

RWKV_INLINE void prefetch_lines(const uint8_t *at) {
#pragma GCC unroll 16
  for (size_t i = 0; i < 16; ++i) prefetch(at + i * vector_bytes);
}

// One panel, T (1 or 4) tiles.
template <size_t Parts, size_t T>
__attribute__((noinline)) void bf16_panel(float *out, const float *x, size_t rows, const Matrix &w, size_t tile) {
  const size_t bytes = tile_bytes(Format::bf16, w.columns), group = group_layout(Format::bf16).bytes;
  const uint8_t *weights = w.tile(tile);
  const size_t part = rows * chunk_words;
  _tile_zero(0);
  if constexpr (T == 4) {
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  for (size_t at = 0; at < bytes; at += group, x += Parts * part) {
    const uint8_t *next = weights + at + bytes_ahead(bytes - at, T, bytes);
    _tile_loadd(4, x, 64);
    if constexpr (Parts == 2) _tile_loadd(5, x + part, 64);
#pragma GCC unroll 4
    for (size_t t = 0; t < T; ++t) prefetch_lines(next + t * bytes);
    _tile_loadd(6, weights + at, 64);
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (Parts == 2) _tile_dpbf16ps(0, 5, 6);
    if constexpr (T == 4) {
      _tile_loadd(7, weights + at + bytes, 64);
      _tile_dpbf16ps(1, 4, 7);
      if constexpr (Parts == 2) _tile_dpbf16ps(1, 5, 7);
      _tile_loadd(6, weights + at + 2 * bytes, 64);
      _tile_dpbf16ps(2, 4, 6);
      if constexpr (Parts == 2) _tile_dpbf16ps(2, 5, 6);
      _tile_loadd(7, weights + at + 3 * bytes, 64);
      _tile_dpbf16ps(3, 4, 7);
      if constexpr (Parts == 2) _tile_dpbf16ps(3, 5, 7);
    }
  }
  alignas(64) float sums[256];
  RWKV_STORE_SUMS(0, rows, out, tile);
  if constexpr (T == 4) {
    RWKV_STORE_SUMS(1, rows, out, tile + 1);
    RWKV_STORE_SUMS(2, rows, out, tile + 2);
    RWKV_STORE_SUMS(3, rows, out, tile + 3);
  }
}

// Two panels one after the other, T (1 or 2) tiles.
template <size_t Parts, size_t T>
__attribute__((noinline)) void bf16_panels(float *out, const float *x, size_t rows_a, size_t rows_b,
                                            const Matrix &w, size_t tile) {
  const size_t bytes = tile_bytes(Format::bf16, w.columns), group = group_layout(Format::bf16).bytes;
  const uint8_t *weights = w.tile(tile);
  const size_t part_a = rows_a * chunk_words, part_b = rows_b * chunk_words;
  const float *a = x, *b = x + rows_a * float_row_bytes<Bf16Pairs<Parts>>(w.columns) / sizeof(float);
  _tile_zero(0);
  _tile_zero(2);
  if constexpr (T == 2) {
    _tile_zero(1);
    _tile_zero(3);
  }
  for (size_t at = 0; at < bytes; at += group, a += Parts * part_a, b += Parts * part_b) {
    const uint8_t *next = weights + at + bytes_ahead(bytes - at, T, bytes);
#pragma GCC unroll 2
    for (size_t t = 0; t < T; ++t) prefetch_lines(next + t * bytes);
    _tile_loadd(6, weights + at, 64);
    if constexpr (T == 2) _tile_loadd(7, weights + at + bytes, 64);
#pragma GCC unroll 2
    for (size_t p = 0; p < Parts; ++p) {
      _tile_loadd(4, a + p * part_a, 64);
      _tile_dpbf16ps(0, 4, 6);
      if constexpr (T == 2) _tile_dpbf16ps(1, 4, 7);
      _tile_loadd(5, b + p * part_b, 64);
      _tile_dpbf16ps(2, 5, 6);
      if constexpr (T == 2) _tile_dpbf16ps(3, 5, 7);
    }
  }
  alignas(64) float sums[256];
  float *out_b = out + rows_a * w.rows;
  RWKV_STORE_SUMS(0, rows_a, out, tile);
  RWKV_STORE_SUMS(2, rows_b, out_b, tile);
  if constexpr (T == 2) {
    RWKV_STORE_SUMS(1, rows_a, out, tile + 1);
    RWKV_STORE_SUMS(3, rows_b, out_b, tile + 1);
  }
}

template <size_t Parts>
void bf16_matmul(float *out, const void *input, const Matrix &w, size_t rows, size_t first, size_t last) {
  const Panels panels(rows, amx_panel_rows);
  const size_t row_bytes = float_row_bytes<Bf16Pairs<Parts>>(w.columns);
  const size_t chunk = round_up(panels_per_chunk(row_bytes, amx_panel_rows), 2), wide = panels.count == 1 ? 4 : 2;
  const float *x = static_cast<const float *>(input);
  size_t shaped_a = 0, shaped_b = 0;
  for (size_t from = 0; from < panels.count; from += chunk) {
    const size_t to = smaller(from + chunk, panels.count);
    for (size_t tile = first, step; tile < last; tile += step) {
      step = last - tile >= wide ? wide : 1;
      for (size_t p = from; p < to; p += 2) {
        const size_t row = panels.first_row(p), a = panels.size(p), b = p + 1 < to ? panels.size(p + 1) : 0;
        if (a != shaped_a || b != shaped_b) shape_bf16(shaped_a = a, shaped_b = b);
        float *rows_out = out + row * w.rows;
        const float *rows_in = x + row * row_bytes / sizeof(float);
        if (b) {
          if (step == 2) bf16_panels<Parts, 2>(rows_out, rows_in, a, b, w, tile);
          else bf16_panels<Parts, 1>(rows_out, rows_in, a, b, w, tile);
        } else if (step == 4) {
          bf16_panel<Parts, 4>(rows_out, rows_in, a, w, tile);
        } else {
          for (size_t t = 0; t < step; ++t) bf16_panel<Parts, 1>(rows_out, rows_in, a, w, tile + t);
        }
      }
    }
  }
  _tile_release();
}

} // namespace
} // namespace rwkv
