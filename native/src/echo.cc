#include "echo.h"

#include "sha256.h"

#include <cstring>
#include <string_view>

namespace rwkv {
namespace {

constexpr uint32_t echo_width = 8, echo_vocab = 256;

uint64_t stir(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15;
  return hash ^ hash >> 32;
}

// In [0, 1), from 24 bits: exact in fp32.
float unit(uint64_t hash) { return static_cast<float>(hash >> 40) * 0x1p-24f; }

uint64_t hash_of(const float *row, uint64_t start) {
  for (uint32_t i = 0; i < echo_width; ++i) {
    uint32_t bits;
    std::memcpy(&bits, row + i, sizeof bits);
    start = stir(start, bits);
  }
  return start;
}

} // namespace

Echo::Echo() {
  shape_.width = echo_width;
  shape_.layers = 1;
  shape_.vocab = echo_vocab;
  shape_.state_floats = sizeof(uint64_t) / sizeof(float); // the hash, bit for bit
  constexpr std::string_view name = "rwkv echo device, version 1";
  Sha256 sha;
  sha.update(name.data(), name.size());
  shape_.hash = sha.finish();
}

void Echo::embed(uint32_t token, float *out) const {
  for (uint32_t i = 0; i < echo_width; ++i) out[i] = i == 0 ? static_cast<float>(token) : 0.0f;
}

void Echo::layer(size_t, const Wave &wave, float *, const Team &) const {
  for (const Span &span : wave.spans) {
    uint64_t hash;
    std::memcpy(&hash, span.memory, sizeof hash);
    for (size_t row = span.first_row; row < span.first_row + span.row_count; ++row) {
      float *const at = wave.x + row * echo_width;
      hash = hash_of(at, stir(hash, 1));
      for (uint32_t i = 0; i < echo_width; ++i) at[i] = 2.0f * unit(stir(hash, i)) - 1.0f;
    }
    std::memcpy(span.memory, &hash, sizeof hash);
  }
}

void Echo::logits(const float *x, size_t rows, float *out, const Team &) const {
  for (size_t row = 0; row < rows; ++row) {
    const uint64_t hash = hash_of(x + row * echo_width, 2);
    for (uint32_t token = 0; token < echo_vocab; ++token) {
      out[row * echo_vocab + token] = 4.0f * unit(stir(stir(hash, token), 3)) - 2.0f;
    }
    out[row * echo_vocab] = 2.0f + 8.0f * unit(stir(hash, 4)); // the other 255 weigh about e^6 together
  }
}

} // namespace rwkv
