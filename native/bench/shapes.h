// The released RWKV-7 shapes, and a tiny one for tests. Must not know files and formats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace bench {

struct Shape {
  const char *name;
  uint32_t layers, width, vocab;
  // Ranks of the low-rank products behind decay, in-context rate, value residual and gate.
  uint32_t decay_rank, rate_rank, value_rank, gate_rank;
};

constexpr Shape shapes[] = {
    {"tiny", 2, 256, 512, 32, 32, 32, 64},
    {"0.1b", 12, 768, 65536, 64, 64, 32, 128},
    {"0.4b", 24, 1024, 65536, 64, 64, 32, 128},
    {"1.5b", 24, 2048, 65536, 96, 96, 64, 256},
    {"2.9b", 32, 2560, 65536, 96, 96, 64, 320},
};

inline const Shape *find_shape(const std::string &name) {
  for (const Shape &shape : shapes)
    if (name == shape.name) return &shape;
  return nullptr;
}

} // namespace bench
