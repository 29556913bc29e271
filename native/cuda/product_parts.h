// What both product kernels share: which product and tile a block has, rows of x in fours, and endings.
#pragma once

#include "exponential.h"
#include "product.h"

namespace rwkv::cuda {

constexpr unsigned product_warps = 4; // share the columns of a tile: warp i has blocks i, i + 4, ... of 32

// Numbers column .. column + 3 of a row; 0 behind its end.
__device__ __forceinline__ float4 four_of_row(const float *row, uint32_t column, uint32_t columns) {
  if (columns % 4 == 0) {
    return column < columns ? *reinterpret_cast<const float4 *>(row + column) : make_float4(0, 0, 0, 0);
  }
  const auto at = [&](uint32_t i) { return i < columns ? row[i] : 0.0f; };
  return make_float4(at(column), at(column + 1), at(column + 2), at(column + 3));
}

// The product that block `index` works on, at `tiles` tiles a block; `index` becomes its block in that product.
__device__ __forceinline__ const Product &product_of(const ProductGroup &group, unsigned &index, unsigned tiles) {
  unsigned which = 0;
  for (; which + 1 < group.count; ++which) {
    const unsigned blocks = (group.products[which].out_width + tiles * tile_rows - 1) / (tiles * tile_rows);
    if (index < blocks) break;
    index -= blocks;
  }
  return group.products[which];
}
inline unsigned blocks_of(const ProductGroup &group, unsigned tiles) {
  unsigned blocks = 0;
  for (uint32_t i = 0; i < group.count; ++i) {
    blocks += (group.products[i].out_width + tiles * tile_rows - 1) / (tiles * tile_rows);
  }
  return blocks;
}

__device__ __forceinline__ void end_sum(const Product &p, uint32_t row, uint32_t column, float sum) {
  const size_t at = size_t{row} * p.out_width + column;
  switch (p.ending) {
    case Ending::store: break;
    case Ending::tanh: sum = hyperbolic_tangent(sum); break;
    case Ending::sigmoid: sum = sigmoid(sum); break;
    case Ending::relu_squared: sum = sum > 0 ? sum * sum : 0.0f; break;
    case Ending::add: sum = p.out[at] + sum; break;
    case Ending::sigmoid_bias: sum = sigmoid(p.bias[column] + sum); break;
    case Ending::decay_bias: sum = decay7(p.bias[column] + sum); break;
    case Ending::mix_value: {
      const float v = p.out[at];
      sum = v + (p.first[at] - v) * sigmoid(p.bias[column] + sum);
      break;
    }
  }
  p.out[at] = sum;
  if (p.max_out) atomicMax(p.max_out + row, __float_as_uint(sum));
}

} // namespace rwkv::cuda
