// e^x and its relatives in plain fp32 arithmetic: the same bits on every machine and in every vector width,
// which the C library does not promise. Relative error below 2e-7 where the result is a normal number.
// In an unnamed namespace because files compiled for different vector units include it.
#pragma once

#include <cstdint>

namespace {

inline float exp_f32(float x) {
  x = x < -87.0f ? -87.0f : x; // keeps 2^n a normal number; e^-87 is 1.6e-38
  x = x > 88.0f ? 88.0f : x;
  constexpr float magic = 12582912.0f; // 1.5 · 2^23: adding it rounds to an integer
  const float n = (x * 1.44269504f + magic) - magic;
  const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f; // ln 2 in two parts, |r| < 0.35
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const int32_t bits = (static_cast<int32_t>(n) + 127) << 23;
  float scale;
  __builtin_memcpy(&scale, &bits, sizeof scale);
  return p * scale;
}

inline float sigmoid_f32(float x) { return 1.0f / (1.0f + exp_f32(-x)); }
inline float tanh_f32(float x) { return 1.0f - 2.0f / (exp_f32(2.0f * x) + 1.0f); }

} // namespace
