// e^x and its relatives, a register at a time: exp_f32.h with fused products where the vector unit has them.
// Relative error below 2e-7 where the result is a normal number.
#pragma once

#include "lanes.h"

namespace {

inline __attribute__((always_inline)) Part exp_lanes(Part x) {
  const Part least = splat<Part>(-87.0f), most = splat<Part>(88.0f); // as in exp_f32
  x = x < least ? least : x;
  x = x > most ? most : x;
  const Part magic = splat<Part>(12582912.0f);
  const Part n = fma(x, splat<Part>(1.44269504f), magic) - magic;
  const Part r = fma(n, splat<Part>(2.12194440e-4f), fma(n, splat<Part>(-0.693359375f), x));
  constexpr float terms[] = {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f};
  Part p = splat<Part>(1.0f / 5040);
  for (const float term : terms) p = fma(p, r, splat<Part>(term));
  const PartInts bits = (__builtin_convertvector(n, PartInts) + 127) << 23;
  return p * reinterpret_cast<Part>(bits);
}

inline __attribute__((always_inline)) Part sigmoid_lanes(Part x) { return 1.0f / (1.0f + exp_lanes(-x)); }
inline __attribute__((always_inline)) Part tanh_lanes(Part x) { return 1.0f - 2.0f / (exp_lanes(x + x) + 1.0f); }

} // namespace
