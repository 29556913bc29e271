// Norms, mixes and activations: everything that goes over rows once.
#pragma once

#include "exp_lanes.h"
#include "lanes.h"

namespace {

// e^(-1/2), the fastest forgetting per step of RWKV-7 in log space
constexpr float decay7_scale = 0.60653065971263342f;

void norm(float *out, const float *x, const float *weight, const float *bias, size_t rows, size_t width,
          size_t groups, float epsilon) {
  const size_t size = width / groups;
  const float share = 1.0f / static_cast<float>(size);
  for (size_t part = 0; part < rows * groups; ++part) {
    const size_t at = part % groups * size;
    const float *from = x + part * size;
    const Part mean = splat<Part>(total(size, [](Part so_far, Part v) { return so_far + v; }, from) * share);
    // A padded lane would add mean², so the centred row is written first.
    float *to = out + part * size;
    each(to, size, [&](Part v) { return v - mean; }, from);
    const float variance = total(size, AddProduct(), to, to) * share;
    const Part scale = splat<Part>(1.0f / __builtin_sqrtf(variance + epsilon));
    each(to, size, [&](Part v, Part w, Part b) { return fma(v * scale, w, b); }, to, weight + at, bias + at);
  }
}

void token_shift(float *delta, float *previous, const float *h, size_t rows, size_t width) {
  const float *before = previous;
  for (size_t t = 0; t < rows; ++t) {
    const float *now = h + t * width;
    each(delta + t * width, width, [](Part a, Part b) { return a - b; }, before, now);
    before = now;
  }
  __builtin_memcpy(previous, h + (rows - 1) * width, width * sizeof(float));
}

void mix(float *out, const float *h, const float *delta, const float *mu, size_t rows, size_t width) {
  for (size_t at = 0; at < rows * width; at += width) {
    each(out + at, width, [](Part a, Part d, Part m) { return fma(d, m, a); }, h + at, delta + at, mu);
  }
}

void add(float *x, const float *y, size_t count) {
  each(x, count, [](Part a, Part b) { return a + b; }, x, y);
}

void multiply(float *x, const float *y, size_t count) {
  each(x, count, [](Part a, Part b) { return a * b; }, x, y);
}

void tanh_all(float *x, size_t count) {
  each(x, count, [](Part v) { return tanh_lanes(v); }, x);
}

void sigmoid_all(float *x, size_t count) {
  each(x, count, [](Part v) { return sigmoid_lanes(v); }, x);
}

void silu_all(float *x, size_t count) {
  each(x, count, [](Part v) { return v * sigmoid_lanes(v); }, x);
}

void relu_squared(float *x, size_t count) {
  each(x, count, [](Part v) {
    const Part positive = v > 0.0f ? v : Part{};
    return positive * positive;
  }, x);
}

void sigmoid_bias(float *x, const float *bias, size_t rows, size_t width) {
  for (size_t t = 0; t < rows; ++t, x += width) {
    each(x, width, [](Part v, Part b) { return sigmoid_lanes(b + v); }, x, bias);
  }
}

void decay7(float *x, const float *bias, size_t rows, size_t width) {
  for (size_t t = 0; t < rows; ++t, x += width) {
    each(x, width, [](Part v, Part b) { return exp_lanes(-decay7_scale * sigmoid_lanes(b + v)); }, x, bias);
  }
}

void decay6(float *x, const float *bias, size_t rows, size_t width) {
  for (size_t t = 0; t < rows; ++t, x += width) {
    each(x, width, [](Part v, Part b) { return exp_lanes(-exp_lanes(b + v)); }, x, bias);
  }
}

void residual_value(float *v, const float *v_first, const float *gate, size_t count) {
  each(v, count, [](Part a, Part first, Part g) { return fma(first - a, g, a); }, v, v_first, gate);
}

} // namespace
