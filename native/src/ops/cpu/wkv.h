// The recurrences of RWKV-7 and RWKV-6, and the steps per head around them. S stays fp32.
// S is [key j][value i], so all sums are over rows and none is across a register. The values of a head are cut into
// blocks whose sums stay in registers; a block goes through all positions of a call before the next one, and S of a head
// (16 KB) stays in the first-level cache.
#pragma once

#include "lanes.h"

namespace {

#if defined(__AVX512F__) // registers of values that a block is wide: as many as leave room for what they are made of
constexpr size_t block_parts = 4;
#else
constexpr size_t block_parts = 2;
#endif

void keys7(float *k, float *minus_kk, float *b, const float *a, const float *k_k, const float *k_a, size_t rows,
           size_t heads, size_t head_size) {
  for (size_t part = 0; part < rows * heads; ++part) {
    const size_t from = part * head_size, at = part % heads * head_size;
    float *const u = minus_kk + from, *const key = k + from;
    const float *const alpha = a + from;
    each(u, head_size, [](Part x, Part y) { return x * y; }, key, k_k + at);
    const float length = __builtin_sqrtf(total(head_size, AddProduct(), u, u));
    const float scale = -1.0f / (length > 1e-12f ? length : 1e-12f);
    each(u, head_size, [&](Part x) { return x * scale; }, u);
    each(b + from, head_size, [](Part x, Part y) { return -x * y; }, u, alpha);
    each(key, head_size, [](Part x, Part y, Part z) { return x * fma(y - 1.0f, z, splat<Part>(1.0f)); }, key, alpha,
         k_a + at);
  }
}

void bonus7(float *y, const float *r, const float *k, const float *v, const float *r_k, const float *g,
            size_t rows, size_t heads, size_t head_size) {
  for (size_t part = 0; part < rows * heads; ++part) {
    const size_t from = part * head_size, at = part % heads * head_size;
    const auto add = [](Part so_far, Part x, Part z, Part u) { return fma(x * z, u, so_far); };
    const Part bonus = splat<Part>(total(head_size, add, r + from, k + from, r_k + at));
    each(y + from, head_size, [&](Part x, Part value, Part gate) { return fma(bonus, value, x) * gate; }, y + from,
         v + from, g + from);
  }
}

// The numbers of one head; a position is `stride` floats behind the one before.
struct Sequence7 {
  float *y;
  const float *r, *w, *k, *v, *minus_kk, *b;
  size_t rows, stride, head_size;
};

// P registers of values, all positions. The pass that makes S of a position also sums what the next one removes.
template <typename V, size_t P>
inline __attribute__((always_inline)) void wkv7_block(float *s, const Sequence7 &in, size_t first) {
  constexpr size_t lanes = sizeof(V) / sizeof(float);
  const size_t size = in.head_size;
  V removed[P] = {};
  for (size_t j = 0; j < size; ++j) {
    const V minus_kk = splat<V>(in.minus_kk[j]);
    for (size_t p = 0; p < P; ++p) {
      removed[p] = fma(load<V>(s + j * size + first + p * lanes), minus_kk, removed[p]);
    }
  }
  for (size_t t = 0; t < in.rows; ++t) {
    const size_t at = t * in.stride, next = (t + 1 < in.rows ? t + 1 : t) * in.stride;
    V v[P], y[P] = {}, removed_next[P] = {};
    for (size_t p = 0; p < P; ++p) v[p] = load<V>(in.v + at + first + p * lanes);
    for (size_t j = 0; j < size; ++j) {
      const V w = splat<V>(in.w[at + j]), b = splat<V>(in.b[at + j]), k = splat<V>(in.k[at + j]);
      const V r = splat<V>(in.r[at + j]), minus_kk = splat<V>(in.minus_kk[next + j]);
      float *const row = s + j * size + first;
      for (size_t p = 0; p < P; ++p) {
        const V now = fma(load<V>(row + p * lanes), w, fma(removed[p], b, v[p] * k));
        store(row + p * lanes, now);
        y[p] = fma(now, r, y[p]);
        removed_next[p] = fma(now, minus_kk, removed_next[p]);
      }
    }
    for (size_t p = 0; p < P; ++p) {
      store(in.y + at + first + p * lanes, y[p]);
      removed[p] = removed_next[p];
    }
  }
}

void wkv7(float *s, float *y, const float *r, const float *w, const float *k, const float *v,
          const float *minus_kk, const float *b, size_t rows, size_t stride, size_t heads, size_t head_size) {
  constexpr size_t block = block_parts * part_lanes;
  const size_t whole = head_size / block * block;
  for (size_t h = 0; h < heads; ++h) {
    const size_t at = h * head_size;
    const Sequence7 in{y + at, r + at, w + at, k + at, v + at, minus_kk + at, b + at, rows, stride, head_size};
    float *const of_head = s + at * head_size;
    for (size_t i = 0; i < whole; i += block) wkv7_block<Part, block_parts>(of_head, in, i);
    for (size_t i = whole; i < head_size; ++i) wkv7_block<float, 1>(of_head, in, i);
  }
}

struct Sequence6 {
  float *y;
  const float *r, *w, *k, *v, *u;
  size_t rows, stride, head_size;
};

template <typename V, size_t P>
inline __attribute__((always_inline)) void wkv6_block(float *s, const Sequence6 &in, size_t first) {
  constexpr size_t lanes = sizeof(V) / sizeof(float);
  const size_t size = in.head_size;
  for (size_t t = 0; t < in.rows; ++t) {
    const size_t at = t * in.stride;
    const auto add = [](Part so_far, Part x, Part z, Part u) { return fma(x * z, u, so_far); };
    const V bonus = splat<V>(total(size, add, in.r + at, in.k + at, in.u));
    V v[P], y[P];
    for (size_t p = 0; p < P; ++p) {
      v[p] = load<V>(in.v + at + first + p * lanes);
      y[p] = bonus * v[p];
    }
    for (size_t j = 0; j < size; ++j) {
      const V w = splat<V>(in.w[at + j]), k = splat<V>(in.k[at + j]), r = splat<V>(in.r[at + j]);
      float *const row = s + j * size + first;
      for (size_t p = 0; p < P; ++p) {
        const V before = load<V>(row + p * lanes);
        y[p] = fma(before, r, y[p]);
        store(row + p * lanes, fma(w, before, k * v[p]));
      }
    }
    for (size_t p = 0; p < P; ++p) store(in.y + at + first + p * lanes, y[p]);
  }
}

void wkv6(float *s, float *y, const float *r, const float *w, const float *k, const float *v, const float *u,
          size_t rows, size_t stride, size_t heads, size_t head_size) {
  constexpr size_t block = block_parts * part_lanes;
  const size_t whole = head_size / block * block;
  for (size_t h = 0; h < heads; ++h) {
    const size_t at = h * head_size;
    const Sequence6 in{y + at, r + at, w + at, k + at, v + at, u + at, rows, stride, head_size};
    float *const of_head = s + at * head_size;
    for (size_t i = 0; i < whole; i += block) wkv6_block<Part, block_parts>(of_head, in, i);
    for (size_t i = whole; i < head_size; ++i) wkv6_block<float, 1>(of_head, in, i);
  }
}

} // namespace
