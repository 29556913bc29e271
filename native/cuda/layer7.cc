// One layer of RWKV-7 as launches, and the head: which kernel reads and writes what.
#include "model7.h"

#include "heads7.h"
#include "rows.h"

namespace rwkv::cuda {
namespace {

Product product(const Matrix &w, const float *x, float *out, Ending ending = Ending::store) {
  Product made;
  made.tiles = w.tiles, made.tile_bytes = device_tile_bytes(w.format, w.columns);
  made.format = w.format, made.ending = ending;
  made.out_width = static_cast<uint32_t>(w.rows), made.columns = static_cast<uint32_t>(w.columns);
  made.x = x, made.out = out;
  return made;
}

Product with_bias(Product product, const float *bias) {
  product.bias = bias;
  return product;
}

} // namespace

void CudaModel7::launch_norm_of_rows(const NormWeights &norm, uint32_t rows) const {
  launch_norm(rows_.x, norm.weight, norm.bias, rows, shape_.width, device_.stream());
}

void CudaModel7::launch_layer(size_t index, const Launch &launch) const {
  launch_time_mix(index, launch);
  launch_channel_mix(index, launch);
}

void CudaModel7::launch_time_mix(size_t index, const Launch &launch) const {
  const Layer7 &layer = weights_.layers[index];
  const uint32_t rows = launch.rows, width = shape_.width;
  const auto run = [&](ProductGroup &group) {
    group.rows = rows;
    launch_products(group, device_.tensor_cores(), device_.stream());
  };
  ShiftMix shift{rows_.x,      layer.ln1.weight, layer.ln1.bias, rows_.places, att_prev(index),
                 rows_.mixed, {},               nullptr,        6,            rows,
                 width};
  for (int i = 0; i < 6; ++i) shift.mu[i] = layer.mixes[i];
  launch_shift_mix(shift, device_.stream());
  const auto mixed = [&](size_t which) { return rows_.mixed + which * rows * width; };
  const float *const x_r = mixed(0), *const x_k = mixed(1), *const x_v = mixed(2), *const x_w = mixed(3);
  const float *const x_a = mixed(4), *const x_g = mixed(5);
  float *const v = index == 0 ? rows_.first : rows_.v; // every later layer mixes the first value in
  float *const *const inner = rows_.inner;

  ProductGroup down, up, output;
  down.put(product(layer.receptance, x_r, rows_.r));
  down.put(product(layer.key, x_k, rows_.k));
  down.put(product(layer.value, x_v, v));
  down.put(product(layer.w.down, x_w, inner[0], Ending::tanh));
  down.put(product(layer.a.down, x_a, inner[1]));
  down.put(product(layer.g.down, x_g, inner[2], Ending::sigmoid));
  if (index > 0) down.put(product(layer.v.down, x_v, inner[3]));
  run(down);
  up.put(with_bias(product(layer.w.up, inner[0], rows_.w, Ending::decay_bias), layer.w0));
  up.put(with_bias(product(layer.a.up, inner[1], rows_.a, Ending::sigmoid_bias), layer.a0));
  up.put(product(layer.g.up, inner[2], rows_.g));
  if (index > 0) {
    Product mix = with_bias(product(layer.v.up, inner[3], v, Ending::mix_value), layer.v0);
    mix.first = rows_.first;
    up.put(mix);
  }
  run(up);
  launch_heads7({rows_.r, rows_.w, rows_.k, v, rows_.a, rows_.g, layer.k_k, layer.k_a, layer.r_k, layer.ln_x.weight,
                 layer.ln_x.bias, rows_.spans, att_prev(index) + shape_.width, rows_.y, launch.spans, width},
                device_.stream());
  output.put(product(layer.output, rows_.y, rows_.x, Ending::add));
  run(output);
}

void CudaModel7::launch_channel_mix(size_t index, const Launch &launch) const {
  const Layer7 &layer = weights_.layers[index];
  const auto run = [&](const Product &product) {
    ProductGroup group;
    group.put(product), group.rows = launch.rows;
    launch_products(group, device_.tensor_cores(), device_.stream());
  };
  launch_shift_mix({rows_.x, layer.ln2.weight, layer.ln2.bias, rows_.places, att_prev(index + 1) - shape_.width, rows_.mixed,
                    {layer.ffn_x_k}, rows_.row_max, 1, launch.rows, shape_.width},
                   device_.stream());
  Product key = product(layer.ffn_key, rows_.mixed, rows_.hidden, Ending::relu_squared);
  key.max_out = rows_.row_max; // squares may leave the range of fp16
  run(key);
  Product value = product(layer.ffn_value, rows_.hidden, rows_.x, Ending::add);
  value.max_in = rows_.row_max;
  run(value);
}

void CudaModel7::launch_head(uint32_t rows) const {
  ProductGroup group;
  group.put(product(weights_.head, rows_.head_x, rows_.logits)), group.rows = rows;
  launch_products(group, device_.tensor_cores(), device_.stream());
}

} // namespace rwkv::cuda
