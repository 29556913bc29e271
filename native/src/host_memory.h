// States in the memory of this machine, and a block of any StateMemory that goes away with its owner.
#pragma once

#include "model.h"

#include <utility>

namespace rwkv {

// The one of the host.
StateMemory &host_memory();

class StateBlock {
 public:
  StateBlock() = default;
  StateBlock(StateMemory &memory, size_t count) : memory_(&memory), data_(memory.allocate(count)) {}
  StateBlock(StateBlock &&other) noexcept { swap(other); }
  StateBlock &operator=(StateBlock &&other) noexcept {
    StateBlock old(std::move(other));
    swap(old);
    return *this;
  }
  ~StateBlock() {
    if (data_) memory_->release(data_);
  }

  float *data() const { return data_; }
  explicit operator bool() const { return data_ != nullptr; }

 private:
  void swap(StateBlock &other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(data_, other.data_);
  }

  StateMemory *memory_ = nullptr;
  float *data_ = nullptr;
};

} // namespace rwkv
