// SHA-256, streamed. Knows no file and no model.
#include "sha256.h"

#include <algorithm>
#include <cstring>

namespace rwkv {

void Sha256::update(const void *bytes, size_t count) {
  auto at = static_cast<const uint8_t *>(bytes);
  total_bytes_ += count;
  while (count > 0) {
    if (partial_bytes_ == 0 && count >= 64) {
      const size_t whole = count / 64;
      blocks_(hash_.data(), at, whole);
      at += 64 * whole, count -= 64 * whole;
      continue;
    }
    const size_t piece = std::min(count, 64 - partial_bytes_);
    std::memcpy(partial_.data() + partial_bytes_, at, piece);
    partial_bytes_ += piece, at += piece, count -= piece;
    if (partial_bytes_ == 64) blocks_(hash_.data(), partial_.data(), 1), partial_bytes_ = 0;
  }
}

std::array<uint8_t, 32> Sha256::finish() {
  const uint64_t total_bits = total_bytes_ * 8;
  const uint8_t one = 0x80, zero = 0;
  update(&one, 1);
  while (partial_bytes_ != 56) update(&zero, 1);
  for (int shift = 56; shift >= 0; shift -= 8) {
    const auto byte = static_cast<uint8_t>(total_bits >> shift);
    update(&byte, 1);
  }
  std::array<uint8_t, 32> out;
  for (size_t i = 0; i < 32; ++i) out[i] = static_cast<uint8_t>(hash_[i / 4] >> (24 - 8 * (i % 4)));
  return out;
}

} // namespace rwkv
