// Products with large matrices on the device, several in one launch, each with what follows it element by element. Two
// kernels: fp32 sums of exact weights, for every format (product_rows.cu), and tensor cores on fp16 (product_tensor.cu).
// A row's bits depend on the kernel, never on the rows beside it: both sum the columns in one order.
#pragma once

#include "emu/simt.h"
#include "tiles.h"

namespace rwkv::cuda {

// What becomes of a sum at [row][column] of the product.
enum class Ending : uint32_t {
  store,
  tanh,
  sigmoid,
  relu_squared,
  add,          // to what is there
  sigmoid_bias, // σ(bias + sum)
  decay_bias,   // the decay of RWKV-7 of bias + sum
  mix_value,    // out += (first − out) · σ(bias + sum)
};

struct Product {
  const uint8_t *tiles = nullptr;
  Format format = Format::f32;
  Ending ending = Ending::store;
  uint32_t out_width = 0, columns = 0;
  size_t tile_bytes = 0;             // device_tile_bytes of them
  const float *x = nullptr;          // [rows][columns]
  float *out = nullptr;              // [rows][out_width]
  const float *bias = nullptr;       // [out_width]
  const float *first = nullptr;      // [rows][out_width]
  const uint32_t *max_in = nullptr;  // bits of the largest |x| of a row, for x that may leave the range of fp16
  uint32_t *max_out = nullptr;       // bits of the largest of a row; for endings that are never negative
};

constexpr int products_max = 8;
struct ProductGroup {
  Product products[products_max];
  uint32_t count = 0, rows = 0;

  void put(const Product &product) { products[count++] = product; }
};

void launch_rows(const ProductGroup &group, cudaStream_t stream);
void launch_tensor(const ProductGroup &group, cudaStream_t stream);
// The kernel for each product of the group: tensor cores when the device has them, but fp32 sums for f32 matrices.
void launch_products(const ProductGroup &group, bool tensor_cores, cudaStream_t stream);

} // namespace rwkv::cuda
