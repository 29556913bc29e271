// Scales of a k-quant are found in two steps, after the published idea: for each small group the scale that fits its
// numbers best, among some that stretch its range a little; then these scales as small integers under one half, and
// every number once more against the scale it really gets.
#include "quantise.h"

#include "half.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

namespace rwkv {
namespace {

constexpr size_t super_block = 256;

// To the nearest whole number for |x| < 2^22, ties to even, without a call.
inline float rounded(float x) {
  constexpr float shift = 0x1.8p23f;
  return (x + shift) - shift;
}
inline float rounded_within(float x, float least, float most) { return std::min(std::max(rounded(x), least), most); }

void put_half(uint8_t *at, uint16_t bits) { std::memcpy(at, &bits, sizeof bits); }

// A scale as a half that is finite: numbers beyond it are cut.
uint16_t scale_half(float value) { return to_half(std::clamp(value, -65504.0f, 65504.0f)); }

float largest_magnitude(const float *x, size_t count) {
  float largest = 0.0f;
  for (size_t i = 0; i < count; ++i) largest = std::max(largest, std::fabs(x[i]));
  return largest;
}

// ---- Q6_K: 16 numbers n in [−32, 31] share a scale, x ≈ scale · n ----

constexpr size_t group6 = 16;

// The scale of one group. Minimises Σ x² (x − scale · n)², as numbers that matter are large ones.
float scale6(const float *x) {
  float extreme = 0.0f; // with its sign: it is what becomes −32
  for (size_t i = 0; i < group6; ++i) {
    if (std::fabs(x[i]) > std::fabs(extreme)) extreme = x[i];
  }
  if (std::fabs(extreme) < 1e-30f) return 0.0f;
  float best_scale = 0.0f, best_gain = 0.0f;
  for (int step = -9; step <= 9; ++step) {
    const float inverse = -(32.0f + 0.1f * static_cast<float>(step)) / extreme;
    float product = 0.0f, square = 0.0f;
    for (size_t i = 0; i < group6; ++i) {
      const float n = rounded_within(inverse * x[i], -32.0f, 31.0f), share = x[i] / extreme, weight = share * share;
      product += weight * share * n, square += weight * n * n;
    }
    // The best scale for these n is product / square; the error it takes away is product² / square.
    if (square > 0.0f && product * product > best_gain * square) {
      best_gain = product * product / square;
      best_scale = product / square * extreme;
    }
  }
  return best_scale;
}

void block6(uint8_t *block, const float *x) {
  constexpr size_t groups = super_block / group6;
  uint8_t *const low = block, *const high = block + 128, *const small_scales = block + 192;
  std::memset(block, 0, 210);
  std::array<float, groups> scales;
  float extreme = 0.0f;
  for (size_t g = 0; g < groups; ++g) {
    scales[g] = scale6(x + g * group6);
    if (std::fabs(scales[g]) > std::fabs(extreme)) extreme = scales[g];
  }
  const uint16_t d_bits = scale_half(extreme / -128.0f);
  const float d = from_half(d_bits);
  std::array<uint8_t, super_block> numbers;
  numbers.fill(32);
  if (d != 0.0f) {
    put_half(block + 208, d_bits);
    for (size_t g = 0; g < groups; ++g) {
      const float small = rounded_within(scales[g] / d, -128.0f, 127.0f), scale = d * small;
      small_scales[g] = static_cast<uint8_t>(static_cast<int8_t>(small));
      if (scale == 0.0f) continue;
      for (size_t i = g * group6; i < (g + 1) * group6; ++i) {
        numbers[i] = static_cast<uint8_t>(rounded_within(x[i] / scale, -32.0f, 31.0f) + 32.0f);
      }
    }
  }
  // Each 128 numbers take 64 bytes of low halves (quarters 0 and 1 below 2 and 3) and 32 bytes of upper bits.
  for (size_t i = 0; i < super_block; ++i) {
    const size_t part = i / 128, quarter = i / 32 % 4, lane = i % 32;
    low[64 * part + 32 * (quarter % 2) + lane] |= static_cast<uint8_t>((numbers[i] & 15) << 4 * (quarter / 2));
    high[32 * part + lane] |= static_cast<uint8_t>(numbers[i] >> 4 << 2 * quarter);
  }
}

// ---- Q4_K: 32 numbers n in [0, 15] share a scale and a least value, x ≈ scale · n − least, both not negative ----

constexpr size_t group4 = 32, groups4 = super_block / group4;

struct Line {
  float scale = 0.0f, least = 0.0f;
};

// Minimises Σ w (x − scale · n + least)² with w = rms + |x|.
Line line4(const float *x, float *weights) {
  float square_sum = 0.0f, low = x[0], high = x[0];
  for (size_t i = 0; i < group4; ++i) {
    square_sum += x[i] * x[i];
    low = std::min(low, x[i]), high = std::max(high, x[i]);
  }
  low = std::min(low, 0.0f);
  const float rms = std::sqrt(square_sum / group4);
  float weight_sum = 0.0f, x_sum = 0.0f;
  for (size_t i = 0; i < group4; ++i) {
    weights[i] = rms + std::fabs(x[i]);
    weight_sum += weights[i], x_sum += weights[i] * x[i];
  }
  const float range = high - low;
  if (!(range > 1e-30f)) return {0.0f, -low};
  const auto error_of = [&](const Line &line) {
    const float inverse = 1.0f / line.scale;
    float error = 0.0f;
    for (size_t i = 0; i < group4; ++i) {
      const float n = rounded_within((x[i] + line.least) * inverse, 0.0f, 15.0f);
      const float off = line.scale * n - line.least - x[i];
      error += weights[i] * off * off;
    }
    return error;
  };
  Line best{range / 15.0f, -low};
  float best_error = error_of(best);
  for (int step = 0; step <= 20; ++step) {
    const float inverse = (14.0f + 0.1f * static_cast<float>(step)) / range;
    float n_sum = 0.0f, nn_sum = 0.0f, nx_sum = 0.0f;
    for (size_t i = 0; i < group4; ++i) {
      const float n = rounded_within(inverse * (x[i] - low), 0.0f, 15.0f), weighted = weights[i] * n;
      n_sum += weighted, nn_sum += weighted * n, nx_sum += weighted * x[i];
    }
    const float determinant = weight_sum * nn_sum - n_sum * n_sum;
    if (!(determinant > 0.0f)) continue;
    Line line{(weight_sum * nx_sum - x_sum * n_sum) / determinant, (n_sum * nx_sum - nn_sum * x_sum) / determinant};
    if (line.least < 0.0f) line = {nx_sum / nn_sum, 0.0f};
    if (!(line.scale > 0.0f)) continue;
    const float error = error_of(line);
    if (error < best_error) best = line, best_error = error;
  }
  return best;
}

// 8 scales and 8 least values of 6 bits in 12 bytes: those of groups 4 to 7 lend their upper bits to the first 8.
void pack6(uint8_t *packed, const std::array<uint8_t, groups4> &scales, const std::array<uint8_t, groups4> &leasts) {
  for (size_t g = 0; g < 4; ++g) {
    packed[g] = static_cast<uint8_t>(scales[g] | scales[g + 4] >> 4 << 6);
    packed[g + 4] = static_cast<uint8_t>(leasts[g] | leasts[g + 4] >> 4 << 6);
    packed[g + 8] = static_cast<uint8_t>((scales[g + 4] & 15) | (leasts[g + 4] & 15) << 4);
  }
}

void block4(uint8_t *block, const float *x) {
  std::array<Line, groups4> lines;
  float weights[group4];
  Line largest;
  for (size_t g = 0; g < groups4; ++g) {
    lines[g] = line4(x + g * group4, weights);
    largest.scale = std::max(largest.scale, lines[g].scale), largest.least = std::max(largest.least, lines[g].least);
  }
  std::memset(block, 0, 144);
  const uint16_t d_bits = scale_half(largest.scale / 63.0f), d_least_bits = scale_half(largest.least / 63.0f);
  const float d = from_half(d_bits), d_least = from_half(d_least_bits);
  put_half(block, d_bits), put_half(block + 2, d_least_bits);
  std::array<uint8_t, groups4> scales{}, leasts{};
  for (size_t g = 0; g < groups4; ++g) {
    if (d > 0.0f) scales[g] = static_cast<uint8_t>(rounded_within(lines[g].scale / d, 0.0f, 63.0f));
    if (d_least > 0.0f) leasts[g] = static_cast<uint8_t>(rounded_within(lines[g].least / d_least, 0.0f, 63.0f));
    const float scale = d * scales[g], least = d_least * leasts[g];
    if (scale == 0.0f) continue;
    for (size_t i = 0; i < group4; ++i) {
      const auto n = static_cast<uint8_t>(rounded_within((x[g * group4 + i] + least) / scale, 0.0f, 15.0f));
      block[16 + g / 2 * group4 + i] |= static_cast<uint8_t>(n << 4 * (g % 2));
    }
  }
  pack6(block + 4, scales, leasts);
}

} // namespace

void quantise_q8(uint8_t *blocks, const float *x, size_t count) {
  for (size_t at = 0; at < count; at += 32, x += 32, blocks += 34) {
    const float d = largest_magnitude(x, 32) / 127.0f;
    const float inverse = d > 1e-30f ? 1.0f / d : 0.0f; // smaller ones are 0 as halves too
    put_half(blocks, scale_half(d));
    for (size_t i = 0; i < 32; ++i) {
      // To the nearest, ties away from zero: 1/2 less its last bit does it without a call.
      const float scaled = x[i] * inverse;
      blocks[2 + i] = static_cast<uint8_t>(static_cast<int8_t>(scaled + std::copysign(0x1.fffffep-2f, scaled)));
    }
  }
}

void quantise_q6(uint8_t *blocks, const float *x, size_t count) {
  for (size_t at = 0; at < count; at += super_block) block6(blocks + at / super_block * 210, x + at);
}

void quantise_q4(uint8_t *blocks, const float *x, size_t count) {
  for (size_t at = 0; at < count; at += super_block) block4(blocks + at / super_block * 144, x + at);
}

void quantise(uint8_t *blocks, Format format, const float *x, size_t count) {
  switch (format) {
    case Format::f32: std::memcpy(blocks, x, count * sizeof(float)); return;
    case Format::f16:
      for (size_t i = 0; i < count; ++i) put_half(blocks + 2 * i, to_half(x[i]));
      return;
    case Format::bf16:
      for (size_t i = 0; i < count; ++i) {
        const uint32_t bits = std::bit_cast<uint32_t>(x[i]);
        put_half(blocks + 2 * i, static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16));
      }
      return;
    case Format::q8: return quantise_q8(blocks, x, count);
    case Format::q6: return quantise_q6(blocks, x, count);
    case Format::q4: return quantise_q4(blocks, x, count);
  }
}

} // namespace rwkv
