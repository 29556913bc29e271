// Single numbers of 16 bits as fp32, by integer arithmetic alone: exact for every finite value on every machine.
// In an unnamed namespace because files compiled for different vector units include it.
#pragma once

#include <stdint.h>

namespace {

inline float float_of(uint32_t bits) {
  float out;
  __builtin_memcpy(&out, &bits, sizeof out);
  return out;
}

inline float bf16_value(uint16_t bits) { return float_of(static_cast<uint32_t>(bits) << 16); }

// Finite numbers. Normal: only the exponent moves. Subnormal: fraction · 2^-24, as (2^-14 + that) - 2^-14. Without a
// branch, so that loops over it become vectors.
inline float f16_value(uint16_t bits) {
  const uint32_t magnitude = (bits & 0x7fffu) << 13, sign = (bits & 0x8000u) << 16;
  const float lifted = float_of(magnitude + (113u << 23)) - 0x1p-14f;
  uint32_t small;
  __builtin_memcpy(&small, &lifted, sizeof small);
  const uint32_t is_small = magnitude < 1u << 23 ? 0xffffffffu : 0;
  return float_of((small & is_small) | ((magnitude + (112u << 23)) & ~is_small) | sign);
}

} // namespace
