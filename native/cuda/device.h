// One CUDA device as the library uses it: its stream, its memory, pinned memory for what travels, and errors as statuses.
// Everything that a device is asked goes through the stream in order; who asks holds the device's mutex. Must not know
// models.
#pragma once

#include "emu/simt.h"

#include <cstddef>
#include <cstdint>
#include <mutex>

namespace rwkv::cuda {

// Out of memory: RWKV_MEMORY. No driver or no device: RWKV_NO_DEVICE. All else under way: RWKV_DEVICE_LOST.
void require(cudaError_t error, const char *action);
// Of launches since the last call.
inline void require_launched(const char *action) { require(cudaGetLastError(), action); }

class Device {
 public:
  explicit Device(int index = 0);
  Device(const Device &) = delete;
  ~Device();

  // Makes the device that of this thread, and keeps others out.
  [[nodiscard]] std::unique_lock<std::mutex> use();
  cudaStream_t stream() const { return stream_; }
  bool tensor_cores() const { return tensor_cores_; }
  void wait(const char *action) const { require(cudaStreamSynchronize(stream_), action); }

 private:
  std::mutex mutex_;
  int index_;
  bool tensor_cores_ = false;
  cudaStream_t stream_ = nullptr;
};

// Memory of the device; none for 0 bytes.
class DeviceBlock {
 public:
  DeviceBlock() = default;
  explicit DeviceBlock(size_t bytes);
  DeviceBlock(DeviceBlock &&other) noexcept { swap(other); }
  DeviceBlock &operator=(DeviceBlock &&other) noexcept {
    swap(other);
    return *this;
  }
  ~DeviceBlock() {
    if (data_) cudaFree(data_);
  }
  template <typename T>
  T *as(size_t first_byte = 0) const {
    return reinterpret_cast<T *>(data_ + first_byte);
  }
  size_t bytes() const { return bytes_; }

 private:
  void swap(DeviceBlock &other) noexcept {
    uint8_t *const data = data_;
    const size_t bytes = bytes_;
    data_ = other.data_, bytes_ = other.bytes_;
    other.data_ = data, other.bytes_ = bytes;
  }
  uint8_t *data_ = nullptr;
  size_t bytes_ = 0;
};

// Memory of the host that the device reads and writes by itself.
class PinnedBlock {
 public:
  explicit PinnedBlock(size_t bytes);
  PinnedBlock(const PinnedBlock &) = delete;
  ~PinnedBlock() { cudaFreeHost(data_); }
  template <typename T>
  T *as(size_t first_byte = 0) const {
    return reinterpret_cast<T *>(data_ + first_byte);
  }
  size_t bytes() const { return bytes_; }

 private:
  uint8_t *data_ = nullptr;
  size_t bytes_ = 0;
};

// Copies through pinned memory, piece by piece; done when it returns.
void upload(Device &device, const PinnedBlock &staging, void *to, const void *from, size_t bytes);
void download(Device &device, const PinnedBlock &staging, void *to, const void *from, size_t bytes);

} // namespace rwkv::cuda
