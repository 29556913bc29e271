// Products in fp32: out = x · wᵀ for up to 8 rows of x while the weights of a tile pass once. Bound by memory: at one row
// a weight is read, expanded and multiplied once. A block has one tile; its four warps share the columns, a thread has
// one of the 16 rows of the tile and 16 of every 32 columns.
#include "formats.h"
#include "product_parts.h"
#include "reduce.h"

namespace rwkv::cuda {
namespace {

template <Format format, int rows_max>
__device__ __forceinline__ void sum_tile(float (&sums)[rows_max], const Product &p, unsigned tile_index, uint32_t first,
                                         uint32_t rows) {
  const uint8_t *const tile = p.tiles + tile_index * p.tile_bytes;
  const unsigned lane = threadIdx.x % 32, r = lane % 16, blocks = (p.columns + 31) / 32;
  for (unsigned block = threadIdx.x / 32; block < blocks; block += product_warps) {
#pragma unroll
    for (unsigned half = 0; half < 2; ++half) {
      const unsigned t = lane / 16 * 2 + half;
      float w[8];
      eight_numbers<format>(w, tile, block, r, t);
#pragma unroll
      for (int n = 0; n < rows_max; ++n) {
        if (n >= static_cast<int>(rows)) break;
        const float *const row = p.x + size_t{first + n} * p.columns;
#pragma unroll
        for (unsigned side = 0; side < 2; ++side) {
          const float4 x = four_of_row(row, block * 32 + side * 16 + 4 * t, p.columns);
          sums[n] = fmaf(w[4 * side], x.x, sums[n]);
          sums[n] = fmaf(w[4 * side + 1], x.y, sums[n]);
          sums[n] = fmaf(w[4 * side + 2], x.z, sums[n]);
          sums[n] = fmaf(w[4 * side + 3], x.w, sums[n]);
        }
      }
    }
  }
}

template <int rows_max>
__global__ void __launch_bounds__(product_warps * 32) product_rows(ProductGroup group) {
  SHARED(float, parts, [product_warps][rows_max][16]);
  unsigned tile = blockIdx.x;
  const Product &p = product_of(group, tile, 1);
  const uint32_t first = blockIdx.y * rows_max;
  const uint32_t rows = group.rows - first < rows_max ? group.rows - first : rows_max;
  float sums[rows_max] = {};
  switch (p.format) {
    case Format::f32: sum_tile<Format::f32>(sums, p, tile, first, rows); break;
    case Format::f16: sum_tile<Format::f16>(sums, p, tile, first, rows); break;
    case Format::bf16: sum_tile<Format::bf16>(sums, p, tile, first, rows); break;
    case Format::q8: sum_tile<Format::q8>(sums, p, tile, first, rows); break;
    case Format::q6: sum_tile<Format::q6>(sums, p, tile, first, rows); break;
    case Format::q4: sum_tile<Format::q4>(sums, p, tile, first, rows); break;
  }
  const unsigned lane = threadIdx.x % 32;
#pragma unroll
  for (int n = 0; n < rows_max; ++n) {
    const float sum = sums[n] + __shfl_xor_sync(every_lane, sums[n], 16);
    if (lane < 16) parts[threadIdx.x / 32][n][lane] = sum;
  }
  __syncthreads();
  const unsigned n = threadIdx.x / 16, r = threadIdx.x % 16;
  const uint32_t column = tile * 16 + r;
  if (n >= rows || column >= p.out_width) return;
  float sum = parts[0][n][r];
  for (unsigned warp = 1; warp < product_warps; ++warp) sum += parts[warp][n][r];
  end_sum(p, first + n, column, sum);
}

template <int rows_max>
void launch(const ProductGroup &group, cudaStream_t stream) {
  const dim3 grid(blocks_of(group, 1), (group.rows + rows_max - 1) / rows_max);
  LAUNCH((product_rows<rows_max>), grid, product_warps * 32, 0, stream, group);
}

} // namespace

void launch_rows(const ProductGroup &group, cudaStream_t stream) {
  if (group.rows <= 1) launch<1>(group, stream);
  else if (group.rows <= 2) launch<2>(group, stream);
  else if (group.rows <= 4) launch<4>(group, stream);
  else launch<8>(group, stream);
}

void launch_products(const ProductGroup &group, bool tensor_cores, cudaStream_t stream) {
  ProductGroup parts[2]; // fp32, tensor cores
  for (uint32_t i = 0; i < group.count; ++i) {
    const Product &product = group.products[i];
    parts[tensor_cores && product.format != Format::f32].put(product);
  }
  parts[0].rows = parts[1].rows = group.rows;
  if (parts[0].count > 0) launch_rows(parts[0], stream);
  if (parts[1].count > 0) launch_tensor(parts[1], stream);
}

} // namespace rwkv::cuda
