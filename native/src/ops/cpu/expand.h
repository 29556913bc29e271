// Numbers of a matrix as fp32, whatever it is held in. Every value of f16 and bf16 is a value of fp32, so nothing is
// rounded, and the ways for f16 (hardware and plain) give the same bits.
#pragma once

#include "lanes.h"

#include <stdint.h>
#if defined(__AVX2__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized" // inside the header of GCC 12
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#endif

namespace {

struct Bf16 {
  uint16_t bits;
};
struct F16 {
  uint16_t bits;
};

typedef uint16_t Words __attribute__((vector_size(part_lanes * sizeof(uint16_t))));
typedef uint32_t WideWords __attribute__((vector_size(part_lanes * sizeof(uint32_t))));

inline __attribute__((always_inline)) void load_part(Part &part, const Bf16 *from) {
#if defined(__AVX512F__) // one permutation: word i goes to the upper half of lane i, the lower half is zeroed
  __m256i words;
  __builtin_memcpy(&words, from, sizeof words);
  const __m512i order = _mm512_set_epi16(15, 15, 14, 14, 13, 13, 12, 12, 11, 11, 10, 10, 9, 9, 8, 8, 7, 7, 6, 6, 5, 5,
                                         4, 4, 3, 3, 2, 2, 1, 1, 0, 0);
  part = reinterpret_cast<Part>(_mm512_maskz_permutexvar_epi16(0xaaaaaaaa, order, _mm512_zextsi256_si512(words)));
#elif defined(__AVX2__)
  __m128i words;
  __builtin_memcpy(&words, from, sizeof words);
  part = reinterpret_cast<Part>(_mm256_slli_epi32(_mm256_cvtepu16_epi32(words), 16));
#else
  Words words;
  __builtin_memcpy(&words, from, sizeof words);
  part = reinterpret_cast<Part>(__builtin_convertvector(words, WideWords) << 16);
#endif
}

inline __attribute__((always_inline)) void load_part(Part &part, const F16 *from) {
#if defined(__AVX512F__)
  __m256i words;
  __builtin_memcpy(&words, from, sizeof words);
  part = _mm512_maskz_cvtph_ps(0xffff, words); // the plain form warns
#elif defined(__F16C__)
  __m128i words;
  __builtin_memcpy(&words, from, sizeof words);
  part = _mm256_cvtph_ps(words);
#else
  Words words;
  __builtin_memcpy(&words, from, sizeof words);
  const WideWords wide = __builtin_convertvector(words, WideWords);
  const WideWords sign = (wide & 0x8000) << 16, magnitude = (wide & 0x7fff) << 13;
  // Normal: only the exponent moves (weights are finite). Subnormal: fraction · 2^-24, as (2^-14 + that) - 2^-14,
  // which no flush-to-zero setting can touch.
  const WideWords normal = magnitude + (112u << 23);
  const Part lifted = reinterpret_cast<Part>(magnitude + (113u << 23)) - 0x1p-14f;
  const WideWords is_small = reinterpret_cast<WideWords>(magnitude < (1u << 23));
  const WideWords bits = (is_small & reinterpret_cast<WideWords>(lifted)) | (~is_small & normal);
  part = reinterpret_cast<Part>(bits | sign);
#endif
}

} // namespace
