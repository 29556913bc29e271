// e^x and its relatives on the device, to the bit those of src/ops/cpu/exp_f32.h (a test holds them together): both
// samplers must see the same weights. Compiled without fused products, as the original is.
#pragma once

#include "emu/simt.h"

#include <cstdint>

namespace rwkv::cuda {

__device__ __forceinline__ float exponential(float x) {
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  constexpr float magic = 12582912.0f; // 1.5 · 2^23: adding it rounds to an integer
  const float n = (x * 1.44269504f + magic) - magic;
  const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f; // ln 2 in two parts
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  return p * __int_as_float((static_cast<int32_t>(n) + 127) << 23);
}

__device__ __forceinline__ float sigmoid(float x) { return 1.0f / (1.0f + exponential(-x)); }
__device__ __forceinline__ float hyperbolic_tangent(float x) { return 1.0f - 2.0f / (exponential(2.0f * x) + 1.0f); }
// The decay of RWKV-7: exp(−e^(−1/2) · σ(x))
__device__ __forceinline__ float decay7(float x) { return exponential(-0.60653065971263342f * sigmoid(x)); }

} // namespace rwkv::cuda
