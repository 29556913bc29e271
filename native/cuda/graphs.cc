#include "graphs.h"

#include <algorithm>

namespace rwkv::cuda {

Graphs::~Graphs() {
  for (const Known &known : known_) {
    if (known.recorded) cudaGraphExecDestroy(known.recorded);
  }
}

void Graphs::run(size_t rows, size_t spans, const std::function<void()> &launches) {
  const auto same = [&](const Known &known) { return known.rows == rows && known.spans == spans; };
  auto at = std::find_if(known_.begin(), known_.end(), same);
  if (at == known_.end()) {
    if (known_.size() == graphs_max) {
      const auto older = [](const Known &a, const Known &b) { return a.used < b.used; };
      const auto oldest = std::min_element(known_.begin(), known_.end(), older);
      if (oldest->recorded) cudaGraphExecDestroy(oldest->recorded);
      known_.erase(oldest);
    }
    known_.push_back({rows, spans, ++runs_});
    return launches();
  }
  at->used = ++runs_;
  if (!at->recorded) at->recorded = record(launches);
  require(cudaGraphLaunch(at->recorded, device_.stream()), "start a step");
  ++replays_;
}

cudaGraphExec_t Graphs::record(const std::function<void()> &launches) {
  constexpr const char *action = "record a step";
  require(cudaStreamBeginCapture(device_.stream(), cudaStreamCaptureModeThreadLocal), action);
  cudaGraph_t graph = nullptr;
  try {
    launches();
  } catch (...) { // the stream must not stay in recording
    if (cudaStreamEndCapture(device_.stream(), &graph) == cudaSuccess) cudaGraphDestroy(graph);
    throw;
  }
  require(cudaStreamEndCapture(device_.stream(), &graph), action);
  cudaGraphExec_t recorded = nullptr;
  const cudaError_t error = cudaGraphInstantiate(&recorded, graph, 0);
  cudaGraphDestroy(graph);
  require(error, action);
  return recorded;
}

} // namespace rwkv::cuda
