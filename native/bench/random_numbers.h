// Random weights, fast: a pool of blocks per distribution and format, and tensors put together from blocks drawn out of
// it. Every row of a matrix is different and every number has its distribution; only blocks of 256 repeat.
#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "gguf_file.h"

namespace bench {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t bits() { // splitmix64
    uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  double normal() { // Box-Muller, one of the pair
    return std::sqrt(-2.0 * std::log(1.0 - uniform())) * std::cos(6.283185307179586 * uniform());
  }

 private:
  uint64_t state_;
};

struct Distribution {
  enum class Kind { normal, uniform } kind;
  double a, b; // mean and deviation, or least and greatest

  double draw(Random &random) const {
    return kind == Kind::normal ? a + b * random.normal() : a + (b - a) * random.uniform();
  }
};

class RandomTensors {
 public:
  // Writes the bytes of one tensor; its count is a multiple of 32, of 256 for the types of such blocks.
  void write(GgufFile &file, const Tensor &tensor, const Distribution &distribution);

 private:
  using Key = std::tuple<TensorType, double, double>;
  const std::vector<uint8_t> &pool(TensorType type, const Distribution &distribution);

  Random random_{7};
  std::map<Key, std::vector<uint8_t>> pools_;
};

} // namespace bench
