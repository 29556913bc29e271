// Sixteen numbers of a matrix as fp32, whatever it is held in. Every value of f16 and bf16 is a value of fp32, so
// nothing is rounded, and the two ways for f16 (hardware and plain) give the same bits.
#pragma once

#include "lanes.h"

#include <stdint.h>
#if defined(__F16C__)
#include <immintrin.h>
#endif

namespace {

struct Bf16 {
  uint16_t bits;
};
struct F16 {
  uint16_t bits;
};

typedef uint16_t Words __attribute__((vector_size(32)));
typedef uint32_t WideWords __attribute__((vector_size(64)));

inline __attribute__((always_inline)) void load(Lanes &lanes, const Bf16 *from) {
  Words words;
  __builtin_memcpy(&words, from, sizeof words);
  const WideWords wide = __builtin_convertvector(words, WideWords) << 16;
  __builtin_memcpy(&lanes, &wide, sizeof lanes);
}

inline __attribute__((always_inline)) void load(Lanes &lanes, const F16 *from) {
#if defined(__AVX512F__)
  __m256i words;
  __builtin_memcpy(&words, from, sizeof words);
  const __m512 wide = _mm512_cvtph_ps(words);
  __builtin_memcpy(&lanes, &wide, sizeof lanes);
#elif defined(__F16C__)
  for (size_t half = 0; half < 2; ++half) {
    __m128i words;
    __builtin_memcpy(&words, from + 8 * half, sizeof words);
    const __m256 wide = _mm256_cvtph_ps(words);
    __builtin_memcpy(reinterpret_cast<char *>(&lanes) + 32 * half, &wide, sizeof wide);
  }
#else
  Words words;
  __builtin_memcpy(&words, from, sizeof words);
  const WideWords wide = __builtin_convertvector(words, WideWords);
  const WideWords sign = (wide & 0x8000) << 16, magnitude = (wide & 0x7fff) << 13;
  // Normal: only the exponent moves (weights are finite). Subnormal: fraction · 2^-24, as (2^-14 + that) - 2^-14,
  // which no flush-to-zero setting can touch.
  const WideWords normal = magnitude + (112u << 23), lifted = magnitude + (113u << 23);
  Lanes value;
  __builtin_memcpy(&value, &lifted, sizeof value);
  value -= 0x1p-14f;
  WideWords subnormal;
  __builtin_memcpy(&subnormal, &value, sizeof value);
  const WideWords is_small = static_cast<WideWords>(magnitude < (1u << 23));
  const WideWords bits = (is_small & subnormal) | (~is_small & normal) | sign;
  __builtin_memcpy(&lanes, &bits, sizeof lanes);
#endif
}

// The first `count` numbers, the rest 0.
template <typename Word>
inline __attribute__((always_inline)) void load_tail(Lanes &lanes, const Word *from, size_t count) {
  Word padded[lane_count] = {};
  for (size_t i = 0; i < count; ++i) padded[i] = from[i];
  load(lanes, padded);
}

} // namespace
