// Rows times a matrix. A dot product always has sixteen running sums, so computing several rows and columns
// at once (to read the weights once) does not change a bit of any of them.
#pragma once

#include "../../matrix.h"
#include "expand.h"
#include "lanes.h"

namespace {

// Columns and rows that are summed together: as many sums as the registers hold beside what they are made of.
#if defined(__AVX512F__)
constexpr size_t tile_columns = 4, tile_rows = 4;
#elif defined(__AVX2__)
constexpr size_t tile_columns = 2, tile_rows = 3;
#else
constexpr size_t tile_columns = 1, tile_rows = 3;
#endif

// w_step and x_step: from one row to the next.
template <size_t W, size_t X, typename Weight>
inline __attribute__((always_inline)) void add_lanes(Lanes (&total)[W][X], const float *x, size_t x_step,
                                                     const Weight *w, size_t w_step) {
#pragma GCC unroll 16
  for (size_t p = 0; p < part_count; ++p) {
    Part a[X], b;
#pragma GCC unroll 16
    for (size_t t = 0; t < X; ++t) load_part(a[t], x + t * x_step + p * part_lanes);
#pragma GCC unroll 16
    for (size_t m = 0; m < W; ++m) {
      load_part(b, w + m * w_step + p * part_lanes);
#pragma GCC unroll 16
      for (size_t t = 0; t < X; ++t) total[m][t].part[p] += b * a[t];
    }
  }
}

template <size_t W, size_t X, typename Weight>
inline __attribute__((always_inline)) void dots(float *out, size_t out_width, const float *x, const Weight *w,
                                                size_t in_width) {
  Lanes total[W][X] = {};
  size_t i = 0;
  for (; i + lane_count <= in_width; i += lane_count) add_lanes(total, x + i, in_width, w + i, in_width);
  if (const size_t left = in_width - i) {
    float a[X][lane_count] = {};
    Weight b[W][lane_count] = {};
    for (size_t t = 0; t < X; ++t) copy(a[t], x + t * in_width + i, left);
    for (size_t m = 0; m < W; ++m) copy(b[m], w + m * in_width + i, left);
    add_lanes(total, a[0], lane_count, b[0], lane_count);
  }
  for (size_t m = 0; m < W; ++m) {
    for (size_t t = 0; t < X; ++t) out[t * out_width + m] = sum(total[m][t]);
  }
}

template <size_t W, typename Weight>
inline void all_rows(float *out, const float *x, const Weight *w, size_t rows, size_t in_width, size_t out_width) {
  size_t t = 0;
  for (; t + tile_rows <= rows; t += tile_rows) {
    dots<W, tile_rows>(out + t * out_width, out_width, x + t * in_width, w, in_width);
  }
  for (; t < rows; ++t) dots<W, 1>(out + t * out_width, out_width, x + t * in_width, w, in_width);
}

template <typename Weight>
void columns(float *out, const float *x, const Weight *w, size_t rows, size_t in_width, size_t out_width, size_t first,
             size_t last) {
  size_t m = first;
  for (; m + tile_columns <= last; m += tile_columns) {
    all_rows<tile_columns>(out + m, x, w + m * in_width, rows, in_width, out_width);
  }
  for (; m < last; ++m) all_rows<1>(out + m, x, w + m * in_width, rows, in_width, out_width);
}

void matmul(float *out, const float *x, const rwkv::Matrix &w, size_t rows, size_t in_width, size_t out_width,
            size_t first, size_t last) {
  switch (w.dtype) {
    case rwkv::Dtype::f32:
      return columns(out, x, static_cast<const float *>(w.data), rows, in_width, out_width, first, last);
    case rwkv::Dtype::f16:
      return columns(out, x, static_cast<const F16 *>(w.data), rows, in_width, out_width, first, last);
    case rwkv::Dtype::bf16:
      return columns(out, x, static_cast<const Bf16 *>(w.data), rows, in_width, out_width, first, last);
  }
}

} // namespace
