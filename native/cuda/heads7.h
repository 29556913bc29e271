// Everything of RWKV-7 that happens inside a head, in one pass over the rows of each state: keys, recurrence, norm, bonus,
// gate.
#pragma once

#include "emu/simt.h"
#include "places.h"

#include <cstddef>

namespace rwkv::cuda {

constexpr int head_size = 64;
constexpr float head_norm_epsilon = 64e-5f;

struct Heads7 {
  const float *r, *w, *k, *v, *a, *g;      // [rows][width]: k before it is changed
  const float *k_k, *k_a, *r_k;            // [width]
  const float *norm_weight, *norm_bias;    // [width]
  const SpanPlace *spans;                  // [span_count]
  size_t offset;                           // of S [head][key][value] in the memory of a state
  float *y;                                // [rows][width]
  uint32_t span_count, width;
};
void launch_heads7(const Heads7 &heads, cudaStream_t stream);

} // namespace rwkv::cuda
