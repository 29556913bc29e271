// What the recurrence kernels share: one block of 64 threads per head of the batch, a chunk of sequences in shared memory,
// a row or a column of a 64 x 64 matrix in the registers of each thread.
#pragma once

#include "../../cuda/emu/simt.h"
#include "wkv_cuda.h"

namespace rwkv_train {
namespace {

constexpr int C = int(head), T = int(chunk); // a head's width, a chunk's positions
constexpr int square = C * C;

struct Sizes {
  int time, heads, chunks;
};
inline Sizes sizes_of(const WkvShape &shape) { return {int(shape.time), int(shape.heads), int(shape.chunks())}; }

// Where the block's head stands at position t.
__device__ __forceinline__ size_t place(const Sizes &sizes, int t) {
  const int batch = int(blockIdx.x) / sizes.heads, h = int(blockIdx.x) % sizes.heads;
  return ((size_t(batch) * sizes.time + t) * sizes.heads + h) * C;
}

// Positions [from, from + count) of a sequence, each thread its own column.
__device__ __forceinline__ void load_chunk(float (*tile)[C], const float *sequence, const Sizes &sizes, int from, int count) {
  for (int step = 0; step < count; ++step) tile[step][threadIdx.x] = sequence[place(sizes, from + step) + threadIdx.x];
}

// Four neighbours of a row in shared memory, read at once.
struct Four {
  float x[4];
};
__device__ __forceinline__ Four four(const float *row, int quarter) {
  const float4 v = reinterpret_cast<const float4 *>(row)[quarter];
  return {{v.x, v.y, v.z, v.w}};
}

// A thread's row of a matrix in memory; neighbouring threads are 64 apart.
__device__ __forceinline__ void load_row(float *s, const float *matrix) {
  const float *const row = matrix + threadIdx.x * C;
  UNROLL for (int q = 0; q < C / 4; ++q) {
    const Four x = four(row, q);
    UNROLL for (int e = 0; e < 4; ++e) s[4 * q + e] = x.x[e];
  }
}
__device__ __forceinline__ void store_row(float *matrix, const float *s) {
  float4 *const row = reinterpret_cast<float4 *>(matrix + threadIdx.x * C);
  UNROLL for (int q = 0; q < C / 4; ++q) row[q] = make_float4(s[4 * q], s[4 * q + 1], s[4 * q + 2], s[4 * q + 3]);
}
// A thread's column; neighbouring threads are neighbours in memory.
__device__ __forceinline__ void load_column(float *s, const float *matrix) {
  UNROLL for (int i = 0; i < C; ++i) s[i] = matrix[i * C + threadIdx.x];
}
__device__ __forceinline__ void store_column(float *matrix, const float *s) {
  UNROLL for (int i = 0; i < C; ++i) matrix[i * C + threadIdx.x] = s[i];
}

} // namespace
} // namespace rwkv_train
