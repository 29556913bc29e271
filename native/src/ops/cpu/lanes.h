// Sixteen floats side by side, and sums over them in one fixed order. The compiler maps them to whatever
// vector unit it compiles for (16x1, 8x2 or 4x4 floats); products are never fused with sums (the build says
// -ffp-contract=off), so every mapping gives the same bits.
#pragma once

#include <cstddef>

namespace {

constexpr size_t lane_count = 16;
typedef float Lanes __attribute__((vector_size(64)));

inline __attribute__((always_inline)) void load(Lanes &lanes, const float *from) {
  __builtin_memcpy(&lanes, from, sizeof lanes);
}

inline __attribute__((always_inline)) void store(float *to, const Lanes &lanes) {
  __builtin_memcpy(to, &lanes, sizeof lanes);
}

// The first `count` floats, the rest 0.
inline __attribute__((always_inline)) void load_tail(Lanes &lanes, const float *from, size_t count) {
  float padded[lane_count] = {};
  for (size_t i = 0; i < count; ++i) padded[i] = from[i];
  load(lanes, padded);
}

typedef float Half __attribute__((vector_size(32)));
typedef float Quarter __attribute__((vector_size(16)));

inline __attribute__((always_inline)) float sum(const Lanes &lanes) {
  Half a, b;
  __builtin_memcpy(&a, &lanes, 32);
  __builtin_memcpy(&b, reinterpret_cast<const char *>(&lanes) + 32, 32);
  a += b;
  Quarter c, d;
  __builtin_memcpy(&c, &a, 16);
  __builtin_memcpy(&d, reinterpret_cast<const char *>(&a) + 16, 16);
  c += d;
  return (c[0] + c[2]) + (c[1] + c[3]);
}

inline float dot(const float *x, const float *y, size_t count) {
  Lanes total = {}, a, b;
  size_t i = 0;
  for (; i + lane_count <= count; i += lane_count) {
    load(a, x + i), load(b, y + i);
    total += a * b;
  }
  if (i < count) {
    load_tail(a, x + i, count - i), load_tail(b, y + i, count - i);
    total += a * b;
  }
  return sum(total);
}

} // namespace
