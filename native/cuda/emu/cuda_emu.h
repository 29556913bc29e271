// CUDA on a CPU, for tests: kernels and the runtime calls around them, compiled by any C++20 compiler (g++ -x c++). Kernel
// files include simt.h, which picks nvcc or this. Header only; link with -pthread. Not for speed: a block runs as fibers.
//
// Writing a kernel for both:
//   __global__ void __launch_bounds__(64) sums(const float *__restrict__ x, float *y) {
//     SHARED(float, tile, [64]);            // or [rows][columns]; nothing for one value: SHARED(float, total, )
//     DYNAMIC_SHARED(float, row);           // float *row; bytes by LAUNCH; more than 48 KiB by cudaFuncSetAttribute
//     ...
//   }
//   LAUNCH(sums, grid, 64, bytes, stream, x, y);      // templates in brackets: LAUNCH((sums<float, 2>), ...)
// Raw __shared__ and <<<>>> do not compile here. PTX (mma, cp.async) needs #ifdef __CUDACC__ and a scalar twin.
// Shared memory is poisoned (0xFF: NaN, -1) before each block, device memory when allocated.
//
// Testing it:
//   emu::each_schedule([&] { ... launch and compare ... });   // 8 orders of threads; real threads under -fsanitize=thread
//   emu::reports_of([&] { ... })        // what was raised; elsewhere a report ends the program
//   emu::fail_call(n, cudaErrorMemoryAllocation); emu::device.calls; emu::reset_device();
//   emu::device.properties.totalGlobalMem = ...;              // and other limits
// Reported: __syncthreads not reached by ended threads, or reached at different lines; warp operations whose masks differ,
// name ended lanes, leave out their own or their source lane; deadlock. Left to sanitizers: bounds (address: shared arrays
// are allocations of their own; undefined: inner bounds and alignment), races (thread).
#pragma once

#include "intrinsics.h"
#include "launch.h"
#include "numbers.h"

#define __global__
#define __device__
#define __host__
#define __constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(bytes) alignas(bytes)

// A type of its own for each declaration is its key.
#define SHARED(T, name, extents)   \
  struct alignas(16) name##_shared { \
    T value extents;               \
  };                               \
  auto &name = emu::shared_at<name##_shared>().value
#define DYNAMIC_SHARED(T, name) T *const name = static_cast<T *>(emu::self->block->dynamic)
#define LAUNCH(kernel, grid, block, shared_bytes, stream, ...) \
  emu::launch(#kernel, (grid), (block), (shared_bytes), (stream), kernel __VA_OPT__(, ) __VA_ARGS__)

namespace emu {
template <class Declared>
inline char key_of = 0;
template <class Declared>
Declared &shared_at(const Place &place = Place::current()) {
  return *static_cast<Declared *>(self->block->shared(&key_of<Declared>, sizeof(Declared), place));
}
} // namespace emu
