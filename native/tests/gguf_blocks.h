// The number types of GGUF, written and read in the test's own way: the simplest encoder that makes good blocks, and a
// decoder in double. Shares nothing with the library.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace gguf {

enum class Type : uint32_t {
  f32 = 0, f16 = 1, q4_0 = 2, q4_1 = 3, q5_0 = 6, q5_1 = 7, q8_0 = 8, q4_k = 12, q5_k = 13, q6_k = 14, bf16 = 30
};

struct Layout {
  size_t columns, bytes;
};
inline Layout layout(Type type) {
  switch (type) {
    case Type::f32: return {1, 4};
    case Type::f16:
    case Type::bf16: return {1, 2};
    case Type::q4_0: return {32, 18};
    case Type::q4_1: return {32, 20};
    case Type::q5_0: return {32, 22};
    case Type::q5_1: return {32, 24};
    case Type::q8_0: return {32, 34};
    case Type::q4_k: return {256, 144};
    case Type::q5_k: return {256, 176};
    case Type::q6_k: return {256, 210};
  }
  return {0, 0};
}

// A half of at most 65504, cut towards zero: it needs no care for ties.
inline uint16_t half_of(double value) {
  const double size = std::fabs(value);
  const int exponent = size < 0x1p-14 ? -14 : std::ilogb(size);
  const auto steps = static_cast<unsigned>(std::ldexp(size, 10 - exponent)); // of the last place
  const unsigned bits = size < 0x1p-14 ? steps : static_cast<unsigned>(exponent + 15) << 10 | (steps & 1023);
  return static_cast<uint16_t>(bits | (value < 0 ? 0x8000 : 0));
}
inline double value_of_half(const uint8_t *at) {
  const unsigned bits = at[0] | at[1] << 8, exponent = bits >> 10 & 31;
  const double size = exponent == 0 ? std::ldexp(bits & 1023, -24) : std::ldexp(1024 + (bits & 1023), exponent - 25);
  return bits >> 15 ? -size : size;
}
// As the block will have it.
inline double put_half(uint8_t *at, double value) {
  const uint16_t bits = half_of(value);
  at[0] = static_cast<uint8_t>(bits), at[1] = static_cast<uint8_t>(bits >> 8);
  return value_of_half(at);
}

// Scale and least value of group g of a k-quant, 6 bits each.
inline void get_scales(const uint8_t *at, size_t g, int &scale, int &least) {
  if (g < 4) scale = at[g] % 64, least = at[g + 4] % 64;
  else scale = at[g + 4] % 16 + at[g - 4] / 64 * 16, least = at[g + 4] / 16 + at[g] / 64 * 16;
}
inline void put_scales(uint8_t *at, size_t g, int scale, int least) {
  if (g < 4) {
    at[g] = static_cast<uint8_t>(at[g] | scale), at[g + 4] = static_cast<uint8_t>(at[g + 4] | least);
  } else {
    at[g + 4] = static_cast<uint8_t>(scale % 16 | least % 16 << 4);
    at[g - 4] = static_cast<uint8_t>(at[g - 4] | scale / 16 << 6);
    at[g] = static_cast<uint8_t>(at[g] | least / 16 << 6);
  }
}

// Number i of a block, 0 to 15 or 31 or 63: where its low four bits and its upper ones stand.
struct Place {
  size_t low, high; // bytes
  unsigned low_shift, high_shift;
};
inline Place place(Type type, size_t i) {
  const auto part = static_cast<unsigned>(i / 32);
  switch (type) {
    case Type::q4_0: return {2 + i % 16, 0, static_cast<unsigned>(i / 16 * 4), 0};
    case Type::q4_1: return {4 + i % 16, 0, static_cast<unsigned>(i / 16 * 4), 0};
    case Type::q5_0: return {6 + i % 16, 2 + i / 8, static_cast<unsigned>(i / 16 * 4), static_cast<unsigned>(i % 8)};
    case Type::q5_1: return {8 + i % 16, 4 + i / 8, static_cast<unsigned>(i / 16 * 4), static_cast<unsigned>(i % 8)};
    case Type::q4_k: return {16 + i / 64 * 32 + i % 32, 0, part % 2 * 4, 0};
    case Type::q5_k: return {48 + i / 64 * 32 + i % 32, 16 + i % 32, part % 2 * 4, part};
    default: // q6_k
      return {i / 128 * 64 + i % 64, 128 + i / 128 * 32 + i % 32, part / 2 % 2 * 4, part % 4 * 2};
  }
}
inline unsigned upper_bits(Type type) {
  return type == Type::q6_k ? 2 : type == Type::q5_0 || type == Type::q5_1 || type == Type::q5_k ? 1 : 0;
}
inline int get_number(Type type, const uint8_t *block, size_t i) {
  const Place at = place(type, i);
  const unsigned upper = upper_bits(type) ? block[at.high] >> at.high_shift & ((1u << upper_bits(type)) - 1) : 0;
  return static_cast<int>((block[at.low] >> at.low_shift & 15) + 16 * upper);
}
inline void put_number(Type type, uint8_t *block, size_t i, double number) {
  const unsigned most = (16u << upper_bits(type)) - 1;
  const auto n = static_cast<unsigned>(std::clamp(std::round(number), 0.0, static_cast<double>(most)));
  const Place at = place(type, i);
  block[at.low] = static_cast<uint8_t>(block[at.low] | (n & 15) << at.low_shift);
  if (upper_bits(type)) block[at.high] = static_cast<uint8_t>(block[at.high] | n >> 4 << at.high_shift);
}

// Number i of a block of any type.
inline double decoded(Type type, const uint8_t *block, size_t i) {
  const auto centred = [&](int middle) { return value_of_half(block) * (get_number(type, block, i) - middle); };
  switch (type) {
    case Type::f32: {
      float value;
      std::memcpy(&value, block, 4);
      return value;
    }
    case Type::f16: return value_of_half(block);
    case Type::bf16: {
      const uint8_t wide[4] = {0, 0, block[0], block[1]};
      return decoded(Type::f32, wide, 0);
    }
    case Type::q8_0: return value_of_half(block) * static_cast<int8_t>(block[2 + i]);
    case Type::q4_0: return centred(8);
    case Type::q5_0: return centred(16);
    case Type::q4_1:
    case Type::q5_1: return centred(0) + value_of_half(block + 2);
    case Type::q6_k:
      return value_of_half(block + 208) * static_cast<int8_t>(block[192 + i / 16]) * (get_number(type, block, i) - 32);
    case Type::q4_k:
    case Type::q5_k: {
      int scale, least;
      get_scales(block + 4, i / 32, scale, least);
      return centred(0) * scale - value_of_half(block + 2) * least;
    }
  }
  return 0;
}

inline void encode_simple(Type type, uint8_t *block, const float *x) {
  const auto [low, high] = std::minmax_element(x, x + 32);
  const double size = std::max(std::fabs(*low), std::fabs(*high)), steps = (16 << upper_bits(type)) - 1;
  if (type == Type::q8_0) {
    const double d = put_half(block, size / 126);
    for (size_t i = 0; i < 32; ++i) block[2 + i] = static_cast<uint8_t>(d > 0 ? std::lround(x[i] / d) : 0);
    return;
  }
  const bool moved = type == Type::q4_1 || type == Type::q5_1;
  const double d = put_half(block, moved ? (*high - *low) / steps : 2 * size / steps);
  const double least = moved ? put_half(block + 2, *low) : -d * (steps + 1) / 2;
  for (size_t i = 0; i < 32; ++i) put_number(type, block, i, d > 0 ? (x[i] - least) / d : (steps + 1) / 2);
}

inline void encode_super(Type type, uint8_t *block, const float *x) {
  const bool centred = type == Type::q6_k;
  const size_t group = centred ? 16 : 32, groups = 256 / group;
  std::vector<double> scales, leasts;
  for (size_t g = 0; g < groups; ++g) {
    const auto [low, high] = std::minmax_element(x + g * group, x + (g + 1) * group);
    const double below = std::max(0.0, -double{*low}), size = std::max(std::fabs(*low), std::fabs(*high));
    scales.push_back(centred ? size / 31 : (*high + below) / ((16 << upper_bits(type)) - 1)), leasts.push_back(below);
  }
  const double scale_most = *std::max_element(scales.begin(), scales.end());
  const double d = put_half(block + (centred ? 208 : 0), scale_most / (centred ? 127 : 63));
  const double dm = centred ? 0 : put_half(block + 2, *std::max_element(leasts.begin(), leasts.end()) / 63);
  for (size_t g = 0; g < groups; ++g) {
    const auto share = [](double part, double of, int most) {
      return of > 0 ? std::min(most, static_cast<int>(std::ceil(part / of))) : 0;
    };
    const int scale = share(scales[g], d, centred ? 127 : 63), least = share(leasts[g], dm, 63);
    if (centred) block[192 + g] = static_cast<uint8_t>(scale);
    else put_scales(block + 4, g, scale, least);
    for (size_t i = g * group; i < (g + 1) * group; ++i) {
      const double from = centred ? 32 : 0, value = d * scale > 0 ? (x[i] + dm * least) / (d * scale) : 0;
      put_number(type, block, i, value + from);
    }
  }
}

inline std::string encoded(Type type, const std::vector<float> &x) {
  const auto [columns, bytes] = layout(type);
  std::string out(x.size() / columns * bytes, '\0');
  auto *at = reinterpret_cast<uint8_t *>(out.data());
  for (size_t i = 0; i < x.size(); i += columns, at += bytes) {
    uint32_t bits;
    std::memcpy(&bits, &x[i], 4);
    if (type == Type::f32) std::memcpy(at, &bits, 4);
    else if (type == Type::f16) put_half(at, x[i]);
    else if (type == Type::bf16) at[0] = static_cast<uint8_t>(bits >> 16), at[1] = static_cast<uint8_t>(bits >> 24);
    else if (columns == 32) encode_simple(type, at, &x[i]);
    else encode_super(type, at, &x[i]);
  }
  return out;
}

// The numbers that `encoded` holds.
inline std::vector<double> values_of(Type type, const std::string &blocks) {
  const auto [columns, bytes] = layout(type);
  std::vector<double> out(blocks.size() / bytes * columns);
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = decoded(type, reinterpret_cast<const uint8_t *>(blocks.data()) + i / columns * bytes, i % columns);
  }
  return out;
}

} // namespace gguf
