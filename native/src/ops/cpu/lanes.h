// A register of floats of the vector unit that this is compiled for, and what is done with it. An element gets the same
// bits whichever lane it is in, so what is left of a row goes through the same code, padded. fma is fused where the unit
// can do it. In an unnamed namespace because files compiled for different vector units include it.
#pragma once

#include <stddef.h>
#include <stdint.h>
#if defined(__AVX2__) || defined(__AVX512F__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized" // inside the header of GCC 12
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#elif defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace {

#if defined(__AVX512F__)
constexpr size_t part_lanes = 16;
#elif defined(__AVX2__)
constexpr size_t part_lanes = 8;
#else
constexpr size_t part_lanes = 4;
#endif

typedef float Part __attribute__((vector_size(part_lanes * sizeof(float))));
typedef int32_t PartInts __attribute__((vector_size(part_lanes * sizeof(int32_t))));

inline __attribute__((always_inline)) void load_part(Part &part, const float *from) {
  __builtin_memcpy(&part, from, sizeof part);
}
inline __attribute__((always_inline)) void load_part(float &part, const float *from) { part = *from; }

// V: Part, or float for what is left.
template <typename V>
inline __attribute__((always_inline)) V load(const float *from) {
  V part;
  load_part(part, from);
  return part;
}
template <typename V>
inline __attribute__((always_inline)) void store(float *to, V part) {
  __builtin_memcpy(to, &part, sizeof part);
}
template <typename V>
inline __attribute__((always_inline)) V splat(float value) {
  return V{} + value;
}

// The first `count` lanes; the others are 0 and are not written.
inline __attribute__((always_inline)) Part load_some(const float *from, size_t count) {
  float some[part_lanes] = {};
  for (size_t i = 0; i < count; ++i) some[i] = from[i];
  return load<Part>(some);
}
inline __attribute__((always_inline)) void store_some(float *to, Part part, size_t count) {
  float some[part_lanes];
  store(some, part);
  for (size_t i = 0; i < count; ++i) to[i] = some[i];
}

// a · b + c
inline __attribute__((always_inline)) Part fma(Part a, Part b, Part c) {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(a, b, c);
#elif defined(__FMA__) && defined(__AVX2__)
  return _mm256_fmadd_ps(a, b, c);
#elif defined(__ARM_NEON) && defined(__aarch64__)
  return vfmaq_f32(c, a, b);
#else
  return a * b + c;
#endif
}
inline __attribute__((always_inline)) float fma(float a, float b, float c) {
#if defined(__FMA__) || (defined(__ARM_NEON) && defined(__aarch64__))
  return __builtin_fmaf(a, b, c);
#else
  return a * b + c;
#endif
}

// One fixed order: halves, then their halves.
inline __attribute__((always_inline)) float sum(Part part) {
  float lanes[part_lanes];
  store(lanes, part);
  for (size_t n = part_lanes / 2; n > 0; n /= 2) {
    for (size_t i = 0; i < n; ++i) lanes[i] += lanes[i + n];
  }
  return lanes[0];
}

// out[i] = f(in[i]...) for i below count. out may be one of them.
template <typename F, typename... In>
inline __attribute__((always_inline)) void each(float *out, size_t count, F f, const In *...in) {
  size_t i = 0;
  for (; i + part_lanes <= count; i += part_lanes) store(out + i, f(load<Part>(in + i)...));
  if (i < count) store_some(out + i, f(load_some(in + i, count - i)...), count - i);
}

// Sum of f(in[i]...), which is 0 where all of them are. Four running sums, so that additions overlap.
template <typename F, typename... In>
inline __attribute__((always_inline)) float total(size_t count, F f, const In *...in) {
  constexpr size_t sums = 4;
  Part part[sums] = {};
  size_t i = 0;
  for (; i + sums * part_lanes <= count; i += sums * part_lanes) {
    for (size_t p = 0; p < sums; ++p) part[p] = f(part[p], load<Part>(in + i + p * part_lanes)...);
  }
  for (; i < count; i += part_lanes) {
    const size_t left = count - i < part_lanes ? count - i : part_lanes;
    part[0] = f(part[0], load_some(in + i, left)...);
  }
  return sum((part[0] + part[1]) + (part[2] + part[3]));
}
// total's f for Σ x·y.
struct AddProduct {
  inline __attribute__((always_inline)) Part operator()(Part so_far, Part x, Part y) const { return fma(x, y, so_far); }
};

} // namespace
