#include "memory.h"

#include "../src/failure.h"

#include <algorithm>
#include <new>

namespace rwkv::cuda {
namespace {

constexpr size_t staging_bytes = 1 << 20; // of a state on its way; more is not faster

} // namespace

DeviceMemory::DeviceMemory(Device &device) : device_(device), staging_(staging_bytes) {}

float *DeviceMemory::allocate(size_t count) {
  const auto lock = device_.use();
  try {
    if (count > SIZE_MAX / sizeof(float)) throw std::bad_alloc();
    DeviceBlock block(std::max<size_t>(count, 1) * sizeof(float));
    float *const at = block.as<float>();
    require(cudaMemsetAsync(at, 0, block.bytes(), device_.stream()), "clear states");
    blocks_.emplace(at, std::move(block));
    return at;
  } catch (const Failure &failure) {
    if (failure.status == RWKV_MEMORY) throw std::bad_alloc(); // as the contract has it
    throw;
  }
}

void DeviceMemory::release(float *block) noexcept {
  try {
    const auto lock = device_.use();
    blocks_.erase(block);
  } catch (const Failure &) { // a lost device has nothing left to give back
  }
}

// A state that is closed is cleared, and closing never fails: a lost device has nothing left to clear, and the next step
// tells that it is lost.
void DeviceMemory::zero(float *at, size_t count) {
  try {
    const auto lock = device_.use();
    require(cudaMemsetAsync(at, 0, count * sizeof(float), device_.stream()), "clear a state");
  } catch (const Failure &failure) {
    if (failure.status != RWKV_DEVICE_LOST) throw;
  }
}

void DeviceMemory::copy(float *to, const float *from, size_t count) {
  const auto lock = device_.use();
  require(cudaMemcpyAsync(to, from, count * sizeof(float), cudaMemcpyDeviceToDevice, device_.stream()),
          "copy a state");
}

void DeviceMemory::read(float *host, const float *from, size_t count) {
  const auto lock = device_.use();
  download(device_, staging_, host, from, count * sizeof(float));
}

void DeviceMemory::write(float *to, const float *host, size_t count) {
  const auto lock = device_.use();
  upload(device_, staging_, to, host, count * sizeof(float));
}

} // namespace rwkv::cuda
