// Streams, events, graphs, copies and launches of the emulation. What a stream is given runs when somebody waits for it,
// never before: code that forgets to wait sees its results missing. The null stream waits for all others and runs at once.
#pragma once

#include "runtime.h"

#include <deque>
#include <functional>

namespace emu {

struct Stream;
struct Event {
  Stream *stream = nullptr;
  uint64_t after = 0; // how many tasks of that stream it comes behind
};
using Work = std::function<cudaError_t()>;
struct Graph {
  std::vector<Work> work;
};
struct Stream {
  std::deque<Work> waiting;
  uint64_t done = 0;
  bool capturing = false, spoilt = false;
  std::unique_ptr<Graph> graph;
};
inline std::vector<Stream *> streams;

inline cudaError_t run_until(Stream &stream, uint64_t count) {
  while (stream.done < count && !stream.waiting.empty()) {
    const Work work = std::move(stream.waiting.front());
    stream.waiting.pop_front(), ++stream.done;
    if (device.lost == cudaSuccess)
      if (const cudaError_t error = work()) failed(error);
  }
  return device.lost;
}
inline cudaError_t run_all() {
  for (Stream *stream : streams) run_until(*stream, UINT64_MAX);
  return device.lost;
}
// Nothing may wait for the device while a graph is recorded.
inline cudaError_t may_wait() {
  for (Stream *stream : streams)
    if (stream->capturing) return stream->spoilt = true, failed(cudaErrorStreamCaptureUnsupported);
  return cudaSuccess;
}
inline cudaError_t give(Stream *stream, Work work) {
  if (!stream) {
    if (const cudaError_t error = may_wait()) return error;
    run_all();
    const cudaError_t error = device.lost ? device.lost : work();
    return error ? failed(error) : cudaSuccess;
  }
  if (stream->capturing) stream->graph->work.push_back(std::move(work));
  else stream->waiting.push_back(std::move(work));
  return cudaSuccess;
}

} // namespace emu

using cudaStream_t = emu::Stream *;
using cudaEvent_t = emu::Event *;
using cudaGraph_t = emu::Graph *;
using cudaGraphExec_t = emu::Graph *;
inline constexpr unsigned cudaStreamDefault = 0, cudaStreamNonBlocking = 1, cudaEventDefault = 0,
                          cudaEventDisableTiming = 2, cudaEventBlockingSync = 1;
enum cudaStreamCaptureMode {
  cudaStreamCaptureModeGlobal,
  cudaStreamCaptureModeThreadLocal,
  cudaStreamCaptureModeRelaxed
};
enum cudaStreamCaptureStatus { cudaStreamCaptureStatusNone, cudaStreamCaptureStatusActive };

inline cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned) {
  EMU_CALL();
  emu::streams.push_back(*stream = new emu::Stream);
  return cudaSuccess;
}
inline cudaError_t cudaStreamCreate(cudaStream_t *stream) { return cudaStreamCreateWithFlags(stream, 0); }
inline cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const std::lock_guard lock(emu::device.mutex);
  emu::run_until(*stream, UINT64_MAX);
  std::erase(emu::streams, stream);
  delete stream;
  return cudaSuccess;
}
inline cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  EMU_CALL();
  if (const cudaError_t error = emu::may_wait()) return error;
  return stream ? emu::run_until(*stream, UINT64_MAX) : emu::run_all();
}
inline cudaError_t cudaStreamQuery(cudaStream_t stream) { return cudaStreamSynchronize(stream); }
inline cudaError_t cudaDeviceSynchronize() { return cudaStreamSynchronize(nullptr); }

inline cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned) {
  EMU_CALL();
  *event = new emu::Event;
  return cudaSuccess;
}
inline cudaError_t cudaEventCreate(cudaEvent_t *event) { return cudaEventCreateWithFlags(event, 0); }
inline cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}
inline cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream = nullptr) {
  EMU_CALL();
  if (!stream) emu::run_all();
  event->stream = stream, event->after = stream ? stream->done + stream->waiting.size() : 0;
  return cudaSuccess;
}
inline cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  EMU_CALL();
  if (const cudaError_t error = emu::may_wait()) return error;
  return event->stream ? emu::run_until(*event->stream, event->after) : emu::device.lost;
}
inline cudaError_t cudaEventQuery(cudaEvent_t event) { return cudaEventSynchronize(event); }
inline cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t, cudaEvent_t) {
  EMU_CALL();
  *milliseconds = 0;
  return cudaSuccess;
}
inline cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned = 0) {
  EMU_CALL();
  const emu::Event at = *event;
  if (!at.stream || at.stream == stream) return cudaSuccess;
  if (at.stream->capturing || (stream && stream->capturing)) return emu::failed(cudaErrorNotSupported);
  return emu::give(stream, [at] { return emu::run_until(*at.stream, at.after); });
}

inline cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  EMU_CALL();
  if (!stream || stream->capturing) return emu::failed(cudaErrorInvalidValue);
  ++emu::device.capturing, stream->capturing = true, stream->spoilt = false, stream->graph = std::make_unique<emu::Graph>();
  return cudaSuccess;
}
inline cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus *status) {
  EMU_CALL();
  *status = stream && stream->capturing ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
  return cudaSuccess;
}
inline cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph) {
  *graph = nullptr;
  const std::lock_guard lock(emu::device.mutex);
  if (!stream || !stream->capturing) return emu::failed(cudaErrorInvalidValue);
  --emu::device.capturing, stream->capturing = false;
  if (const cudaError_t error = emu::call()) return error;
  if (stream->spoilt) return emu::failed(cudaErrorStreamCaptureInvalidated);
  *graph = stream->graph.release();
  return cudaSuccess;
}
inline cudaError_t cudaGraphInstantiate(cudaGraphExec_t *runnable, cudaGraph_t graph, unsigned long long = 0) {
  EMU_CALL();
  *runnable = new emu::Graph(*graph);
  return cudaSuccess;
}
inline cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream) {
  EMU_CALL();
  for (const emu::Work &work : graph->work)
    if (const cudaError_t error = emu::give(stream, work)) return error;
  return cudaSuccess;
}
inline cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
inline cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) { return cudaGraphDestroy(graph); }

// Freeing waits for the device, as CUDA does.
inline cudaError_t cudaFree(void *memory) {
  const std::lock_guard lock(emu::device.mutex);
  emu::run_all();
  if (!memory) return cudaSuccess;
  const auto piece = emu::device.memory.find(static_cast<char *>(memory));
  if (piece == emu::device.memory.end()) return emu::failed(cudaErrorInvalidValue);
  emu::device.memory_used -= piece->second, emu::device.memory.erase(piece);
  emu::release(memory);
  return cudaSuccess;
}
inline cudaError_t cudaFreeHost(void *memory) {
  const std::lock_guard lock(emu::device.mutex);
  emu::run_all();
  if (memory && emu::device.pinned.erase(static_cast<char *>(memory)) == 0) return emu::failed(cudaErrorInvalidValue);
  emu::release(memory);
  return cudaSuccess;
}

// From memory that is not pinned the source is read at once, from pinned memory when the copy runs.
inline cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind,
                                   cudaStream_t stream = nullptr) {
  EMU_CALL();
  if (const cudaError_t error = emu::checked_copy(to, from, bytes, kind)) return error;
  if (kind == cudaMemcpyHostToDevice && !emu::within(emu::device.pinned, from, bytes)) {
    const char *const first = static_cast<const char *>(from);
    return emu::give(stream, [to, held = std::vector<char>(first, first + bytes)] {
      if (!held.empty()) std::memcpy(to, held.data(), held.size());
      return cudaSuccess;
    });
  }
  return emu::give(stream, [=] {
    if (bytes > 0) std::memmove(to, from, bytes);
    return cudaSuccess;
  });
}
inline cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind) {
  return cudaMemcpyAsync(to, from, bytes, kind, nullptr);
}
inline cudaError_t cudaMemcpy2DAsync(void *to, size_t to_pitch, const void *from, size_t from_pitch, size_t width,
                                     size_t height, cudaMemcpyKind kind, cudaStream_t stream = nullptr) {
  for (size_t row = 0; row < height; ++row)
    if (const cudaError_t error = cudaMemcpyAsync(static_cast<char *>(to) + row * to_pitch,
                                                  static_cast<const char *>(from) + row * from_pitch, width, kind, stream))
      return error;
  return cudaSuccess;
}
inline cudaError_t cudaMemsetAsync(void *at, int value, size_t bytes, cudaStream_t stream = nullptr) {
  EMU_CALL();
  if (bytes > 0 && !emu::on_device(at, bytes)) return emu::failed(cudaErrorInvalidValue);
  return emu::give(stream, [=] {
    if (bytes > 0) std::memset(at, value, bytes);
    return cudaSuccess;
  });
}
inline cudaError_t cudaMemset(void *at, int value, size_t bytes) { return cudaMemsetAsync(at, value, bytes, nullptr); }
