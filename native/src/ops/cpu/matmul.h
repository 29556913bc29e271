// Rows times a matrix. A dot product always has sixteen running sums, so computing several rows and columns
// at once (to read the weights once) does not change a bit of any of them.
#pragma once

#include "lanes.h"

namespace {

template <size_t W, size_t X>
inline __attribute__((always_inline)) void dots(float *out, size_t out_width, const float *x, const float *w,
                                                size_t in_width) {
  Lanes total[W][X] = {};
  size_t i = 0;
  for (; i + lane_count <= in_width; i += lane_count) {
    Lanes a[X], b;
    for (size_t t = 0; t < X; ++t) load(a[t], x + t * in_width + i);
    for (size_t m = 0; m < W; ++m) {
      load(b, w + m * in_width + i);
      for (size_t t = 0; t < X; ++t) total[m][t] += b * a[t];
    }
  }
  if (i < in_width) {
    Lanes a[X], b;
    for (size_t t = 0; t < X; ++t) load_tail(a[t], x + t * in_width + i, in_width - i);
    for (size_t m = 0; m < W; ++m) {
      load_tail(b, w + m * in_width + i, in_width - i);
      for (size_t t = 0; t < X; ++t) total[m][t] += b * a[t];
    }
  }
  for (size_t m = 0; m < W; ++m) {
    for (size_t t = 0; t < X; ++t) out[t * out_width + m] = sum(total[m][t]);
  }
}

template <size_t W>
inline void all_rows(float *out, const float *x, const float *w, size_t rows, size_t in_width, size_t out_width) {
  size_t t = 0;
  for (; t + 4 <= rows; t += 4) dots<W, 4>(out + t * out_width, out_width, x + t * in_width, w, in_width);
  for (; t < rows; ++t) dots<W, 1>(out + t * out_width, out_width, x + t * in_width, w, in_width);
}

void matmul(float *out, const float *x, const float *w, size_t rows, size_t in_width, size_t out_width) {
  size_t m = 0;
  for (; m + 4 <= out_width; m += 4) all_rows<4>(out + m, x, w + m * in_width, rows, in_width, out_width);
  for (; m < out_width; ++m) all_rows<1>(out + m, x, w + m * in_width, rows, in_width, out_width);
}

} // namespace
