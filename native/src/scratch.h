// Hands out memory front to back, in whole 64-byte lines. Without memory it only counts how much would be needed, so a
// layout is written once.
#pragma once

#include "floats.h"

namespace rwkv {

class Scratch {
 public:
  explicit Scratch(float *memory) : memory_(memory) {}

  float *take(size_t floats) {
    float *const taken = memory_ ? memory_ + used_ : nullptr;
    used_ += whole_lines(floats);
    return taken;
  }
  size_t used() const { return used_; }

 private:
  float *memory_;
  size_t used_ = 0;
};

} // namespace rwkv
