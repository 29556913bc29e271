// Products on tensor cores: the 16 rows of a tile are one side of an m16n8k16 product, rows of x the other, so one row of
// x is as right as hundreds. Weights and x become fp16, sums are fp32. Every shape of block sums in one order (warp i has
// the blocks i, i + 4, ... of 32 columns, then the warps in order), so a row's bits do not depend on the shape.
#include "formats.h"
#include "product_parts.h"
#include "reduce.h"

namespace rwkv::cuda {
namespace {

__device__ __forceinline__ uint32_t two_halves(float low, float high) {
  return __half_as_ushort(__float2half_rn(low)) |
         static_cast<uint32_t>(__half_as_ushort(__float2half_rn(high))) << 16;
}

// c[16 x 8] += a[16 x 16] · b[16 x 8] by the 32 lanes of a warp, lane 4g + t: a holds rows g, g + 8, g, g + 8 (two numbers
// each), b column g, c rows g (two), g + 8 (two) at columns 2t and 2t + 1. Which numbers of k a lane holds is free, as long
// as a and b agree.
__device__ __forceinline__ void multiply(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#elif defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 750
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};\n"
               "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%7,%8}, {%9}, {%0,%1,%2,%3};"
               : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
               : "r"(a[0]), "r"(a[1]), "r"(b[0]), "r"(a[2]), "r"(a[3]), "r"(b[1]));
#else // the scalar twin: lane t' of each four brings its numbers
  const unsigned g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
  const auto add = [](float &sum, uint32_t x, uint32_t y) {
    sum = fmaf(half_of(x & 0xffff), half_of(y & 0xffff), sum);
    sum = fmaf(half_of(x >> 16), half_of(y >> 16), sum);
  };
  for (unsigned from = 0; from < 4; ++from) {
    for (unsigned part = 0; part < 2; ++part) {
      const uint32_t upper = __shfl_sync(every_lane, a[2 * part], 4 * g + from);
      const uint32_t lower = __shfl_sync(every_lane, a[2 * part + 1], 4 * g + from);
      const uint32_t left = __shfl_sync(every_lane, b[part], 8 * t + from);
      const uint32_t right = __shfl_sync(every_lane, b[part], 8 * t + 4 + from);
      add(c[0], upper, left), add(c[1], upper, right), add(c[2], lower, left), add(c[3], lower, right);
    }
  }
#endif
}

// The power of two that brings a row into the range of fp16: 1 unless its largest number is 2^14 or more.
__device__ __forceinline__ float row_scale(const Product &p, uint32_t row) {
  if (!p.max_in) return 1.0f;
  const int exponent = static_cast<int>(p.max_in[row] >> 23) - 127 - 13;
  return __int_as_float((127 - (exponent > 0 ? exponent : 0)) << 23);
}

__device__ __forceinline__ float in_range(float x) { return fminf(fmaxf(x, -65504.0f), 65504.0f); }

// Of x, for a block of 32 columns: what lane 4g + t holds of row g of a group of eight, for both steps of 16.
__device__ __forceinline__ void load_rows(uint32_t (&b)[2][2], const Product &p, uint32_t row, uint32_t rows,
                                          float scale, unsigned block, unsigned t) {
#pragma unroll
  for (unsigned step = 0; step < 2; ++step) {
    float4 x = make_float4(0, 0, 0, 0);
    if (row < rows) x = four_of_row(p.x + size_t{row} * p.columns, block * 32 + step * 16 + 4 * t, p.columns);
    b[step][0] = two_halves(in_range(x.x * scale), in_range(x.y * scale));
    b[step][1] = two_halves(in_range(x.z * scale), in_range(x.w * scale));
  }
}

template <Format format, int eights, int tiles>
__device__ __forceinline__ void sum_tiles(float (&sums)[tiles][eights][4], const Product &p, unsigned first_tile,
                                          uint32_t first_row, uint32_t rows) {
  const unsigned g = threadIdx.x % 32 / 4, t = threadIdx.x % 4, blocks = (p.columns + 31) / 32;
  const unsigned tile_end = (p.out_width + 15) / 16;
  float scales[eights];
#pragma unroll
  for (int e = 0; e < eights; ++e) {
    const uint32_t row = first_row + 8 * e + g;
    scales[e] = row < rows ? row_scale(p, row) : 1.0f;
  }
  for (unsigned block = threadIdx.x / 32; block < blocks; block += product_warps) {
    uint32_t b[eights][2][2];
#pragma unroll
    for (int e = 0; e < eights; ++e) load_rows(b[e], p, first_row + 8 * e + g, rows, scales[e], block, t);
#pragma unroll
    for (int i = 0; i < tiles; ++i) {
      if (first_tile + i >= tile_end) break;
      const uint8_t *const tile = p.tiles + (first_tile + i) * p.tile_bytes;
      float upper[8], lower[8];
      eight_numbers<format>(upper, tile, block, g, t);
      eight_numbers<format>(lower, tile, block, g + 8, t);
#pragma unroll
      for (int step = 0; step < 2; ++step) {
        const float *const up = upper + 4 * step, *const low = lower + 4 * step;
        const uint32_t a[4] = {two_halves(up[0], up[1]), two_halves(low[0], low[1]), two_halves(up[2], up[3]),
                               two_halves(low[2], low[3])};
#pragma unroll
        for (int e = 0; e < eights; ++e) multiply(sums[i][e], a, b[e][step]);
      }
    }
  }
}

template <int eights, int tiles>
__global__ void __launch_bounds__(product_warps * 32) product_tensor(ProductGroup group) {
  SHARED(float, parts, [product_warps][eights * 8][16]);
  unsigned index = blockIdx.x;
  const Product &p = product_of(group, index, tiles);
  const unsigned first_tile = index * tiles, first_row = blockIdx.y * eights * 8;
  float sums[tiles][eights][4] = {};
  switch (p.format) {
    case Format::f32: break; // launch_products never asks for it
    case Format::f16: sum_tiles<Format::f16>(sums, p, first_tile, first_row, group.rows); break;
    case Format::bf16: sum_tiles<Format::bf16>(sums, p, first_tile, first_row, group.rows); break;
    case Format::q8: sum_tiles<Format::q8>(sums, p, first_tile, first_row, group.rows); break;
    case Format::q6: sum_tiles<Format::q6>(sums, p, first_tile, first_row, group.rows); break;
    case Format::q4: sum_tiles<Format::q4>(sums, p, first_tile, first_row, group.rows); break;
  }
  const unsigned warp = threadIdx.x / 32, g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
#pragma unroll
  for (int i = 0; i < tiles; ++i) {
    if (i > 0) __syncthreads();
#pragma unroll
    for (int e = 0; e < eights; ++e) {
#pragma unroll
      for (int c = 0; c < 4; ++c) parts[warp][8 * e + 2 * t + c % 2][g + c / 2 * 8] = sums[i][e][c];
    }
    __syncthreads();
    for (unsigned at = threadIdx.x; at < eights * 8 * 16; at += product_warps * 32) {
      const uint32_t row = first_row + at / 16, column = (first_tile + i) * 16 + at % 16;
      if (row >= group.rows || column >= p.out_width) continue;
      float sum = parts[0][at / 16][at % 16];
      for (unsigned other = 1; other < product_warps; ++other) sum += parts[other][at / 16][at % 16];
      end_sum(p, row, column, sum / row_scale(p, row));
    }
  }
}

template <int eights, int tiles>
void launch(const ProductGroup &group, cudaStream_t stream) {
  const dim3 grid(blocks_of(group, tiles), (group.rows + eights * 8 - 1) / (eights * 8));
  LAUNCH((product_tensor<eights, tiles>), grid, product_warps * 32, 0, stream, group);
}

} // namespace

// More rows: more tiles for a block, so that x is read less often.
void launch_tensor(const ProductGroup &group, cudaStream_t stream) {
  if (group.rows <= 8) launch<1, 1>(group, stream);
  else if (group.rows <= 16) launch<2, 2>(group, stream);
  else if (group.rows <= 32) launch<4, 2>(group, stream);
  else launch<8, 2>(group, stream);
}

} // namespace rwkv::cuda
