// See tower_loops.h. Loops run over channels, side by side in memory, and nothing in them calls out: the compiler makes
// vectors of them without being told that sums may be reordered.
#include "tower_loops.h"

#include "clones.h"

#include <cmath>
#include <cstring>

#define RWKV_TRAIN_INLINE inline __attribute__((always_inline))

namespace rwkv_train {
namespace {

// Places that are summed in float before they go on in double: 64 squares lose less than float's last three bits.
constexpr size_t block_places = 64;

RWKV_TRAIN_INLINE uint32_t bits_of(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

RWKV_TRAIN_INLINE float from_bits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

RWKV_TRAIN_INLINE float widen(float value) { return value; }
RWKV_TRAIN_INLINE float widen(uint16_t value) { return from_bits(uint32_t(value) << 16); }

RWKV_TRAIN_INLINE void narrow(float value, float &out) { out = value; }
// To the nearest, ties to even. A NaN stays one: its quiet bit survives the shift.
RWKV_TRAIN_INLINE void narrow(float value, uint16_t &out) {
  const uint32_t bits = bits_of(value);
  out = uint16_t((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

// Choices are made among bits: comparisons of floats could trap, and some instruction sets make no vectors of them
// then.
constexpr uint32_t sign_bit = 0x80000000u, bits_of_87 = 0x42ae0000u;

// e^-u for u >= 0, within 2e-7 of it; e^-87 stands for everything below.
RWKV_TRAIN_INLINE float exp_minus(float u) {
  const uint32_t bits = bits_of(u); // a NaN becomes 87 here and comes back through x
  const float exponent = from_bits(bits < bits_of_87 ? bits : bits_of_87) * -1.44269504f;
  const float shifted = exponent + 12582912.f;                 // 1.5 * 2^23: rounds to a whole number in the low bits
  const float f = exponent - (shifted - 12582912.f);           // -.5 to .5
  const float power =
      1 + f * (0.693147181f + f * (0.240226507f + f * (0.0555041087f + f * (0.00961812911f +
      f * (0.00133335581f + f * 0.000154035304f)))));
  return power * from_bits((bits_of(shifted) << 23) + 0x3f800000u); // the low bits: the exponent, modulo 2^9
}

// The normal distribution's integral up to x, and its density. The integral is Abramowitz and Stegun's 7.1.26: within
// 1e-7.
RWKV_TRAIN_INLINE void normal(float x, float &integral, float &density) {
  const uint32_t negative = uint32_t(int32_t(bits_of(x)) >> 31); // all ones, or none
  const float positive = from_bits(bits_of(x) & ~sign_bit), bell = exp_minus(0.5f * x * x);
  const float t = 1 / (1 + 0.2316418971f * positive); // .3275911 / sqrt 2
  const float tail = 0.5f * bell * t *
                     (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
  const float above = 1 - tail;
  integral = from_bits((bits_of(tail) & negative) | (bits_of(above) & ~negative));
  density = 0.398942280f * bell;
}

RWKV_TRAIN_INLINE float gelu_of(float x) {
  float integral, density;
  normal(x, integral, density);
  return x * integral;
}

RWKV_TRAIN_INLINE float gelu_slope(float x) {
  float integral, density;
  normal(x, integral, density);
  return integral + x * density;
}

// slope and offset [channels]: norm(x) = x * slope + offset.
RWKV_TRAIN_INLINE void affine_of(const NormGelu &norm, float *__restrict slope, float *__restrict offset) {
  const size_t per_group = norm.channels / norm.groups;
  for (size_t c = 0; c < norm.channels; ++c) {
    const size_t group = c / per_group;
    slope[c] = norm.weight[c] * norm.rstd[group];
    offset[c] = norm.bias[c] - norm.mean[group] * slope[c];
  }
}

template <class Element>
RWKV_TRAIN_INLINE void moments_of(const NormGelu &norm, const Element *__restrict x, float *__restrict sum,
                                  float *__restrict squares) {
  const size_t channels = norm.channels, per_group = channels / norm.groups;
  double totals[2][64] = {}; // groups are at most 64
  for (size_t first = 0; first < norm.places; first += block_places) {
    const size_t last = first + block_places < norm.places ? first + block_places : norm.places;
    for (size_t c = 0; c < channels; ++c) sum[c] = squares[c] = 0;
    for (size_t place = first; place < last; ++place) {
      const Element *__restrict row = x + place * channels;
      for (size_t c = 0; c < channels; ++c) {
        const float value = widen(row[c]);
        sum[c] += value;
        squares[c] += value * value;
      }
    }
    for (size_t c = 0; c < channels; ++c) {
      totals[0][c / per_group] += sum[c];
      totals[1][c / per_group] += squares[c];
    }
  }
  const double count = double(norm.places * per_group);
  for (size_t group = 0; group < norm.groups; ++group) {
    const double mean = totals[0][group] / count, variance = totals[1][group] / count - mean * mean;
    norm.mean[group] = float(mean);
    norm.rstd[group] = float(1 / std::sqrt((variance > 0 ? variance : 0) + norm.epsilon));
  }
}

template <class Element>
RWKV_TRAIN_INLINE void forward_of(const NormGelu &norm, const Element *__restrict x, const Element *__restrict residual,
                                  Element *__restrict out, float *__restrict scratch) {
  const size_t channels = norm.channels;
  float *__restrict slope = scratch, *__restrict offset = scratch + channels;
  moments_of(norm, x, slope, offset);
  affine_of(norm, slope, offset);
  for (size_t place = 0; place < norm.places; ++place) {
    const Element *__restrict from = x + place * channels;
    Element *__restrict to = out + place * channels;
    if (residual) {
      const Element *__restrict beside = residual + place * channels;
      for (size_t c = 0; c < channels; ++c) {
        narrow(gelu_of(widen(from[c]) * slope[c] + offset[c]) + widen(beside[c]), to[c]);
      }
    } else {
      for (size_t c = 0; c < channels; ++c) narrow(gelu_of(widen(from[c]) * slope[c] + offset[c]), to[c]);
    }
  }
}

template <class Element>
RWKV_TRAIN_INLINE void back_of(const NormGelu &norm, const Element *__restrict x, const Element *__restrict dy,
                               Element *__restrict dx, float *__restrict dweight, float *__restrict dbias,
                               float *__restrict scratch) {
  const size_t channels = norm.channels, per_group = channels / norm.groups;
  float *__restrict slope = scratch, *__restrict offset = slope + channels, *__restrict along = offset + channels,
                    *__restrict still = along + channels;
  float *__restrict inner = scratch + 4 * channels; // [places, channels], dy behind the GELU
  affine_of(norm, slope, offset);
  for (size_t c = 0; c < channels; ++c) dweight[c] = dbias[c] = 0;
  for (size_t place = 0; place < norm.places; ++place) {
    const Element *__restrict from = x + place * channels, *__restrict grad = dy + place * channels;
    float *__restrict to = inner + place * channels;
    for (size_t c = 0; c < channels; ++c) {
      const float value = widen(from[c]), g = widen(grad[c]) * gelu_slope(value * slope[c] + offset[c]);
      to[c] = g;
      dbias[c] += g;
      dweight[c] += g * value; // made into that of the normed value below
    }
  }
  // dx = g * slope - rstd * (mean of w g + normed x * mean of w g normed x), means over the group.
  double sums[2][64] = {};
  for (size_t c = 0; c < channels; ++c) {
    const size_t group = c / per_group;
    dweight[c] = (dweight[c] - norm.mean[group] * dbias[c]) * norm.rstd[group];
    sums[0][group] += double(norm.weight[c]) * dbias[c];
    sums[1][group] += double(norm.weight[c]) * dweight[c];
  }
  const double count = double(norm.places * per_group);
  for (size_t c = 0; c < channels; ++c) {
    const size_t group = c / per_group;
    const double rstd = norm.rstd[group];
    along[c] = float(-rstd * rstd * sums[1][group] / count);
    still[c] = float(-rstd * sums[0][group] / count) - along[c] * norm.mean[group];
  }
  for (size_t place = 0; place < norm.places; ++place) {
    const Element *__restrict from = x + place * channels;
    const float *__restrict grad = inner + place * channels;
    Element *__restrict to = dx + place * channels;
    for (size_t c = 0; c < channels; ++c) narrow(grad[c] * slope[c] + widen(from[c]) * along[c] + still[c], to[c]);
  }
}

// Sums along a row go into as many lanes; the row's width is a multiple of them.
constexpr size_t lanes = 16;

RWKV_TRAIN_INLINE float sum_of(const float *lane) {
  float sum = 0;
  for (size_t i = 0; i < lanes; ++i) sum += lane[i];
  return sum;
}

template <class Element>
RWKV_TRAIN_INLINE void add_norm_of(const AddNorm &norm, const float *__restrict x, const Element *__restrict delta,
                                   float *__restrict sum, Element *__restrict out) {
  const size_t width = norm.width;
  for (size_t row = 0; row < norm.rows; ++row, x += width, delta += width, sum += width, out += width) {
    float first[lanes] = {}, second[lanes] = {};
    for (size_t c = 0; c < width; c += lanes) {
      for (size_t i = 0; i < lanes; ++i) {
        sum[c + i] = x[c + i] + widen(delta[c + i]);
        first[i] += sum[c + i];
      }
    }
    const float mean = sum_of(first) / float(width);
    for (size_t c = 0; c < width; c += lanes) {
      for (size_t i = 0; i < lanes; ++i) second[i] += (sum[c + i] - mean) * (sum[c + i] - mean);
    }
    const float rstd = 1 / std::sqrt(sum_of(second) / float(width) + norm.epsilon);
    norm.mean[row] = mean;
    norm.rstd[row] = rstd;
    for (size_t c = 0; c < width; ++c) narrow((sum[c] - mean) * rstd * norm.weight[c] + norm.bias[c], out[c]);
  }
}

template <class Element>
RWKV_TRAIN_INLINE void add_norm_back_of(const AddNorm &norm, const float *__restrict sum, const float *__restrict dsum,
                                        const Element *__restrict dout, float *__restrict dx,
                                        Element *__restrict ddelta, float *__restrict dweight,
                                        float *__restrict dbias) {
  const size_t width = norm.width;
  for (size_t c = 0; c < width; ++c) dweight[c] = dbias[c] = 0;
  for (size_t row = 0; row < norm.rows;
       ++row, sum += width, dsum += width, dout += width, dx += width, ddelta += width) {
    const float mean = norm.mean[row], rstd = norm.rstd[row];
    float first[lanes] = {}, second[lanes] = {};
    for (size_t c = 0; c < width; c += lanes) {
      for (size_t i = 0; i < lanes; ++i) {
        const float normed = (sum[c + i] - mean) * rstd, grad = widen(dout[c + i]), inner = grad * norm.weight[c + i];
        dbias[c + i] += grad;
        dweight[c + i] += grad * normed;
        first[i] += inner;
        second[i] += inner * normed;
      }
    }
    const float still = sum_of(first) / float(width), along = sum_of(second) / float(width);
    for (size_t c = 0; c < width; ++c) {
      const float normed = (sum[c] - mean) * rstd;
      dx[c] = dsum[c] + rstd * (widen(dout[c]) * norm.weight[c] - still - normed * along);
      narrow(dx[c], ddelta[c]);
    }
  }
}

template <class Element>
RWKV_TRAIN_INLINE void frames_of(const FrameScale &scale, const uint8_t *__restrict before,
                                 const uint8_t *__restrict now, size_t places, Element *__restrict out) {
  const float slope = 1 / (255 * scale.spread), offset = -scale.mean / scale.spread, gain = scale.gain / 255;
  for (size_t place = 0; place < places; ++place) {
    for (size_t color = 0; color < 3; ++color) {
      const float light = float(now[place * 3 + color]);
      narrow(light * slope + offset, out[place * 6 + color]);
      narrow((light - float(before[place * 3 + color])) * gain, out[place * 6 + 3 + color]);
    }
  }
}

} // namespace

#define RWKV_TRAIN_LOOPS(Element)                                                                                      \
  RWKV_TRAIN_CLONES void norm_gelu(const NormGelu &norm, const Element *x, const Element *residual, Element *out,      \
                                   float *scratch) {                                                                   \
    forward_of(norm, x, residual, out, scratch);                                                                       \
  }                                                                                                                    \
  RWKV_TRAIN_CLONES void norm_gelu_back(const NormGelu &norm, const Element *x, const Element *dy, Element *dx,        \
                                        float *dweight, float *dbias, float *scratch) {                                \
    back_of(norm, x, dy, dx, dweight, dbias, scratch);                                                                 \
  }                                                                                                                    \
  RWKV_TRAIN_CLONES void gelu(const Element *__restrict x, Element *__restrict y, size_t count) {                      \
    for (size_t i = 0; i < count; ++i) narrow(gelu_of(widen(x[i])), y[i]);                                             \
  }                                                                                                                    \
  RWKV_TRAIN_CLONES void gelu_back(const Element *__restrict x, const Element *__restrict dy, Element *__restrict dx,  \
                                   size_t count) {                                                                     \
    for (size_t i = 0; i < count; ++i) narrow(widen(dy[i]) * gelu_slope(widen(x[i])), dx[i]);                          \
  }                                                                                                                    \
  RWKV_TRAIN_CLONES void add_norm(const AddNorm &norm, const float *x, const Element *delta, float *sum,               \
                                  Element *out) {                                                                      \
    add_norm_of(norm, x, delta, sum, out);                                                                             \
  }                                                                                                                    \
  RWKV_TRAIN_CLONES void add_norm_back(const AddNorm &norm, const float *sum, const float *dsum, const Element *dout,  \
                                       float *dx, Element *ddelta, float *dweight, float *dbias) {                     \
    add_norm_back_of(norm, sum, dsum, dout, dx, ddelta, dweight, dbias);                                               \
  }                                                                                                                    \
  RWKV_TRAIN_CLONES void frames(const FrameScale &scale, const uint8_t *before, const uint8_t *now, size_t places,     \
                                Element *out) {                                                                        \
    frames_of(scale, before, now, places, out);                                                                        \
  }

RWKV_TRAIN_LOOPS(float)
RWKV_TRAIN_LOOPS(uint16_t)

#undef RWKV_TRAIN_LOOPS

} // namespace rwkv_train
