// Arrays of the recurrence tests: fresh random numbers, copies in float and double, copies on the device.
#pragma once

#include "../../../cuda/emu/testing.h"
#include "../../../tests/check.h"
#include "../wkv_cuda.h"

#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

using namespace rwkv_train;

// On the device, freed at the end. A host copy on demand.
class Device {
public:
  explicit Device(size_t count) : count_(count) { CHECK(cudaMalloc(&data_, count * sizeof(float)) == cudaSuccess); }
  explicit Device(const std::vector<float> &host) : Device(host.size()) {
    CHECK(cudaMemcpy(data_, host.data(), count_ * sizeof(float), cudaMemcpyHostToDevice) == cudaSuccess);
  }
  Device(const Device &) = delete;
  Device &operator=(const Device &) = delete;
  ~Device() { cudaFree(data_); }
  operator float *() const { return data_; }
  std::vector<float> host() const {
    std::vector<float> out(count_);
    CHECK(cudaMemcpy(out.data(), data_, count_ * sizeof(float), cudaMemcpyDeviceToHost) == cudaSuccess);
    return out;
  }

private:
  float *data_ = nullptr;
  size_t count_;
};

struct Array {
  std::vector<float> narrow;
  std::vector<double> wide;
};

// Each run sees other numbers; the seed is told, and RWKV_TEST_SEED brings it back.
inline std::mt19937_64 &random_numbers() {
  static std::mt19937_64 engine = [] {
    const char *const wanted = std::getenv("RWKV_TEST_SEED");
    const uint64_t seed = wanted ? std::strtoull(wanted, nullptr, 10) : std::random_device{}();
    std::printf("RWKV_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
    return std::mt19937_64(seed);
  }();
  return engine;
}

inline Array random_array(size_t count, float low, float high) {
  std::uniform_real_distribution<float> pick(low, high);
  Array out{std::vector<float>(count), {}};
  for (float &x : out.narrow) x = pick(random_numbers());
  out.wide.assign(out.narrow.begin(), out.narrow.end());
  return out;
}

// |x − wanted| / |wanted|, over the whole array; NaN is as far away as anything.
inline double normalised_error(const std::vector<float> &x, const std::vector<double> &wanted) {
  double apart = 0, size = 0;
  for (size_t index = 0; index < x.size(); ++index) {
    apart += (x[index] - wanted[index]) * (x[index] - wanted[index]), size += wanted[index] * wanted[index];
  }
  return std::isnan(apart) || x.size() != wanted.size() ? 1 : std::sqrt(apart / (size > 0 ? size : 1));
}

// float32 sums of at most 64 products, over a chunk or two: about 1e-7 each.
inline constexpr double error_max = 3e-6;

inline void check_close(const char *name, const std::vector<float> &x, const std::vector<double> &wanted) {
  const double error = normalised_error(x, wanted);
  CHECK(error < error_max);
  if (!(error < error_max)) std::fprintf(stderr, "  %s: normalised error %.3g\n", name, error);
}

// Batch, time, heads: one position, less than a segment, a chunk, odd ends behind a chunk and behind a segment.
inline std::vector<WkvShape> shapes() {
  if (emu::under_tsan) return {{1, 21, 2}};
  return {{1, 1, 1}, {2, 3, 1}, {1, 16, 2}, {1, 17, 1}, {2, 37, 2}, {1, 32, 1}};
}
