// Numbers out of the tiles of tiles.h, on the device: the one place that knows what the bytes of a format mean there.
#pragma once

#include "emu/simt.h"
#include "tiles.h"

namespace rwkv::cuda {

__device__ __forceinline__ uint32_t word_at(const uint8_t *at) { return *reinterpret_cast<const uint32_t *>(at); }
__device__ __forceinline__ float half_at(const uint8_t *at) {
  return __half2float(*reinterpret_cast<const __half *>(at));
}
__device__ __forceinline__ float half_of(uint32_t bits) {
  return __half2float(__ushort_as_half(static_cast<unsigned short>(bits)));
}

// In block `block` of 32 columns of row r of a tile, the columns 4t .. 4t + 3 and 16 + 4t .. 16 + 4t + 3, for t < 4:
// what one thread of a tensor-core product holds of two steps.
template <Format format>
__device__ __forceinline__ void eight_numbers(float (&out)[8], const uint8_t *tile, unsigned block, unsigned r,
                                              unsigned t) {
  if constexpr (format == Format::f32) {
    const float *const at = reinterpret_cast<const float *>(tile) + (block * 32 + 4 * t) * 16 + r;
#pragma unroll
    for (int i = 0; i < 4; ++i) out[i] = at[16 * i], out[4 + i] = at[256 + 16 * i];
  } else if constexpr (format == Format::f16 || format == Format::bf16) {
    const uint8_t *const at = tile + block * 1024 + (2 * t * 16 + r) * 4;
#pragma unroll
    for (int pair = 0; pair < 4; ++pair) { // two of them 16 columns on
      const uint32_t word = word_at(at + pair / 2 * 512 + pair % 2 * 64);
      if constexpr (format == Format::f16) {
        out[2 * pair] = half_of(word & 0xffff), out[2 * pair + 1] = half_of(word >> 16);
      } else {
        out[2 * pair] = __uint_as_float(word << 16), out[2 * pair + 1] = __uint_as_float(word & 0xffff0000u);
      }
    }
  } else if constexpr (format == Format::q8) {
    const uint8_t *const group = tile + block / 2 * 1088;
    const float scale = half_at(group + (block % 2 * 16 + r) * 2);
    const uint8_t *const at = group + 64 + ((block % 2 * 8 + t) * 16 + r) * 4;
#pragma unroll
    for (int side = 0; side < 2; ++side) {
      const uint32_t word = word_at(at + side * 256);
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        out[4 * side + i] = scale * (static_cast<float>(word >> 8 * i & 0xff) - 128.0f);
      }
    }
  } else if constexpr (format == Format::q6) {
    const uint8_t *const group = tile + block / 8 * 3392;
    const unsigned b = block % 8;
    const float d = half_at(group + 2 * r);
    const uint32_t low = word_at(group + 320 + ((4 * b + t) * 16 + r) * 4);
    const uint32_t high = word_at(group + 2368 + ((2 * b + t % 2) * 16 + r) * 4) >> t / 2 * 2;
#pragma unroll
    for (int side = 0; side < 2; ++side) {
      const float scale = d * static_cast<float>(static_cast<signed char>(group[64 + (2 * b + side) * 16 + r]));
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const uint32_t number = (low >> (8 * i + 4 * side) & 15) | (high >> (8 * i + 4 * side) & 3) << 4;
        out[4 * side + i] = scale * (static_cast<float>(number) - 32.0f);
      }
    }
  } else {
    const uint8_t *const group = tile + block / 8 * 2368;
    const unsigned b = block % 8;
    const float scale = half_at(group + 2 * r) * static_cast<float>(group[64 + b * 16 + r]);
    const float least = half_at(group + 32 + 2 * r) * static_cast<float>(group[192 + b * 16 + r]);
    const uint32_t word = word_at(group + 320 + ((4 * b + t) * 16 + r) * 4);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      out[i] = scale * static_cast<float>(word >> 8 * i & 15) - least;
      out[4 + i] = scale * static_cast<float>(word >> (8 * i + 4) & 15) - least;
    }
  }
}

} // namespace rwkv::cuda
