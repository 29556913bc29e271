// Norms, mixes and activations: everything that goes over rows once.
#pragma once

#include "exp_f32.h"
#include "lanes.h"


namespace {

// e^(-1/2), the fastest forgetting per step of RWKV-7 in log space
constexpr float decay7_scale = 0.60653065971263342f;

inline float lane_sum(const float *x, size_t count) {
  const auto add = [](Lanes &total, const float *from) {
    for (size_t p = 0; p < part_count; ++p) {
      Part part;
      load_part(part, from + p * part_lanes);
      total.part[p] += part;
    }
  };
  Lanes total = {};
  size_t i = 0;
  for (; i + lane_count <= count; i += lane_count) add(total, x + i);
  if (i < count) {
    float left[lane_count] = {};
    copy(left, x + i, count - i);
    add(total, left);
  }
  return sum(total);
}

void norm(float *out, const float *x, const float *weight, const float *bias, size_t rows, size_t width,
          size_t groups, float epsilon) {
  const size_t size = width / groups;
  for (size_t part = 0; part < rows * groups; ++part) {
    const size_t at = part % groups * size;
    const float *from = x + part * size;
    float *to = out + part * size;
    const float mean = lane_sum(from, size) / static_cast<float>(size);
    for (size_t i = 0; i < size; ++i) to[i] = from[i] - mean;
    const float variance = dot(to, to, size) / static_cast<float>(size);
    const float scale = 1.0f / __builtin_sqrtf(variance + epsilon);
    for (size_t i = 0; i < size; ++i) to[i] = to[i] * scale * weight[at + i] + bias[at + i];
  }
}

void token_shift(float *delta, float *previous, const float *h, size_t rows, size_t width) {
  const float *before = previous;
  for (size_t t = 0; t < rows; ++t) {
    const float *now = h + t * width;
    for (size_t i = 0; i < width; ++i) delta[t * width + i] = before[i] - now[i];
    before = now;
  }
  __builtin_memcpy(previous, h + (rows - 1) * width, width * sizeof(float));
}

void mix(float *out, const float *h, const float *delta, const float *mu, size_t rows, size_t width) {
  for (size_t t = 0; t < rows; ++t) {
    const size_t at = t * width;
    for (size_t i = 0; i < width; ++i) out[at + i] = h[at + i] + delta[at + i] * mu[i];
  }
}

void add(float *x, const float *y, size_t count) {
  for (size_t i = 0; i < count; ++i) x[i] += y[i];
}

void multiply(float *x, const float *y, size_t count) {
  for (size_t i = 0; i < count; ++i) x[i] *= y[i];
}

void tanh_all(float *x, size_t count) {
  for (size_t i = 0; i < count; ++i) x[i] = tanh_f32(x[i]);
}

void sigmoid_all(float *x, size_t count) {
  for (size_t i = 0; i < count; ++i) x[i] = sigmoid_f32(x[i]);
}

void silu_all(float *x, size_t count) {
  for (size_t i = 0; i < count; ++i) x[i] = x[i] * sigmoid_f32(x[i]);
}

void relu_squared(float *x, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const float positive = x[i] > 0.0f ? x[i] : 0.0f;
    x[i] = positive * positive;
  }
}

void sigmoid_bias(float *x, const float *bias, size_t rows, size_t width) {
  for (size_t t = 0; t < rows; ++t, x += width) {
    for (size_t i = 0; i < width; ++i) x[i] = sigmoid_f32(bias[i] + x[i]);
  }
}

void decay7(float *x, const float *bias, size_t rows, size_t width) {
  for (size_t t = 0; t < rows; ++t, x += width) {
    for (size_t i = 0; i < width; ++i) x[i] = exp_f32(-decay7_scale * sigmoid_f32(bias[i] + x[i]));
  }
}

void decay6(float *x, const float *bias, size_t rows, size_t width) {
  for (size_t t = 0; t < rows; ++t, x += width) {
    for (size_t i = 0; i < width; ++i) x[i] = exp_f32(-exp_f32(bias[i] + x[i]));
  }
}

void residual_value(float *v, const float *v_first, const float *gate, size_t count) {
  for (size_t i = 0; i < count; ++i) v[i] += (v_first[i] - v[i]) * gate[i];
}

} // namespace
