// SHA-256 (FIPS 180-4), streamed: names a model by its bytes.
#pragma once

#include "sha256_blocks.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace rwkv {

class Sha256 {
 public:
  void update(const void *bytes, size_t count);
  std::array<uint8_t, 32> finish();

 private:
  const Sha256Blocks blocks_ = sha256_blocks();
  std::array<uint32_t, 8> hash_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> partial_{};
  size_t partial_bytes_ = 0;
  uint64_t total_bytes_ = 0;
};

} // namespace rwkv
