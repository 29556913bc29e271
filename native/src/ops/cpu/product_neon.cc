// Products for NEON (aarch64), with its dot product of bytes where the compiler is told that there is one.
#if defined(__aarch64__)
#include "../ops.h"
#include "lanes.h"

namespace {

typedef uint8_t Bytes __attribute__((vector_size(16)));

inline __attribute__((always_inline)) Part halves(const uint8_t *from) {
  return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(from)));
}
inline __attribute__((always_inline)) Part bf16_even(const uint8_t *from) {
  return vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_u8(vld1q_u8(from)), 16));
}
inline __attribute__((always_inline)) Part bf16_odd(const uint8_t *from) {
  return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_u8(vld1q_u8(from)), vdupq_n_u32(0xffff0000)));
}

// lines: signed bytes in all formats.
inline __attribute__((always_inline)) PartInts dot(const Bytes *w, const int8_t *x, size_t lines) {
  int32x4_t sum = vdupq_n_s32(0);
#if !defined(__ARM_FEATURE_DOTPROD)
  int32x4_t high_sum = sum; // two of the four columns of two rows each; the other two rows in `high_sum`
#endif
  for (size_t i = 0; i < lines; ++i) {
    const int8x16_t line = reinterpret_cast<int8x16_t>(w[i]);
    int32_t word;
    __builtin_memcpy(&word, x + 4 * i, sizeof word);
    const int8x16_t four = vreinterpretq_s8_s32(vdupq_n_s32(word));
#if defined(__ARM_FEATURE_DOTPROD)
    sum = vdotq_s32(sum, line, four);
#else
    sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(line), vget_low_s8(four)));
    high_sum = vpadalq_s16(high_sum, vmull_high_s8(line, four));
#endif
  }
#if !defined(__ARM_FEATURE_DOTPROD)
  sum = vpaddq_s32(sum, high_sum);
#endif
  return reinterpret_cast<PartInts>(sum);
}

inline PartInts dot_signed(const Bytes (&w)[8], const int8_t *x) { return dot(w, x, 8); }
inline PartInts dot_nibbles(const Bytes (&w)[8], const int8_t *x) { return dot(w, x, 8); }
inline PartInts dot_six(const Bytes *w, const int8_t *x) { return dot(w, x, 4); }

} // namespace

#include "product_lanes_kernels.h"

namespace rwkv {
extern const Products products_neon;
const Products products_neon = {input_bytes, prepare, matmul};
} // namespace rwkv
#endif
