// The emulation of CUDA threads itself: what it computes, what it reports, and that a missing barrier does not go unnoticed.
// Built under a sanitizer, it also starts itself again to do what that sanitizer must stop.
//
// Sources: none
#include "../../tests/check.h"
#include "../emu/simt.h"

#include <array>

namespace {

template <bool barrier>
__global__ void reverse(const int *x, int *y) {
  DYNAMIC_SHARED(int, held);
  const unsigned at = blockIdx.x * blockDim.x + threadIdx.x;
  held[threadIdx.x] = x[at];
  if (barrier) __syncthreads();
  y[at] = held[blockDim.x - 1 - threadIdx.x];
}

template <class T>
class Memory {
public:
  explicit Memory(size_t count) : count_(count) { CHECK(cudaMalloc(&data_, count * sizeof(T)) == cudaSuccess); }
  ~Memory() { cudaFree(data_); }
  Memory(const Memory &) = delete;
  Memory &operator=(const Memory &) = delete;
  operator T *() const { return data_; }
  std::vector<T> host() const {
    std::vector<T> out(count_);
    CHECK(cudaMemcpy(out.data(), data_, count_ * sizeof(T), cudaMemcpyDeviceToHost) == cudaSuccess);
    return out;
  }

private:
  T *data_ = nullptr;
  size_t count_;
};

// In how many schedules, of how many, three blocks of 96 threads reverse their numbers.
template <bool barrier>
std::array<int, 2> reversals() {
  constexpr int width = 96, blocks = 3;
  std::vector<int> numbers(width * blocks), wanted(width * blocks);
  for (int index = 0; index < width * blocks; ++index) numbers[index] = index * 7 + 1;
  for (int index = 0; index < width * blocks; ++index)
    wanted[index] = numbers[index / width * width + width - 1 - index % width];
  const Memory<int> x(numbers.size()), y(numbers.size());
  CHECK(cudaMemcpy(x, numbers.data(), numbers.size() * sizeof(int), cudaMemcpyHostToDevice) == cudaSuccess);
  std::array<int, 2> right{0, 0};
  emu::each_schedule([&] {
    LAUNCH((reverse<barrier>), blocks, width, width * sizeof(int), nullptr, x, y);
    right[0] += y.host() == wanted, ++right[1];
  });
  return right;
}

__global__ void ended_early() {
  if (threadIdx.x >= 16) return;
  __syncthreads();
}
__global__ void two_barriers() {
  if (threadIdx.x < 32) __syncthreads();
  else __syncthreads();
}
__global__ void half_a_warp(int *out) {
  if (threadIdx.x % 32 < 16) *out = __shfl_xor_sync(~0u, 1, 1);
  else __syncthreads();
}
__global__ void lanes_ended(int *out) {
  if (threadIdx.x % 32 >= 16) return;
  *out = __shfl_xor_sync(~0u, 1, 1);
}
__global__ void own_lane_missing() { __syncwarp(0xfffffffeu << (threadIdx.x % 32)); }
__global__ void source_missing(int *out) {
  if (threadIdx.x % 32 < 4) *out = __shfl_sync(0xfu, 1, 9);
}
__global__ void masks_differ() { __syncwarp(threadIdx.x % 32 < 16 ? ~0u : 0xffff0000u); }
__global__ void too_much() {
  SHARED(float, big, [13000]);
  big[threadIdx.x] = 0;
}

template <class Launch>
void reported(const char *text, const Launch &launch) {
  const auto check = [&] {
    const auto reports = emu::reports_of([&] {
      launch();
      CHECK(cudaDeviceSynchronize() == cudaErrorLaunchFailure && cudaGetLastError() == cudaErrorLaunchFailure);
    });
    emu::reset_device();
    CHECK(reports.size() == 1);
    for (const std::string &report : reports) {
      const bool right = report.find(text) != std::string::npos && report.find("emu_test.cc:") != std::string::npos;
      CHECK(right);
      if (!right) std::fprintf(stderr, "  %s\n", report.c_str());
    }
  };
  emu::each_schedule(check);
  const emu::Schedule before = emu::runner.schedule;
  emu::runner.schedule = {emu::Order::real_threads, 1};
  check();
  emu::runner.schedule = before;
}

void reports() {
  emu::patience = std::chrono::milliseconds(500);
  const Memory<int> out(64);
  reported("__syncthreads", [] { LAUNCH(ended_early, 1, 64, 0, nullptr); });
  reported("divergence", [] { LAUNCH(two_barriers, 2, 64, 0, nullptr); });
  reported("deadlock", [&] { LAUNCH(half_a_warp, 1, 64, 0, nullptr, out); });
  reported("ended", [&] { LAUNCH(lanes_ended, 1, 64, 0, nullptr, out); });
  reported("leaves out its own lane", [] { LAUNCH(own_lane_missing, 1, 64, 0, nullptr); });
  reported("not in its mask", [&] { LAUNCH(source_missing, 1, 64, 0, nullptr, out); });
  reported("mask", [] { LAUNCH(masks_differ, 1, 64, 0, nullptr); });
  reported("static shared", [] { LAUNCH(too_much, 1, 64, 0, nullptr); });
}

// Shared memory as a block finds it, then filled for the next one.
__global__ void what_lies_there(unsigned *seen) {
  SHARED(unsigned, fixed, [64]);
  DYNAMIC_SHARED(unsigned, given);
  seen[blockIdx.x * 128 + threadIdx.x] = fixed[threadIdx.x];
  seen[blockIdx.x * 128 + 64 + threadIdx.x] = given[threadIdx.x];
  fixed[threadIdx.x] = given[threadIdx.x] = 5;
}

void poison() {
  const Memory<unsigned> seen(3 * 128), fresh(10);
  CHECK(fresh.host() == std::vector<unsigned>(10, ~0u));
  emu::each_schedule([&] {
    LAUNCH(what_lies_there, 3, 64, 64 * sizeof(unsigned), nullptr, seen);
    CHECK(seen.host() == std::vector<unsigned>(3 * 128, ~0u));
  });
}

constexpr int answers = 16;
__global__ void operations(int *out, int *counters, float *sum) {
  const int me = int(threadIdx.x), lane = me % 32;
  const unsigned all = ~0u;
  int *const mine = out + me * answers;
  mine[0] = __shfl_sync(all, me, 3);
  mine[1] = __shfl_sync(all, me, lane + 1, 8);
  mine[2] = __shfl_up_sync(all, me, 2);
  mine[3] = __shfl_down_sync(all, me, 3, 16);
  mine[4] = __shfl_xor_sync(all, me, 5);
  mine[5] = int(__shfl_xor_sync(all, double(me) * 0.5, 1) * 2);
  mine[6] = int(__ballot_sync(all, lane % 3 == 0));
  mine[7] = __any_sync(all, me == 40) * 2 + __all_sync(all, me < 40);
  mine[8] = int(__match_any_sync(all, lane % 4));
  mine[9] = __syncthreads_count(me % 5 == 0);
  mine[10] = __syncthreads_or(me == 7) * 2 + __syncthreads_and(me != 7);
  if (lane < 16) mine[11] = __shfl_xor_sync(0xffffu, me, 8); // both halves at a time
  else mine[11] = __shfl_xor_sync(0xffff0000u, me, 8);
  atomicAdd(counters, me), atomicMax(counters + 1, me), atomicMin(counters + 2, -me), atomicOr(counters + 3, 1 << lane);
  atomicAdd(sum, 0.5f);
  for (int seen = atomicAdd(counters + 4, 0), old; (old = atomicCAS(counters + 4, seen, seen + 2)) != seen;) seen = old;
}

void results() {
  constexpr int width = 48; // a warp and a half
  const Memory<int> out(width * answers), counters(5);
  const Memory<float> sum(1);
  emu::each_schedule([&] {
    CHECK(cudaMemset(counters, 0, 5 * sizeof(int)) == cudaSuccess && cudaMemset(sum, 0, sizeof(float)) == cudaSuccess);
    LAUNCH(operations, 1, width, 0, nullptr, out, counters, sum);
    const auto got = out.host();
    for (int me = 0; me < width; ++me) {
      const int lane = me % 32, warp = me - lane, last = me < 32 ? 31 : 15;
      const int *const mine = got.data() + me * answers;
      CHECK(mine[0] == warp + 3);
      CHECK(mine[1] == me / 8 * 8 + (lane + 1) % 8);
      CHECK(mine[2] == (lane >= 2 ? me - 2 : me));
      CHECK(mine[3] == (lane % 16 + 3 < 16 ? me + 3 : me));
      CHECK(mine[4] == warp + (lane ^ 5));
      CHECK(mine[5] == (me ^ 1));
      CHECK(mine[6] == int(0x49249249u & (last == 31 ? ~0u : 0xffffu)));
      CHECK(mine[7] == (me < 32 ? 1 : 2));
      CHECK(mine[8] == int(0x11111111u << lane % 4 & (last == 31 ? ~0u : 0xffffu)));
      CHECK(mine[9] == 10);
      CHECK(mine[10] == 2);
      CHECK(mine[11] == (me ^ 8));
    }
    CHECK((counters.host() == std::vector<int>{width * (width - 1) / 2, width - 1, 1 - width, -1, 2 * width}));
    CHECK(sum.host()[0] == width / 2.0f);
  });
}

__global__ void beyond_shared(int *out) {
  SHARED(int, few, [64]);
  few[threadIdx.x] = 1;
  __syncthreads();
  const volatile int *const any = few;
  out[threadIdx.x] = any[threadIdx.x + 1];
}
__global__ void beyond_global(int *out) { out[threadIdx.x + 1] = 1; }
// Lane 0 writes, the others read, and only a shuffle, which orders nothing, lies between.
template <bool ordered>
__global__ void told_by_shuffle(int *out) {
  SHARED(int, one, [1]);
  if (threadIdx.x == 0) one[0] = 4;
  if (ordered) __syncwarp();
  else __shfl_sync(~0u, 1, 0);
  out[threadIdx.x] = one[0];
}
__global__ void blocks_meet(int *out) { out[threadIdx.x] = int(blockIdx.x); }

// What the sanitizer this is built under must stop.
int misbehave(const std::string &how) {
  const Memory<int> out(64);
  if (how == "shared") LAUNCH(beyond_shared, 1, 64, 0, nullptr, out);
  if (how == "global") LAUNCH(beyond_global, 1, 64, 0, nullptr, out);
  if (how == "barrier") reversals<false>();
  if (how == "shuffle") LAUNCH((told_by_shuffle<false>), 1, 32, 0, nullptr, out);
  if (how == "blocks") LAUNCH(blocks_meet, 2, 32, 0, nullptr, out);
  return 0;
}

[[maybe_unused]] void stopped(const char *program, const char *how, const char *text, const char *place) {
  const std::string command = std::string(program) + " " + how + " 2>&1";
  std::FILE *const pipe = popen(command.c_str(), "r");
  CHECK(pipe);
  if (!pipe) return;
  std::string told;
  for (char part[4096]; std::fgets(part, sizeof(part), pipe);) told += part;
  CHECK(pclose(pipe) != 0);
  CHECK(told.find(text) != std::string::npos && told.find(place) != std::string::npos);
}

} // namespace

int main(int count, char **arguments) {
  if (count > 1) return misbehave(arguments[1]);
  const auto with = reversals<true>();
  CHECK(with[0] == with[1]);
#if defined(__SANITIZE_THREAD__)
  stopped(arguments[0], "barrier", "data race", "reverse");
  stopped(arguments[0], "shuffle", "data race", "told_by_shuffle");
  stopped(arguments[0], "blocks", "data race", "blocks_meet");
#else
  const auto without = reversals<false>();
  CHECK(without[1] == 8 && without[0] <= 1);
#endif
#if defined(__SANITIZE_ADDRESS__)
  stopped(arguments[0], "shared", "heap-buffer-overflow", "beyond_shared");
  stopped(arguments[0], "global", "heap-buffer-overflow", "beyond_global");
#endif
  const Memory<int> out(64);
  emu::each_schedule([&] {
    LAUNCH((told_by_shuffle<true>), 1, 32, 0, nullptr, out);
    CHECK(out.host()[31] == 4);
  });
  poison();
  results();
  reports();
  return report("emu");
}
