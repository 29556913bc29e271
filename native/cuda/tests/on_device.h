// What the kernel tests share: vectors on the device, numbers without a pattern that differ in every run, schedules. Under
// emulation a body runs once in every order of threads, on a device once.
#pragma once

#include "../../tests/check.h"
#include "../emu/testing.h"

#include <cstdint>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

inline void check_cuda(cudaError_t error) {
  CHECK(error == cudaSuccess);
  if (error != cudaSuccess) std::fprintf(stderr, "%s\n", cudaGetErrorString(error));
}

template <typename T>
class OnDevice {
 public:
  explicit OnDevice(const std::vector<T> &values) : count_(values.size()) {
    check_cuda(cudaMalloc(&data_, count_ * sizeof(T)));
    put(values);
  }
  explicit OnDevice(size_t count) : OnDevice(std::vector<T>(count)) {}
  OnDevice(const OnDevice &) = delete;
  ~OnDevice() { cudaFree(data_); }

  operator T *() const { return data_; }
  void put(const std::vector<T> &values) {
    check_cuda(cudaMemcpy(data_, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice));
  }
  std::vector<T> get() const {
    std::vector<T> out(count_);
    check_cuda(cudaGetLastError());
    check_cuda(cudaMemcpy(out.data(), data_, count_ * sizeof(T), cudaMemcpyDeviceToHost));
    return out;
  }

 private:
  T *data_ = nullptr;
  size_t count_;
};

// Numbers of this run. A failure is repeated with RWKV_TEST_SEED, which every test prints.
class Noise {
 public:
  Noise() : state_(seed()) {}
  uint32_t below(uint32_t bound) { return static_cast<uint32_t>((next() >> 32) % bound); }
  float real(float scale = 1, float offset = 0) {
    return offset + scale * (static_cast<float>(next() >> 40) / 8388608.0f - 1);
  }
  std::vector<float> reals(size_t count, float scale = 1, float offset = 0) {
    std::vector<float> out(count);
    for (float &value : out) value = real(scale, offset);
    return out;
  }

 private:
  static uint64_t seed() {
    static const uint64_t chosen = [] {
      const char *const set = std::getenv("RWKV_TEST_SEED");
      const uint64_t value = set ? std::strtoull(set, nullptr, 10) : static_cast<uint64_t>(std::time(nullptr));
      std::printf("RWKV_TEST_SEED=%llu\n", static_cast<unsigned long long>(value));
      return value;
    }();
    return chosen;
  }
  uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    uint64_t x = state_;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
  }
  uint64_t state_;
};

// |got − wanted| / |wanted| over all numbers.
inline double normalised_error(const std::vector<float> &got, const std::vector<double> &wanted) {
  double error = 0, size = 0;
  CHECK(got.size() == wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    error += (got[i] - wanted[i]) * (got[i] - wanted[i]), size += wanted[i] * wanted[i];
  }
  return std::sqrt(error / std::fmax(size, 1e-300));
}
template <typename T>
bool same_bits(const std::vector<T> &a, const std::vector<T> &b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

using emu::each_schedule;
