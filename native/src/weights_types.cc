// The block layouts are those that GGUF defines. Arithmetic is fp32, one rounding after the other, as in ggml.
#include "weights_types.h"

#include "half.h"
#include "quantise.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

namespace rwkv {
namespace {

constexpr std::array<StoredType, 11> types = {{{"F32", 1, 4, Format::f32},
                                               {"F16", 1, 2, Format::f16},
                                               {"BF16", 1, 2, Format::bf16},
                                               {"Q8_0", 32, 34, Format::q8},
                                               {"Q6_K", 256, 210, Format::q6},
                                               {"Q4_K", 256, 144, Format::q4},
                                               {"Q4_0", 32, 18, Format::q8},
                                               {"Q4_1", 32, 20, Format::f16},
                                               {"Q5_0", 32, 22, Format::q8},
                                               {"Q5_1", 32, 24, Format::f16},
                                               {"Q5_K", 256, 176, Format::f16}}};

// Where the halves of a block stand: one or two of them, side by side.
struct Halves {
  size_t first, count;
};
Halves halves_of(Stored type) {
  switch (type) {
    case Stored::q6_k: return {208, 1};
    case Stored::q4_k:
    case Stored::q5_k:
    case Stored::q4_1:
    case Stored::q5_1: return {0, 2};
    default: return {0, 1}; // a plain number, too
  }
}

uint16_t word_at(const uint8_t *at) {
  uint16_t bits;
  std::memcpy(&bits, at, sizeof bits);
  return bits;
}
float half_at(const uint8_t *at) { return from_half(word_at(at)); }

// True when one of the words has all bits of `exponent` set.
template <typename Word>
bool any_full(const uint8_t *numbers, size_t count, Word exponent) {
  bool full = false;
  for (size_t i = 0; i < count; ++i) {
    Word bits;
    std::memcpy(&bits, numbers + i * sizeof bits, sizeof bits);
    full |= (bits & exponent) == exponent;
  }
  return full;
}

// Byte j of 16 has number j in its low and number j + 16 in its high half; fifth bits stand together in 32 bits.
void simple_numbers(uint8_t *numbers, const uint8_t *pairs, uint32_t fifth_bits) {
  for (size_t j = 0; j < 16; ++j) {
    numbers[j] = static_cast<uint8_t>((pairs[j] & 15) | (fifth_bits >> j & 1) << 4);
    numbers[j + 16] = static_cast<uint8_t>(pairs[j] >> 4 | (fifth_bits >> (j + 16) & 1) << 4);
  }
}

uint32_t fifth_bits_at(const uint8_t *at) { return word_at(at) | uint32_t{word_at(at + 2)} << 16; }

// The numbers of Q4_0, Q4_1, Q5_0 and Q5_1, whose pairs stand at the end of the block.
void simple_block(uint8_t *numbers, const uint8_t *block, Stored type) {
  const bool fifth = type == Stored::q5_0 || type == Stored::q5_1;
  const uint8_t *const pairs = block + stored_type(type).bytes - 16;
  simple_numbers(numbers, pairs, fifth ? fifth_bits_at(pairs - 4) : 0);
}

// 8 scales and 8 least values of 6 bits in 12 bytes: those of groups 4 to 7 lend their upper bits to the first 8.
uint8_t scale_of(const uint8_t *packed, size_t group) {
  return static_cast<uint8_t>(group < 4 ? packed[group] & 63 : (packed[group + 4] & 15) | packed[group - 4] >> 6 << 4);
}
uint8_t least_of(const uint8_t *packed, size_t group) {
  return static_cast<uint8_t>(group < 4 ? packed[group + 4] & 63 : packed[group + 4] >> 4 | packed[group] >> 6 << 4);
}

// Q4_K, and Q5_K with its 32 bytes of fifth bits (bit g of byte i belongs to group g) before the pairs.
void widen_k(float *out, const uint8_t *block, bool fifth) {
  const float d = half_at(block), d_least = half_at(block + 2);
  const uint8_t *const fifths = block + 16, *const pairs = fifth ? block + 48 : block + 16;
  for (size_t g = 0; g < 8; ++g) {
    const float scale = d * scale_of(block + 4, g), least = d_least * least_of(block + 4, g);
    for (size_t i = 0; i < 32; ++i) {
      const int low = pairs[g / 2 * 32 + i] >> 4 * (g % 2) & 15, high = fifth ? (fifths[i] >> g & 1) << 4 : 0;
      out[32 * g + i] = scale * static_cast<float>(low | high) - least;
    }
  }
}

void widen_q6k(float *out, const uint8_t *block) {
  const float d = half_at(block + 208);
  for (size_t g = 0; g < 16; ++g) {
    const float scale = d * static_cast<int8_t>(block[192 + g]);
    const size_t part = g / 8, quarter = g / 2 % 4, from = 16 * (g % 2);
    const uint8_t *const low = block + 64 * part + 32 * (quarter % 2) + from;
    const uint8_t *const high = block + 128 + 32 * part + from;
    for (size_t i = 0; i < 16; ++i) {
      const int number = (low[i] >> 4 * (quarter / 2) & 15) | (high[i] >> 2 * quarter & 3) << 4;
      out[16 * g + i] = scale * static_cast<float>(number - 32);
    }
  }
}

void widen_block(float *out, const uint8_t *block, Stored type) {
  if (type == Stored::q4_k || type == Stored::q5_k) return widen_k(out, block, type == Stored::q5_k);
  if (type == Stored::q6_k) return widen_q6k(out, block);
  const float d = half_at(block);
  if (type == Stored::q8_0) {
    for (size_t i = 0; i < 32; ++i) out[i] = d * static_cast<int8_t>(block[2 + i]);
    return;
  }
  uint8_t numbers[32];
  simple_block(numbers, block, type);
  const bool centred = type == Stored::q4_0 || type == Stored::q5_0;
  const int middle = type == Stored::q4_0 ? 8 : 16;
  const float least = centred ? 0.0f : half_at(block + 2);
  for (size_t i = 0; i < 32; ++i) {
    out[i] = centred ? d * static_cast<float>(numbers[i] - middle) : d * static_cast<float>(numbers[i]) + least;
  }
}

} // namespace

const StoredType &stored_type(Stored type) { return types[static_cast<size_t>(type)]; }

bool all_finite(const uint8_t *blocks, size_t count, Stored type) {
  switch (type) {
    case Stored::f32: return !any_full<uint32_t>(blocks, count, 0x7f800000);
    case Stored::f16: return !any_full<uint16_t>(blocks, count, 0x7c00);
    case Stored::bf16: return !any_full<uint16_t>(blocks, count, 0x7f80);
    default: break;
  }
  const auto [columns, bytes] = GroupLayout{stored_type(type).columns, stored_type(type).bytes};
  const Halves halves = halves_of(type);
  bool finite = true;
  for (size_t at = 0; at < count; at += columns, blocks += bytes) {
    finite &= !any_full<uint16_t>(blocks + halves.first, halves.count, 0x7c00);
  }
  return finite;
}

void widen(float *out, const uint8_t *blocks, size_t count, Stored type) {
  switch (type) {
    case Stored::f32: std::memcpy(out, blocks, count * sizeof(float)); return;
    case Stored::f16:
      for (size_t i = 0; i < count; ++i) out[i] = half_at(blocks + 2 * i);
      return;
    case Stored::bf16:
      for (size_t i = 0; i < count; ++i) out[i] = std::bit_cast<float>(uint32_t{word_at(blocks + 2 * i)} << 16);
      return;
    default: break;
  }
  const size_t columns = stored_type(type).columns, bytes = stored_type(type).bytes;
  for (size_t at = 0; at < count; at += columns, blocks += bytes) widen_block(out + at, blocks, type);
}

void hold(uint8_t *out, const uint8_t *blocks, size_t count, Stored type) {
  const size_t columns = stored_type(type).columns, bytes = stored_type(type).bytes;
  const int middle = type == Stored::q4_0 ? 8 : 16;
  for (size_t at = 0; at < count; at += columns, blocks += bytes) {
    if (stored_type(type).held == Format::q8) { // Q4_0 and Q5_0: the same scale and smaller numbers
      uint8_t numbers[32];
      simple_block(numbers, blocks, type);
      std::memcpy(out, blocks, 2);
      for (size_t i = 0; i < 32; ++i) out[2 + i] = static_cast<uint8_t>(numbers[i] - middle);
      out += 34;
    } else {
      float values[256];
      widen_block(values, blocks, type);
      quantise(out, Format::f16, values, columns);
      out += 2 * columns;
    }
  }
}

bool scale_by_power(uint8_t *blocks, size_t count, Stored type, int power) {
  const size_t columns = stored_type(type).columns, bytes = stored_type(type).bytes;
  const Halves halves = halves_of(type);
  for (size_t at = 0; at < count; at += columns, blocks += bytes) {
    for (size_t i = 0; i < halves.count; ++i) {
      uint8_t *const number = blocks + halves.first + 2 * i;
      float value;
      widen(&value, number, 1, is_plain(type) ? type : Stored::f16);
      value = std::ldexp(value, power);
      quantise(number, is_plain(type) ? stored_type(type).held : Format::f16, &value, 1);
    }
  }
  return all_finite(blocks - (count + columns - 1) / columns * bytes, count, type);
}

} // namespace rwkv
