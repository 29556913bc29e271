// The emulated runtime and numbers: work runs when somebody waits for it, graphs replay, calls fail when told to and a lost
// device stays lost; half and bfloat16 of every bit pattern.
//
// Sources: none
#include "../../tests/check.h"
#include "../emu/simt.h"

namespace {

__global__ void add(float *x, float by, int count) {
  const int at = int(blockIdx.x * blockDim.x + threadIdx.x);
  if (at < count) x[at] += by;
}
__global__ void nothing() {}

constexpr int count = 100;
constexpr size_t bytes = count * sizeof(float);

// Nothing of a stream is done before somebody waits; pinned memory is read then, other memory at once.
void waiting() {
  float *x = nullptr, *pinned = nullptr;
  cudaStream_t stream = nullptr;
  CHECK(cudaMalloc(&x, bytes) == cudaSuccess && cudaHostAlloc(&pinned, bytes, cudaHostAllocDefault) == cudaSuccess);
  CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess);
  std::vector<float> host(count, 1), out(count, -1);
  CHECK(cudaMemcpyAsync(x, host.data(), bytes, cudaMemcpyHostToDevice, stream) == cudaSuccess);
  host.assign(count, 50);
  LAUNCH(add, 2, 64, 0, stream, x, 2.0f, count);
  CHECK(cudaMemcpyAsync(out.data(), x, bytes, cudaMemcpyDeviceToHost, stream) == cudaSuccess);
  CHECK(out[0] == -1);
  CHECK(cudaStreamSynchronize(stream) == cudaSuccess && out == std::vector<float>(count, 3));

  std::fill_n(pinned, count, 1.0f);
  CHECK(cudaMemcpyAsync(x, pinned, bytes, cudaMemcpyHostToDevice, stream) == cudaSuccess);
  std::fill_n(pinned, count, 9.0f); // too early: the copy has not run
  CHECK(cudaMemcpy(out.data(), x, bytes, cudaMemcpyDeviceToHost) == cudaSuccess && out[0] == 9);

  // An event lets another stream see what lies before it, and no more.
  cudaStream_t other = nullptr;
  cudaEvent_t event = nullptr;
  CHECK(cudaStreamCreate(&other) == cudaSuccess && cudaEventCreateWithFlags(&event, cudaEventDisableTiming) == cudaSuccess);
  LAUNCH(add, 2, 64, 0, stream, x, 1.0f, count);
  CHECK(cudaEventRecord(event, stream) == cudaSuccess);
  LAUNCH(add, 2, 64, 0, stream, x, 100.0f, count);
  CHECK(cudaStreamWaitEvent(other, event) == cudaSuccess);
  CHECK(cudaMemcpyAsync(out.data(), x, bytes, cudaMemcpyDeviceToHost, other) == cudaSuccess);
  CHECK(cudaStreamSynchronize(other) == cudaSuccess && out[5] == 10);
  CHECK(cudaDeviceSynchronize() == cudaSuccess);
  CHECK(cudaMemcpy(out.data(), x, bytes, cudaMemcpyDeviceToHost) == cudaSuccess && out[5] == 110);
  CHECK(cudaEventDestroy(event) == cudaSuccess && cudaStreamDestroy(other) == cudaSuccess);
  CHECK(cudaStreamDestroy(stream) == cudaSuccess && cudaFree(x) == cudaSuccess && cudaFreeHost(pinned) == cudaSuccess);
}

// A recorded graph ran not once while recorded; each replay does all of it again, with what lies in memory then.
void graphs() {
  float *x = nullptr, *more = nullptr;
  cudaStream_t stream = nullptr;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t runnable = nullptr;
  std::vector<float> out(count);
  CHECK(cudaMalloc(&x, bytes) == cudaSuccess && cudaStreamCreate(&stream) == cudaSuccess);
  CHECK(cudaMemset(x, 0, bytes) == cudaSuccess);
  CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
  LAUNCH(add, 2, 64, 0, stream, x, 1.0f, count);
  LAUNCH(add, 2, 64, 0, stream, x, 2.0f, count);
  CHECK(cudaStreamEndCapture(stream, &graph) == cudaSuccess && graph);
  CHECK(cudaGraphInstantiate(&runnable, graph, 0) == cudaSuccess && cudaGraphDestroy(graph) == cudaSuccess);
  CHECK(cudaMemcpy(out.data(), x, bytes, cudaMemcpyDeviceToHost) == cudaSuccess && out[7] == 0);
  for (int turn = 0; turn < 3; ++turn) CHECK(cudaGraphLaunch(runnable, stream) == cudaSuccess);
  CHECK(cudaStreamSynchronize(stream) == cudaSuccess);
  CHECK(cudaMemcpy(out.data(), x, bytes, cudaMemcpyDeviceToHost) == cudaSuccess && out[7] == 9);

  CHECK(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal) == cudaSuccess);
  CHECK(cudaMalloc(&more, bytes) == cudaErrorStreamCaptureUnsupported && !more);
  CHECK(cudaStreamSynchronize(stream) == cudaErrorStreamCaptureUnsupported);
  CHECK(cudaStreamEndCapture(stream, &graph) == cudaErrorStreamCaptureInvalidated && !graph);
  CHECK(cudaGetLastError() == cudaErrorStreamCaptureInvalidated && cudaGetLastError() == cudaSuccess);
  CHECK(cudaGraphExecDestroy(runnable) == cudaSuccess && cudaStreamDestroy(stream) == cudaSuccess);
  CHECK(cudaFree(x) == cudaSuccess);
}

// The first error of a small program, after which it gives up and gives back what it has.
cudaError_t program() {
  float *x = nullptr;
  cudaStream_t stream = nullptr;
  std::vector<float> host(count, 1);
  cudaError_t error = cudaMalloc(&x, bytes);
  if (!error) error = cudaStreamCreate(&stream);
  if (!error) error = cudaMemcpyAsync(x, host.data(), bytes, cudaMemcpyHostToDevice, stream);
  if (!error) LAUNCH(add, 2, 64, 0, stream, x, 2.0f, count), error = cudaGetLastError();
  if (!error) error = cudaMemcpyAsync(host.data(), x, bytes, cudaMemcpyDeviceToHost, stream);
  if (!error) error = cudaStreamSynchronize(stream);
  if (stream) cudaStreamDestroy(stream);
  cudaFree(x);
  CHECK(error || host[0] == 3);
  return error;
}

void faults() {
  for (const cudaError_t fault : {cudaErrorMemoryAllocation, cudaErrorECCUncorrectable}) {
    long n = 1;
    for (; n < 20; ++n) {
      emu::fail_call(n, fault);
      if (program() == cudaSuccess) break;
      CHECK(emu::device.memory.empty() && emu::streams.empty());
      CHECK(cudaDeviceSynchronize() == (fault == cudaErrorECCUncorrectable ? fault : cudaSuccess)); // lost is lost
      emu::reset_device();
    }
    CHECK(n == 7); // six calls can fail
    emu::reset_device();
  }
  float *x = nullptr;
  std::vector<float> host(count);
  const size_t all = emu::device.properties.totalGlobalMem;
  emu::device.properties.totalGlobalMem = bytes;
  CHECK(cudaMalloc(&x, bytes + 1) == cudaErrorMemoryAllocation && cudaGetLastError() == cudaErrorMemoryAllocation);
  CHECK(cudaMalloc(&x, bytes) == cudaSuccess);
  emu::device.properties.totalGlobalMem = all;

  CHECK(cudaMemcpy(x, host.data(), bytes, cudaMemcpyDeviceToHost) == cudaErrorInvalidValue); // the other way round
  CHECK(cudaMemcpy(x + 1, host.data(), bytes, cudaMemcpyHostToDevice) == cudaErrorInvalidValue); // beyond its end
  CHECK(cudaMemset(host.data(), 0, bytes) == cudaErrorInvalidValue && cudaGetLastError() == cudaErrorInvalidValue);
  LAUNCH(nothing, 1, 1025, 0, nullptr);
  CHECK(cudaGetLastError() == cudaErrorInvalidConfiguration);
  LAUNCH(nothing, dim3(1, 65536), 32, 0, nullptr);
  CHECK(cudaGetLastError() == cudaErrorInvalidConfiguration);
  LAUNCH(nothing, 1, 32, 60000, nullptr);
  CHECK(cudaGetLastError() == cudaErrorInvalidValue);
  CHECK(cudaFuncSetAttribute(nothing, cudaFuncAttributeMaxDynamicSharedMemorySize, 60000) == cudaSuccess);
  LAUNCH(nothing, 1, 32, 60000, nullptr);
  CHECK(cudaGetLastError() == cudaSuccess);
  CHECK(cudaFree(x) == cudaSuccess && cudaFree(host.data()) == cudaErrorInvalidValue);
  emu::reset_device();
}

// Every bit pattern comes back; between two neighbours the nearer is taken, in the middle the even one.
template <class T, class Narrow, class Wide>
void short_floats(uint16_t infinity, const Narrow &narrow, const Wide &wide) {
  for (unsigned bits = 0; bits < infinity; ++bits) {
    const T here{uint16_t(bits)}, next{uint16_t(bits + 1)}, minus{uint16_t(bits | 0x8000)};
    CHECK(narrow(wide(here)).bits == bits && narrow(wide(minus)).bits == minus.bits);
    if (next.bits == infinity) continue;
    const float middle = float((double(wide(here)) + wide(next)) / 2);
    CHECK(narrow(middle).bits == (bits % 2 ? next.bits : bits));
    CHECK(narrow(std::nextafter(middle, 0.0f)).bits == bits && narrow(std::nextafter(middle, INFINITY)).bits == next.bits);
  }
  CHECK(std::isinf(wide(T{infinity})) && std::isnan(wide(narrow(NAN))));
  CHECK(narrow(INFINITY).bits == infinity && narrow(-INFINITY).bits == (infinity | 0x8000));
}

void numbers() {
  short_floats<__half>(0x7c00, [](float x) { return __float2half(x); }, [](__half x) { return __half2float(x); });
  short_floats<__nv_bfloat16>(0x7f80, [](float x) { return __float2bfloat16(x); },
                              [](__nv_bfloat16 x) { return __bfloat162float(x); });
  CHECK(__float2half(65519.996f).bits == 0x7bff && __float2half(65520.0f).bits == 0x7c00);
  // (1 + 2^-10)^2 is 1 + 2^-9 + 2^-20, of which the product alone would lose the end.
  const __half x = __float2half(1 + 0x1p-10f);
  CHECK(__half2float(__hfma(x, x, __float2half(-1 - 0x1p-9f))) == 0x1p-20f);
  const __half2 pair = __hadd2(__floats2half2_rn(1, 2), __float2half2_rn(3));
  CHECK(__low2float(pair) == 4 && __high2float(pair) == 5);
  const float2 both = __bfloat1622float2(__hmul2(__floats2bfloat162_rn(3, -2), __float2bfloat162_rn(2)));
  CHECK(both.x == 6 && both.y == -4);
  CHECK(__dp4a(0x01ff7f80, 0x02030405, 7) == 1 * 2 - 1 * 3 + 127 * 4 - 128 * 5 + 7);
  CHECK(__byte_perm(0x33221100, 0x77665544, 0x7043) == 0x77004433 && __byte_perm(0x80, 0, 0x8888) == 0xffffffff);
  CHECK(__popc(0xf0f0u) == 8 && __clz(1) == 31 && __ffs(8) == 4 && __ffs(0) == 0);
  CHECK(__umulhi(0x80000000u, 6) == 3 && __funnelshift_r(0x10, 0x3, 4) == 0x30000001);
  CHECK(min(3, -2) == -2 && max(3u, 7u) == 7u && __saturatef(-1) == 0 && __saturatef(3) == 1);
  CHECK(__float2int_rn(2.5f) == 2 && __float2int_rz(-2.9f) == -2 && rsqrtf(4) == 0.5f);
}

} // namespace

int main() {
  waiting();
  graphs();
  faults();
  numbers();
  CHECK(emu::device.memory.empty() && emu::device.pinned.empty() && emu::streams.empty());
  return report("emu_runtime");
}
