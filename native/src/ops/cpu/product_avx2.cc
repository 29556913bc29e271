// Products for AVX2, FMA and F16C. Integers are multiplied in pairs into 16 bits, which none of the sums here leaves.
#include "../ops.h"
#include "lanes.h"

namespace {

typedef uint8_t Bytes __attribute__((vector_size(32)));

inline __attribute__((always_inline)) Part halves(const uint8_t *from) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i *>(from)));
}
inline __attribute__((always_inline)) __m256i load_pairs(const uint8_t *from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i *>(from));
}
inline __attribute__((always_inline)) Part bf16_even(const uint8_t *from) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(load_pairs(from), 16));
}
inline __attribute__((always_inline)) Part bf16_odd(const uint8_t *from) {
  return _mm256_castsi256_ps(_mm256_and_si256(load_pairs(from), _mm256_set1_epi32(static_cast<int>(0xffff0000))));
}

inline __attribute__((always_inline)) __m256i four(const int8_t *x) {
  int32_t word;
  __builtin_memcpy(&word, x, sizeof word);
  return _mm256_set1_epi32(word);
}
// Unsigned times signed, summed in pairs.
inline __attribute__((always_inline)) __m256i pairs(Bytes w, const int8_t *x) {
  return _mm256_maddubs_epi16(reinterpret_cast<__m256i>(w), four(x));
}
inline __attribute__((always_inline)) __m256i fours(__m256i sums) {
  return _mm256_madd_epi16(sums, _mm256_set1_epi16(1));
}

// The sign goes over to x: 2 · 128 · 127 fits.
inline __attribute__((always_inline)) PartInts dot_signed(const Bytes (&w)[8], const int8_t *x) {
  __m256i sum = _mm256_setzero_si256();
  for (size_t i = 0; i < 8; ++i) {
    const __m256i line = reinterpret_cast<__m256i>(w[i]);
    const __m256i pair = _mm256_maddubs_epi16(_mm256_abs_epi8(line), _mm256_sign_epi8(four(x + 4 * i), line));
    sum = _mm256_add_epi32(sum, fours(pair));
  }
  return reinterpret_cast<PartInts>(sum);
}

// 8 · 2 · 15 · 127 fits.
inline __attribute__((always_inline)) PartInts dot_nibbles(const Bytes (&w)[8], const int8_t *x) {
  __m256i sum = pairs(w[0], x);
  for (size_t i = 1; i < 8; ++i) sum = _mm256_add_epi16(sum, pairs(w[i], x + 4 * i));
  return reinterpret_cast<PartInts>(fours(sum));
}

// 2 · 2 · 63 · 127 fits.
inline __attribute__((always_inline)) PartInts dot_six(const Bytes *w, const int8_t *x) {
  const __m256i first = _mm256_add_epi16(pairs(w[0], x), pairs(w[1], x + 4));
  const __m256i second = _mm256_add_epi16(pairs(w[2], x + 8), pairs(w[3], x + 12));
  return reinterpret_cast<PartInts>(_mm256_add_epi32(fours(first), fours(second)));
}

} // namespace

#include "product_lanes_kernels.h"

namespace rwkv {
extern const Products products_avx2;
const Products products_avx2 = {input_bytes, prepare, matmul};
} // namespace rwkv
