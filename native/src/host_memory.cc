#include "host_memory.h"

#include "floats.h"

#include <cstring>
#include <limits>
#include <new>

namespace rwkv {
namespace {

// Zeroing touches every page: memory that cannot be had is missed at load, not in the middle of a step.
class HostMemory final : public StateMemory {
 public:
  float *allocate(size_t count) override {
    if (count > std::numeric_limits<size_t>::max() / sizeof(float) / 2) throw std::bad_alloc();
    void *const block = ::operator new(whole_lines(count) * sizeof(float), std::align_val_t{64});
    std::memset(block, 0, count * sizeof(float));
    return static_cast<float *>(block);
  }
  void release(float *block) noexcept override { ::operator delete(block, std::align_val_t{64}); }
  void zero(float *at, size_t count) override { std::memset(at, 0, count * sizeof(float)); }
  void copy(float *to, const float *from, size_t count) override { std::memcpy(to, from, count * sizeof(float)); }
  void read(float *host, const float *from, size_t count) override { std::memcpy(host, from, count * sizeof(float)); }
  void write(float *to, const float *host, size_t count) override { std::memcpy(to, host, count * sizeof(float)); }
};

} // namespace

StateMemory &host_memory() {
  static HostMemory memory;
  return memory;
}

} // namespace rwkv
