// Owned, zeroed, 64-byte aligned float memory. Zeroing touches every page, so memory that cannot be had is
// missed here, at load, and not in the middle of a step.
#pragma once

#include <cstddef>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

namespace rwkv {

class Floats {
 public:
  Floats() = default;
  explicit Floats(size_t count) : count_(count) {
    if (count > std::numeric_limits<size_t>::max() / sizeof(float) / 2) throw std::bad_alloc();
    if (count == 0) return;
    data_ = static_cast<float *>(::operator new(count * sizeof(float), std::align_val_t{64}));
    std::memset(data_, 0, count * sizeof(float));
  }
  Floats(Floats &&other) noexcept { swap(other); }
  Floats &operator=(Floats &&other) noexcept {
    swap(other);
    return *this;
  }
  ~Floats() {
    if (data_) ::operator delete(data_, std::align_val_t{64});
  }

  float *data() { return data_; }
  const float *data() const { return data_; }
  size_t count() const { return count_; }

 private:
  void swap(Floats &other) noexcept {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
  }

  float *data_ = nullptr;
  size_t count_ = 0;
};

// Floats rounded up to whole 64-byte lines, so that neighbours never share one.
inline size_t whole_lines(size_t count) { return (count + 15) / 16 * 16; }

} // namespace rwkv
