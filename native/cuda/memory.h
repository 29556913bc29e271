// States resident on the device: a fork is one copy there, and what is exported or imported goes through pinned memory.
#pragma once

#include "../src/model.h"
#include "device.h"

#include <map>

namespace rwkv::cuda {

class DeviceMemory final : public StateMemory {
 public:
  explicit DeviceMemory(Device &device);

  float *allocate(size_t count) override;
  void release(float *block) noexcept override;
  void zero(float *at, size_t count) override;
  void copy(float *to, const float *from, size_t count) override;
  void read(float *host, const float *from, size_t count) override;
  void write(float *to, const float *host, size_t count) override;

 private:
  Device &device_;
  PinnedBlock staging_;
  std::map<float *, DeviceBlock> blocks_;
};

} // namespace rwkv::cuda
