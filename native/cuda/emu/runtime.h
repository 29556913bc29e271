// The part of the CUDA runtime that the library calls, for the emulation: devices, memory, errors, launches. Memory of the
// device is plain memory filled with 0xFF; copies are checked against it. Calls can be told to fail (faults). Streams and
// graphs are in streams.h.
#pragma once

#include "run.h"

#include <cstdint>
#include <map>
#include <tuple>

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInvalidConfiguration = 9,
  cudaErrorInvalidMemcpyDirection = 21,
  cudaErrorInsufficientDriver = 35,
  cudaErrorNoDevice = 100,
  cudaErrorInvalidDevice = 101,
  cudaErrorECCUncorrectable = 214,
  cudaErrorInvalidResourceHandle = 400,
  cudaErrorNotReady = 600,
  cudaErrorIllegalAddress = 700,
  cudaErrorLaunchTimeout = 702,
  cudaErrorLaunchFailure = 719,
  cudaErrorNotSupported = 801,
  cudaErrorStreamCaptureUnsupported = 900,
  cudaErrorStreamCaptureInvalidated = 901,
  cudaErrorUnknown = 999,
};
enum cudaMemcpyKind {
  cudaMemcpyHostToHost,
  cudaMemcpyHostToDevice,
  cudaMemcpyDeviceToHost,
  cudaMemcpyDeviceToDevice,
  cudaMemcpyDefault
};
enum cudaFuncAttribute {
  cudaFuncAttributeMaxDynamicSharedMemorySize = 8,
  cudaFuncAttributePreferredSharedMemoryCarveout = 9
};
enum cudaDeviceAttr {
  cudaDevAttrMultiProcessorCount = 16,
  cudaDevAttrComputeCapabilityMajor = 75,
  cudaDevAttrComputeCapabilityMinor = 76,
  cudaDevAttrMaxSharedMemoryPerBlockOptin = 97
};
inline constexpr unsigned cudaHostAllocDefault = 0, cudaHostAllocPortable = 1, cudaHostAllocMapped = 2;

struct cudaDeviceProp {
  char name[256] = "emulation";
  size_t totalGlobalMem = size_t{1} << 30, sharedMemPerBlock = 48 * 1024, sharedMemPerBlockOptin = 99 * 1024;
  int major = 8, minor = 6, multiProcessorCount = 4, warpSize = 32, maxThreadsPerBlock = 1024;
  int l2CacheSize = 4 << 20, maxThreadsPerMultiProcessor = 1536, regsPerBlock = 65536;
};

namespace emu {

struct Device {
  std::recursive_mutex mutex;
  cudaDeviceProp properties;
  std::map<const char *, size_t> memory, pinned;
  std::map<const void *, size_t> dynamic_bytes_max; // by kernel
  size_t memory_used = 0;
  cudaError_t last = cudaSuccess, lost = cudaSuccess;
  long calls = 0, fault_at = 0; // the call of that number fails, 0: none does
  cudaError_t fault = cudaSuccess;
  int devices = 1, capturing = 0;
};
inline Device device;

// Those after which nothing works any more.
inline bool is_final(cudaError_t error) {
  return error == cudaErrorECCUncorrectable || error == cudaErrorIllegalAddress || error == cudaErrorLaunchTimeout ||
         error == cudaErrorLaunchFailure || error == cudaErrorUnknown;
}
inline cudaError_t failed(cudaError_t error) {
  device.last = error;
  if (is_final(error)) device.lost = error;
  return error;
}
// At the head of every call that can fail.
inline cudaError_t call() {
  if (++device.calls == device.fault_at) return failed(device.fault);
  return device.lost == cudaSuccess ? cudaSuccess : failed(device.lost);
}

// For tests. The n-th call from now fails; a lost device stays lost until reset.
inline void fail_call(long n, cudaError_t error) { device.fault_at = device.calls + n, device.fault = error; }
inline void reset_device() { device.last = device.lost = cudaSuccess, device.fault_at = 0; }

// Whether [at, at + bytes) lies within one piece of `memory`.
inline bool within(const std::map<const char *, size_t> &memory, const void *at, size_t bytes) {
  auto piece = memory.upper_bound(static_cast<const char *>(at));
  if (piece == memory.begin()) return false;
  --piece;
  return static_cast<const char *>(at) + bytes <= piece->first + piece->second;
}
inline bool on_device(const void *at, size_t bytes) { return within(device.memory, at, bytes); }

inline cudaError_t checked_copy(const void *to, const void *from, size_t bytes, cudaMemcpyKind kind) {
  if (kind == cudaMemcpyDefault || bytes == 0) return cudaSuccess;
  const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  const bool right = on_device(to, bytes) == to_device && on_device(from, bytes) == from_device;
  return right ? cudaSuccess : failed(cudaErrorInvalidValue);
}

} // namespace emu

#define EMU_CALL()                                              \
  const std::lock_guard emu_lock(emu::device.mutex);            \
  if (const cudaError_t emu_error = emu::call()) return emu_error

inline const char *cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "cudaSuccess";
    case cudaErrorInvalidValue: return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation: return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidConfiguration: return "cudaErrorInvalidConfiguration";
    case cudaErrorIllegalAddress: return "cudaErrorIllegalAddress";
    case cudaErrorLaunchFailure: return "cudaErrorLaunchFailure";
    default: return "an error of CUDA";
  }
}
inline const char *cudaGetErrorString(cudaError_t error) { return cudaGetErrorName(error); }
inline cudaError_t cudaGetLastError() {
  const std::lock_guard lock(emu::device.mutex);
  const cudaError_t error = emu::device.last;
  emu::device.last = emu::device.lost;
  return error;
}
inline cudaError_t cudaPeekAtLastError() {
  const std::lock_guard lock(emu::device.mutex);
  return emu::device.last;
}

inline cudaError_t cudaGetDeviceCount(int *count) {
  EMU_CALL();
  *count = emu::device.devices;
  return *count > 0 ? cudaSuccess : emu::failed(cudaErrorNoDevice);
}
inline cudaError_t cudaSetDevice(int index) {
  EMU_CALL();
  return index >= 0 && index < emu::device.devices ? cudaSuccess : emu::failed(cudaErrorInvalidDevice);
}
inline cudaError_t cudaGetDevice(int *index) {
  EMU_CALL();
  *index = 0;
  return cudaSuccess;
}
inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int) {
  EMU_CALL();
  *properties = emu::device.properties;
  return cudaSuccess;
}
inline cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr which, int) {
  EMU_CALL();
  const cudaDeviceProp &properties = emu::device.properties;
  switch (which) {
    case cudaDevAttrMultiProcessorCount: *value = properties.multiProcessorCount; return cudaSuccess;
    case cudaDevAttrComputeCapabilityMajor: *value = properties.major; return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor: *value = properties.minor; return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: *value = int(properties.sharedMemPerBlockOptin); return cudaSuccess;
  }
  return emu::failed(cudaErrorInvalidValue);
}
inline cudaError_t cudaMemGetInfo(size_t *free, size_t *total) {
  EMU_CALL();
  *total = emu::device.properties.totalGlobalMem, *free = *total - emu::device.memory_used;
  return cudaSuccess;
}

template <class T>
cudaError_t cudaMalloc(T **to, size_t bytes) {
  EMU_CALL();
  *to = nullptr;
  if (emu::device.capturing > 0) return emu::failed(cudaErrorStreamCaptureUnsupported);
  if (bytes == 0) return cudaSuccess;
  if (bytes > emu::device.properties.totalGlobalMem - emu::device.memory_used)
    return emu::failed(cudaErrorMemoryAllocation);
  void *const memory = emu::poisoned(bytes);
  emu::device.memory[static_cast<char *>(memory)] = bytes, emu::device.memory_used += bytes;
  *to = static_cast<T *>(memory);
  return cudaSuccess;
}
template <class T>
cudaError_t cudaHostAlloc(T **to, size_t bytes, unsigned) {
  EMU_CALL();
  void *const memory = emu::poisoned(bytes);
  emu::device.pinned[static_cast<char *>(memory)] = bytes;
  *to = static_cast<T *>(memory);
  return cudaSuccess;
}
template <class T>
cudaError_t cudaMallocHost(T **to, size_t bytes) {
  return cudaHostAlloc(to, bytes, cudaHostAllocDefault);
}

// A template or a plain function, as the runtime takes both.
template <class... P>
cudaError_t cudaFuncSetAttribute(void (*kernel)(P...), cudaFuncAttribute which, int value) {
  EMU_CALL();
  if (which != cudaFuncAttributeMaxDynamicSharedMemorySize) return cudaSuccess;
  if (value < 0 || size_t(value) > emu::device.properties.sharedMemPerBlockOptin)
    return emu::failed(cudaErrorInvalidValue);
  emu::device.dynamic_bytes_max[reinterpret_cast<const void *>(kernel)] = size_t(value);
  return cudaSuccess;
}
