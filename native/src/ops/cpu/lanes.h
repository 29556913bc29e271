// Sixteen floats side by side, and sums over them in one fixed order. They are held as the registers of the vector
// unit that this is compiled for (1 x 16, 2 x 8 or 4 x 4 floats); products are never fused with sums (the build says
// -ffp-contract=off), so every mapping gives the same bits.
#pragma once

#include <stddef.h>

namespace {

constexpr size_t lane_count = 16;
#if defined(__AVX512F__)
constexpr size_t part_lanes = 16;
#elif defined(__AVX2__)
constexpr size_t part_lanes = 8;
#else
constexpr size_t part_lanes = 4;
#endif
constexpr size_t part_count = lane_count / part_lanes;

typedef float Part __attribute__((vector_size(part_lanes * sizeof(float))));

struct Lanes {
  Part part[part_count];
};

inline __attribute__((always_inline)) void load_part(Part &part, const float *from) {
  __builtin_memcpy(&part, from, sizeof part);
}

// total += a · b, lane by lane
inline __attribute__((always_inline)) void add_products(Lanes &total, const float *a, const float *b) {
  for (size_t p = 0; p < part_count; ++p) {
    Part x, y;
    load_part(x, a + p * part_lanes), load_part(y, b + p * part_lanes);
    total.part[p] += x * y;
  }
}

// For what is left of a row behind its last sixteen; the rest stays zero.
template <typename Number>
inline __attribute__((always_inline)) void copy(Number (&to)[lane_count], const Number *from, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] = from[i];
}

typedef float Quarter __attribute__((vector_size(16)));

inline __attribute__((always_inline)) float sum(const Lanes &lanes) {
  Quarter q[4];
  __builtin_memcpy(q, &lanes, sizeof q);
  const Quarter c = (q[0] + q[2]) + (q[1] + q[3]); // halves first, then their halves
  return (c[0] + c[2]) + (c[1] + c[3]);
}

inline float dot(const float *x, const float *y, size_t count) {
  Lanes total = {};
  size_t i = 0;
  for (; i + lane_count <= count; i += lane_count) add_products(total, x + i, y + i);
  if (i < count) {
    float a[lane_count] = {}, b[lane_count] = {};
    copy(a, x + i, count - i), copy(b, y + i, count - i);
    add_products(total, a, b);
  }
  return sum(total);
}

} // namespace
