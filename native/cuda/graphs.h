// Recorded steps: the launches of one step as a CUDA graph, per number of rows and states. What differs from step to step
// lies in tables at fixed places, so one recording serves all states. Must not know what is launched.
#pragma once

#include "device.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace rwkv::cuda {

class Graphs {
 public:
  explicit Graphs(Device &device) : device_(device) {}
  Graphs(const Graphs &) = delete;
  ~Graphs();

  // Does what `launches` puts on the stream of the device. A shape met for the first time is launched as it is, the second
  // time it is recorded, from then on replayed. At most graphs_max shapes are known, the newest.
  void run(size_t rows, size_t spans, const std::function<void()> &launches);
  size_t replays() const { return replays_; }

 private:
  static constexpr size_t graphs_max = 32;
  struct Known {
    size_t rows, spans;
    uint64_t used;
    cudaGraphExec_t recorded = nullptr;
  };
  cudaGraphExec_t record(const std::function<void()> &launches);

  Device &device_;
  std::vector<Known> known_;
  uint64_t runs_ = 0;
  size_t replays_ = 0;
};

} // namespace rwkv::cuda
