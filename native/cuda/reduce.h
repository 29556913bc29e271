// Sums over the threads of a block, in an order that is always the same: every thread gets the same bits.
#pragma once

#include "emu/simt.h"

namespace rwkv::cuda {

constexpr unsigned every_lane = 0xffffffffu;

template <typename T>
__device__ __forceinline__ T warp_sum(T value) {
  for (int offset = 16; offset > 0; offset /= 2) value += __shfl_xor_sync(every_lane, value, offset);
  return value;
}

// The block has whole warps, 32 at most. `parts` is shared memory for 32 numbers; it may be used again at once.
template <typename T>
__device__ __forceinline__ T block_sum(T value, T *parts) {
  value = warp_sum(value);
  __syncthreads(); // whoever still reads the parts of a sum before
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = value;
  __syncthreads();
  T total = parts[0];
  for (unsigned warp = 1; warp < blockDim.x / 32; ++warp) total += parts[warp];
  return total;
}

} // namespace rwkv::cuda
