// What is done to whole rows on the device: norms, the shift by one token, and mixes.
#pragma once

#include "emu/simt.h"
#include "places.h"

#include <cstddef>

namespace rwkv::cuda {

constexpr float norm_epsilon = 1e-5f;
constexpr int mixes_max = 6;

// h = norm of x; out[m][rows][width] = h + (h of the row before − h) ⊙ mu[m]. The row before the first of a span is at
// `offset` of the memory of its state and becomes the last.
struct ShiftMix {
  const float *x;            // [rows][width]
  const float *weight, *bias; // [width]
  const RowPlace *places;    // [rows]
  size_t offset;
  float *out;
  const float *mu[mixes_max]; // [width] each
  uint32_t *row_max;          // [rows] set to 0, for who measures rows later; may be null
  uint32_t mixes, rows, width;
};
void launch_shift_mix(const ShiftMix &mix, cudaStream_t stream);

// x = norm of x, in place.
void launch_norm(float *x, const float *weight, const float *bias, uint32_t rows, uint32_t width,
                 cudaStream_t stream);

} // namespace rwkv::cuda
