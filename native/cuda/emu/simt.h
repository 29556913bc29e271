// What every kernel file includes instead of the CUDA headers: nvcc gets those, any other compiler gets the emulation of
// cuda_emu.h (its head says how to write kernels for both). Must not know any kernel.
//
//   UNROLL for (...)                    nvcc must unroll the loop: its arrays are registers
//   SHARED(T, name, [rows][columns]);   static shared memory, 16-byte aligned; SHARED(T, name, ) is one T
//   DYNAMIC_SHARED(T, name);            T *name: the dynamic shared memory of the launch; one element type per kernel
//   LAUNCH(kernel, grid, block, shared_bytes, stream, arguments...);   a template in brackets: LAUNCH((k<float, 2>), ...)
#pragma once

#ifdef __CUDACC__

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#define UNROLL _Pragma("unroll")
#define SHARED(T, name, extents) __shared__ __align__(16) T name extents
// The array has one type in the whole program; each kernel sees it as its own.
#define DYNAMIC_SHARED(T, name)                        \
  extern __shared__ __align__(16) char dynamic_shared[]; \
  T *const name = reinterpret_cast<T *>(dynamic_shared)
#define LAUNCH(kernel, grid, block, shared_bytes, stream, ...) \
  kernel<<<(grid), (block), (shared_bytes), (stream)>>>(__VA_ARGS__)

#else

#include "cuda_emu.h"

#define UNROLL

#endif
