#include "device.h"

#include "../src/failure.h"

#include <algorithm>
#include <cstring>

namespace rwkv::cuda {

void require(cudaError_t error, const char *action) {
  if (error == cudaSuccess) return;
  cudaGetLastError(); // told here; what comes next starts afresh unless the device is lost
  const std::string reason = std::string(": ") + cudaGetErrorString(error);
  switch (error) {
    case cudaErrorMemoryAllocation:
      fail(RWKV_MEMORY, std::string("Cannot ") + action + ": out of memory of the device");
    case cudaErrorInsufficientDriver: // also where there is no driver at all
    case cudaErrorNoDevice: fail(RWKV_NO_DEVICE, std::string("Cannot ") + action + ": there is no CUDA device" + reason);
    case cudaErrorInvalidDevice:
      fail(RWKV_NO_DEVICE, std::string("Cannot ") + action + ": there is no CUDA device of that number" + reason);
    default: fail(RWKV_DEVICE_LOST, std::string("Cannot ") + action + ": the CUDA device failed" + reason);
  }
}

Device::Device(int index) : index_(index) {
  constexpr const char *action = "open device \"cuda\"";
  int count = 0, major = 0, minor = 0;
  require(cudaGetDeviceCount(&count), action);
  if (index_ >= count) require(cudaErrorInvalidDevice, action);
  require(cudaSetDevice(index_), action);
  require(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, index_), action);
  require(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, index_), action);
  tensor_cores_ = major > 7 || (major == 7 && minor >= 5);
  require(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), action);
}

Device::~Device() { cudaStreamDestroy(stream_); }

std::unique_lock<std::mutex> Device::use() {
  std::unique_lock lock(mutex_);
  require(cudaSetDevice(index_), "use the CUDA device");
  return lock;
}

DeviceBlock::DeviceBlock(size_t bytes) : bytes_(bytes) {
  if (bytes > 0) require(cudaMalloc(&data_, bytes), "allocate on the device");
}

PinnedBlock::PinnedBlock(size_t bytes) : bytes_(bytes) {
  require(cudaHostAlloc(&data_, bytes, cudaHostAllocDefault), "allocate pinned memory");
}

void upload(Device &device, const PinnedBlock &staging, void *to, const void *from, size_t bytes) {
  for (size_t at = 0; at < bytes; at += staging.bytes()) {
    const size_t piece = std::min(staging.bytes(), bytes - at);
    std::memcpy(staging.as<uint8_t>(), static_cast<const uint8_t *>(from) + at, piece);
    require(cudaMemcpyAsync(static_cast<uint8_t *>(to) + at, staging.as<uint8_t>(), piece, cudaMemcpyHostToDevice,
                            device.stream()),
            "copy to the device");
    device.wait("copy to the device");
  }
}

void download(Device &device, const PinnedBlock &staging, void *to, const void *from, size_t bytes) {
  for (size_t at = 0; at < bytes; at += staging.bytes()) {
    const size_t piece = std::min(staging.bytes(), bytes - at);
    require(cudaMemcpyAsync(staging.as<uint8_t>(), static_cast<const uint8_t *>(from) + at, piece,
                            cudaMemcpyDeviceToHost, device.stream()),
            "copy from the device");
    device.wait("copy from the device");
    std::memcpy(static_cast<uint8_t *>(to) + at, staging.as<uint8_t>(), piece);
  }
}

} // namespace rwkv::cuda
