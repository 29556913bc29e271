// The products of integers over tiles and panels of rows: which kernel meets which part.
#pragma once

#include "product_x86_integers.h"

namespace rwkv {
namespace {

constexpr size_t integer_panel_rows = 12;

constexpr size_t paired_rows = 4; // up to so many rows two tiles at once

template <class W, class Dots, size_t R>
RWKV_INLINE void integer_pair(float *out, const uint8_t *x, const Matrix &w, size_t tile, size_t tiles) {
  if (tiles == 2) integer_kernel<W, Dots, 2, R>(out, x, w, tile);
  else integer_kernel<W, Dots, 1, R>(out, x, w, tile);
}

template <class W, class Dots>
RWKV_INLINE void integer_tiles(float *out, const uint8_t *x, const Matrix &w, size_t tile, size_t rows, size_t tiles) {
  switch (rows) {
    case 1: return integer_pair<W, Dots, 1>(out, x, w, tile, tiles);
    case 2: return integer_pair<W, Dots, 2>(out, x, w, tile, tiles);
    case 3: return integer_pair<W, Dots, 3>(out, x, w, tile, tiles);
    case 4: return integer_pair<W, Dots, 4>(out, x, w, tile, tiles);
    case 5: return integer_kernel<W, Dots, 1, 5>(out, x, w, tile);
    case 6: return integer_kernel<W, Dots, 1, 6>(out, x, w, tile);
    case 7: return integer_kernel<W, Dots, 1, 7>(out, x, w, tile);
    case 8: return integer_kernel<W, Dots, 1, 8>(out, x, w, tile);
    case 9: return integer_kernel<W, Dots, 1, 9>(out, x, w, tile);
    case 10: return integer_kernel<W, Dots, 1, 10>(out, x, w, tile);
    case 11: return integer_kernel<W, Dots, 1, 11>(out, x, w, tile);
    default: return integer_kernel<W, Dots, 1, 12>(out, x, w, tile);
  }
}

template <class W, class Dots>
void integer_matmul(float *out, const void *input, const Matrix &w, size_t rows, size_t first, size_t last) {
  const Panels panels(rows, integer_panel_rows);
  const size_t row_bytes = integer_row_bytes(W::format, w.columns);
  const size_t chunk = panels_per_chunk(row_bytes, integer_panel_rows);
  const uint8_t *x = static_cast<const uint8_t *>(input);
  for (size_t from = 0; from < panels.count; from += chunk) {
    const size_t to = smaller(from + chunk, panels.count);
    for (size_t tile = first, step; tile < last; tile += step) {
      step = rows <= paired_rows && last - tile >= 2 ? 2 : 1;
      for (size_t p = from; p < to; ++p) {
        const size_t row = panels.first_row(p);
        integer_tiles<W, Dots>(out + row * w.rows, x + row * row_bytes, w, tile, panels.size(p), step);
      }
    }
  }
}

} // namespace
} // namespace rwkv
