// A block of bytes for weights: zeroed, aligned to 2 MiB and in huge pages where the system has them, which is worth
// a tenth to a quarter of the speed of reading it. Every page is there when the constructor returns: memory that
// cannot be had is missed at load, not in the middle of a step. Must not know what the bytes mean.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace rwkv {

class Pages {
 public:
  Pages() = default;
  explicit Pages(size_t bytes); // std::bad_alloc
  Pages(Pages &&other) noexcept { swap(other); }
  Pages &operator=(Pages &&other) noexcept {
    swap(other);
    return *this;
  }
  ~Pages();

  uint8_t *data() { return data_; }
  const uint8_t *data() const { return data_; }
  size_t bytes() const { return bytes_; } // as asked for

 private:
  void swap(Pages &other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    std::swap(mapped_bytes_, other.mapped_bytes_);
  }

  uint8_t *data_ = nullptr;
  size_t bytes_ = 0, mapped_bytes_ = 0; // mapped_bytes_ 0: from operator new
};

} // namespace rwkv
