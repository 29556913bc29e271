// The recurrences of RWKV-7 and RWKV-6, one position at a time, and the per-head steps around them.
// S stays fp32. A state row of 64 floats is four lanes, which stay in registers between read and write.
#pragma once

#include "lanes.h"


namespace {

void keys7(float *k, float *minus_kk, float *b, const float *a, const float *k_k, const float *k_a, size_t rows,
           size_t heads, size_t head_size) {
  for (size_t part = 0; part < rows * heads; ++part) {
    const size_t from = part * head_size, at = part % heads * head_size;
    float *u = minus_kk + from;
    for (size_t j = 0; j < head_size; ++j) u[j] = k[from + j] * k_k[at + j];
    const float length = __builtin_sqrtf(dot(u, u, head_size));
    const float scale = 1.0f / (length > 1e-12f ? length : 1e-12f);
    for (size_t j = 0; j < head_size; ++j) {
      const float kk = u[j] * scale, alpha = a[from + j];
      u[j] = -kk;
      b[from + j] = kk * alpha;
      k[from + j] = k[from + j] * (1.0f + (alpha - 1.0f) * k_a[at + j]);
    }
  }
}

// `size` is a constant where this is inlined, so that the loops over lanes unroll.
inline __attribute__((always_inline)) void wkv7_head(float *s, float *y, const float *r, const float *w,
                                                     const float *k, const float *v, const float *minus_kk,
                                                     const float *b, size_t size) {
  for (size_t i = 0; i < size; ++i, s += size) {
    const float removed = dot(s, minus_kk, size);
    for (size_t j = 0; j < size; ++j) s[j] = (s[j] * w[j] + removed * b[j]) + v[i] * k[j];
    y[i] = dot(s, r, size);
  }
}

void wkv7(float *s, float *y, const float *r, const float *w, const float *k, const float *v,
          const float *minus_kk, const float *b, size_t heads, size_t head_size) {
  for (size_t h = 0; h < heads; ++h) {
    const size_t at = h * head_size;
    float *of_head = s + at * head_size;
    if (head_size == 64) {
      wkv7_head(of_head, y + at, r + at, w + at, k + at, v + at, minus_kk + at, b + at, 64);
    } else {
      wkv7_head(of_head, y + at, r + at, w + at, k + at, v + at, minus_kk + at, b + at, head_size);
    }
  }
}

void bonus7(float *y, const float *r, const float *k, const float *v, const float *r_k, const float *g,
            size_t rows, size_t heads, size_t head_size) {
  for (size_t part = 0; part < rows * heads; ++part) {
    const size_t from = part * head_size, at = part % heads * head_size;
    float bonus = 0.0f;
    for (size_t j = 0; j < head_size; ++j) bonus += r[from + j] * k[from + j] * r_k[at + j];
    for (size_t j = 0; j < head_size; ++j) y[from + j] = (y[from + j] + bonus * v[from + j]) * g[from + j];
  }
}

void wkv6(float *s, float *y, const float *r, const float *w, const float *k, const float *v, const float *u,
          size_t heads, size_t head_size) {
  for (size_t h = 0; h < heads; ++h) {
    const size_t at = h * head_size;
    float bonus = 0.0f;
    for (size_t i = 0; i < head_size; ++i) bonus += r[at + i] * u[at + i] * k[at + i];
    for (size_t j = 0; j < head_size; ++j) y[at + j] = bonus * v[at + j];
    for (size_t i = 0; i < head_size; ++i) {
      float *row = s + (at + i) * head_size;
      for (size_t j = 0; j < head_size; ++j) {
        y[at + j] += row[j] * r[at + i];
        row[j] = w[at + i] * row[j] + k[at + i] * v[at + j];
      }
    }
  }
}

} // namespace
