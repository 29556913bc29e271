// The element-wise loops of the tower on CPUs: plain arrays in, plain arrays out. Channels lie side by side (NHWC).
// Must not know libtorch. Element: float, or uint16_t that holds a bfloat16; sums are float either way.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rwkv_train {

// One picture's GroupNorm and GELU.
struct NormGelu {
  size_t places, channels, groups;
  const float *weight, *bias; // [channels]
  float epsilon;
  float *mean, *rstd; // [groups]: written on the way forward, read on the way back
};

// out = gelu(norm(x)) + residual; residual may be null. scratch: 2 * channels floats.
void norm_gelu(const NormGelu &norm, const float *x, const float *residual, float *out, float *scratch);
void norm_gelu(const NormGelu &norm, const uint16_t *x, const uint16_t *residual, uint16_t *out, float *scratch);
// dx from dy; dweight and dbias [channels] are written. scratch: (places + 4) * channels floats.
void norm_gelu_back(const NormGelu &norm, const float *x, const float *dy, float *dx, float *dweight, float *dbias,
                    float *scratch);
void norm_gelu_back(const NormGelu &norm, const uint16_t *x, const uint16_t *dy, uint16_t *dx, float *dweight,
                    float *dbias, float *scratch);

void gelu(const float *x, float *y, size_t count);
void gelu(const uint16_t *x, uint16_t *y, size_t count);
void gelu_back(const float *x, const float *dy, float *dx, size_t count);
void gelu_back(const uint16_t *x, const uint16_t *dy, uint16_t *dx, size_t count);

// Rows of a LayerNorm behind a sum; their width is a multiple of 16.
struct AddNorm {
  size_t rows, width;
  const float *weight, *bias; // [width]
  float epsilon;
  float *mean, *rstd; // [rows]: written on the way forward, read on the way back
};

// sum = x + delta, out = norm(sum).
void add_norm(const AddNorm &norm, const float *x, const float *delta, float *sum, float *out);
void add_norm(const AddNorm &norm, const float *x, const uint16_t *delta, float *sum, uint16_t *out);
// dx, and the same as ddelta, from dsum and dout; dweight and dbias [width] are written.
void add_norm_back(const AddNorm &norm, const float *sum, const float *dsum, const float *dout, float *dx,
                   float *ddelta, float *dweight, float *dbias);
void add_norm_back(const AddNorm &norm, const float *sum, const float *dsum, const uint16_t *dout, float *dx,
                   uint16_t *ddelta, float *dweight, float *dbias);

// Two frames of `places` pixels of 3 bytes → places of 6: (light - mean) / spread, and the difference times gain.
struct FrameScale {
  float mean, spread, gain; // of light 0 to 1
};
void frames(const FrameScale &scale, const uint8_t *before, const uint8_t *now, size_t places, float *out);
void frames(const FrameScale &scale, const uint8_t *before, const uint8_t *now, size_t places, uint16_t *out);

} // namespace rwkv_train
