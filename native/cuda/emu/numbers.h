// Numbers of CUDA: half, bfloat16, their pairs, bit casts, integer and fast-math intrinsics. "Fast" ones are exact here;
// what they lose on a device is for a test's tolerance.
#pragma once

#include "vectors.h"

#include <bit>
#include <cmath>
#include <cstdlib>

struct __half {
  uint16_t bits;
};
struct __nv_bfloat16 {
  uint16_t bits;
};
struct __attribute__((may_alias, aligned(4))) __half2 {
  __half x, y;
};
struct __attribute__((may_alias, aligned(4))) __nv_bfloat162 {
  __nv_bfloat16 x, y;
};
using half = __half;
using half2 = __half2;
using nv_bfloat16 = __nv_bfloat16;
using nv_bfloat162 = __nv_bfloat162;

inline unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
inline int __float_as_int(float x) { return std::bit_cast<int>(x); }
inline float __uint_as_float(unsigned x) { return std::bit_cast<float>(x); }
inline float __int_as_float(int x) { return std::bit_cast<float>(x); }
inline unsigned short __half_as_ushort(__half x) { return x.bits; }
inline __half __ushort_as_half(unsigned short x) { return {x}; }
inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 x) { return x.bits; }
inline __nv_bfloat16 __ushort_as_bfloat16(unsigned short x) { return {x}; }

namespace emu {

// A number to the nearest with `mantissa` stored bits and the given least exponent, ties to even; from double, so that a
// fused product and sum is rounded once.
inline double rounded(double x, int mantissa, int exponent_min) {
  if (!std::isfinite(x) || x == 0) return x;
  const int step = std::max(std::ilogb(x), exponent_min) - mantissa;
  return std::ldexp(std::nearbyint(std::ldexp(x, -step)), step);
}
inline __half to_half(double x) {
  const uint16_t sign = std::signbit(x) ? 0x8000 : 0;
  if (std::isnan(x)) return {0x7fff};
  const double size = std::fabs(rounded(x, 10, -14));
  if (size >= 65536) return {uint16_t(sign | 0x7c00)};
  if (size < 0x1p-14) return {uint16_t(sign | unsigned(size * 0x1p24))};
  const int exponent = std::ilogb(size);
  return {uint16_t(sign | unsigned(exponent + 15) << 10 | unsigned((std::ldexp(size, -exponent) - 1) * 1024))};
}
inline float from_half(__half x) {
  const unsigned exponent = x.bits >> 10 & 31, fraction = x.bits & 1023;
  float size = exponent == 0 ? float(fraction) * 0x1p-24f : std::ldexp(float(1024 + fraction), int(exponent) - 25);
  if (exponent == 31) size = fraction ? NAN : INFINITY;
  return x.bits & 0x8000 ? -size : size;
}
inline __nv_bfloat16 to_bfloat16(double x) {
  if (std::isnan(x)) return {0x7fff};
  return {uint16_t(std::bit_cast<uint32_t>(float(rounded(x, 7, -126))) >> 16)};
}
inline float from_bfloat16(__nv_bfloat16 x) { return std::bit_cast<float>(uint32_t(x.bits) << 16); }

} // namespace emu

inline float __half2float(__half x) { return emu::from_half(x); }
inline __half __float2half(float x) { return emu::to_half(x); }
inline __half __float2half_rn(float x) { return emu::to_half(x); }
inline float __bfloat162float(__nv_bfloat16 x) { return emu::from_bfloat16(x); }
inline __nv_bfloat16 __float2bfloat16(float x) { return emu::to_bfloat16(x); }
inline __nv_bfloat16 __float2bfloat16_rn(float x) { return emu::to_bfloat16(x); }

// The same list for both kinds of 16-bit numbers. Pair: the type of two, `to`: from double, `from`: to float.
#define EMU_SHORT_FLOATS(T, Pair, to, from)                                                                          \
  inline T __low2##from(Pair x) { return x.x; }                                                                      \
  inline T __high2##from(Pair x) { return x.y; }                                                                     \
  inline float __low2float(Pair x) { return emu::from_##to(x.x); }                                                   \
  inline float __high2float(Pair x) { return emu::from_##to(x.y); }                                                  \
  inline T __hadd(T x, T y) { return emu::to_##to(double(emu::from_##to(x)) + emu::from_##to(y)); }                   \
  inline T __hsub(T x, T y) { return emu::to_##to(double(emu::from_##to(x)) - emu::from_##to(y)); }                   \
  inline T __hmul(T x, T y) { return emu::to_##to(double(emu::from_##to(x)) * emu::from_##to(y)); }                   \
  inline T __hfma(T x, T y, T z) {                                                                                   \
    return emu::to_##to(double(emu::from_##to(x)) * emu::from_##to(y) + emu::from_##to(z));                          \
  }                                                                                                                  \
  inline T __hmax(T x, T y) { return emu::to_##to(std::fmax(emu::from_##to(x), emu::from_##to(y))); }                 \
  inline T __hmin(T x, T y) { return emu::to_##to(std::fmin(emu::from_##to(x), emu::from_##to(y))); }                 \
  inline T __hneg(T x) { return {uint16_t(x.bits ^ 0x8000)}; }                                                       \
  inline bool __hgt(T x, T y) { return emu::from_##to(x) > emu::from_##to(y); }                                      \
  inline bool __hlt(T x, T y) { return emu::from_##to(x) < emu::from_##to(y); }                                      \
  inline Pair __hadd2(Pair x, Pair y) { return {__hadd(x.x, y.x), __hadd(x.y, y.y)}; }                               \
  inline Pair __hsub2(Pair x, Pair y) { return {__hsub(x.x, y.x), __hsub(x.y, y.y)}; }                               \
  inline Pair __hmul2(Pair x, Pair y) { return {__hmul(x.x, y.x), __hmul(x.y, y.y)}; }                               \
  inline Pair __hfma2(Pair x, Pair y, Pair z) { return {__hfma(x.x, y.x, z.x), __hfma(x.y, y.y, z.y)}; }
EMU_SHORT_FLOATS(__half, __half2, half, half)
EMU_SHORT_FLOATS(__nv_bfloat16, __nv_bfloat162, bfloat16, bfloat16)
#undef EMU_SHORT_FLOATS

inline __half2 __halves2half2(__half x, __half y) { return {x, y}; }
inline __half2 __half2half2(__half x) { return {x, x}; }
inline __half2 __float2half2_rn(float x) { return {emu::to_half(x), emu::to_half(x)}; }
inline __half2 __floats2half2_rn(float x, float y) { return {emu::to_half(x), emu::to_half(y)}; }
inline __half2 __float22half2_rn(float2 x) { return __floats2half2_rn(x.x, x.y); }
inline float2 __half22float2(__half2 x) { return {emu::from_half(x.x), emu::from_half(x.y)}; }
inline __nv_bfloat162 __halves2bfloat162(__nv_bfloat16 x, __nv_bfloat16 y) { return {x, y}; }
inline __nv_bfloat162 __bfloat162bfloat162(__nv_bfloat16 x) { return {x, x}; }
inline __nv_bfloat162 __float2bfloat162_rn(float x) { return {emu::to_bfloat16(x), emu::to_bfloat16(x)}; }
inline __nv_bfloat162 __floats2bfloat162_rn(float x, float y) { return {emu::to_bfloat16(x), emu::to_bfloat16(y)}; }
inline __nv_bfloat162 __float22bfloat162_rn(float2 x) { return __floats2bfloat162_rn(x.x, x.y); }
inline float2 __bfloat1622float2(__nv_bfloat162 x) { return {emu::from_bfloat16(x.x), emu::from_bfloat16(x.y)}; }

inline float __expf(float x) { return std::exp(x); }
inline float __exp10f(float x) { return std::pow(10.0f, x); }
inline float __logf(float x) { return std::log(x); }
inline float __log2f(float x) { return std::log2(x); }
inline float __powf(float x, float y) { return std::pow(x, y); }
inline float __fdividef(float x, float y) { return x / y; }
inline float __fmaf_rn(float x, float y, float z) { return std::fma(x, y, z); }
inline float __fadd_rn(float x, float y) { return x + y; }
inline float __fsub_rn(float x, float y) { return x - y; }
inline float __fmul_rn(float x, float y) { return x * y; }
inline float __fdiv_rn(float x, float y) { return x / y; }
inline float __fsqrt_rn(float x) { return std::sqrt(x); }
inline float __frcp_rn(float x) { return 1 / x; }
inline float __frsqrt_rn(float x) { return float(1 / std::sqrt(double(x))); }
inline float rsqrtf(float x) { return __frsqrt_rn(x); }
inline float __saturatef(float x) { return x > 0 ? std::fmin(x, 1.0f) : 0; }
inline int __float2int_rn(float x) { return int(std::nearbyint(x)); }
inline int __float2int_rz(float x) { return int(x); }
inline int __float2int_rd(float x) { return int(std::floor(x)); }
inline int __float2int_ru(float x) { return int(std::ceil(x)); }
inline unsigned __float2uint_rn(float x) { return unsigned(std::nearbyint(x)); }
inline unsigned __float2uint_rz(float x) { return unsigned(x); }
inline float __int2float_rn(int x) { return float(x); }
inline float __uint2float_rn(unsigned x) { return float(x); }

inline int __popc(unsigned x) { return std::popcount(x); }
inline int __popcll(unsigned long long x) { return std::popcount(x); }
inline int __clz(int x) { return std::countl_zero(unsigned(x)); }
inline int __clzll(long long x) { return std::countl_zero((unsigned long long)(x)); }
inline int __ffs(int x) { return x ? std::countr_zero(unsigned(x)) + 1 : 0; }
inline int __ffsll(long long x) { return x ? std::countr_zero((unsigned long long)(x)) + 1 : 0; }
inline unsigned __umulhi(unsigned x, unsigned y) { return unsigned(uint64_t(x) * y >> 32); }
inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned by) {
  return unsigned((uint64_t(high) << 32 | low) >> (by & 31));
}
inline unsigned __funnelshift_l(unsigned low, unsigned high, unsigned by) {
  return unsigned((uint64_t(high) << 32 | low) << (by & 31) >> 32);
}
inline unsigned __byte_perm(unsigned x, unsigned y, unsigned picks) {
  const uint64_t bytes = uint64_t(y) << 32 | x;
  unsigned out = 0;
  for (unsigned index = 0; index < 4; ++index) {
    const unsigned pick = picks >> (4 * index) & 15, byte = unsigned(bytes >> (8 * (pick & 7))) & 255;
    out |= (pick & 8 ? (byte & 128 ? 255u : 0u) : byte) << (8 * index);
  }
  return out;
}
inline int __dp4a(int x, int y, int sum) {
  for (int shift = 0; shift < 32; shift += 8) sum += int8_t(x >> shift) * int8_t(y >> shift);
  return sum;
}
inline unsigned __dp4a(unsigned x, unsigned y, unsigned sum) {
  for (int shift = 0; shift < 32; shift += 8) sum += (x >> shift & 255) * (y >> shift & 255);
  return sum;
}

// CUDA's min and max of the global namespace.
#define EMU_LEAST_AND_MOST(T)                                \
  inline constexpr T min(T x, T y) { return y < x ? y : x; } \
  inline constexpr T max(T x, T y) { return x < y ? y : x; }
EMU_LEAST_AND_MOST(int)
EMU_LEAST_AND_MOST(unsigned)
EMU_LEAST_AND_MOST(long)
EMU_LEAST_AND_MOST(unsigned long)
EMU_LEAST_AND_MOST(long long)
EMU_LEAST_AND_MOST(unsigned long long)
#undef EMU_LEAST_AND_MOST
inline float min(float x, float y) { return std::fmin(x, y); }
inline float max(float x, float y) { return std::fmax(x, y); }
inline double min(double x, double y) { return std::fmin(x, y); }
inline double max(double x, double y) { return std::fmax(x, y); }
