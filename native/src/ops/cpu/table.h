// The row ops of a table, compiled for the vector unit of the file that includes this; pick.cc adds name and products.
// Such a file includes nothing else (lanes.h: intrinsics, which leave no copy): an inline function of the standard
// library compiled for AVX-512 must never be the copy that the linker keeps for machines without it. Nor may anything
// of such a file run before the machine is known: constinit.
#pragma once

#include "../ops.h"
#include "rows.h"
#include "wkv.h"

namespace {

constexpr rwkv::Ops row_ops() {
  return {.name = nullptr,
          .products = {},
          .norm = norm,
          .token_shift = token_shift,
          .mix = mix,
          .add = add,
          .multiply = multiply,
          .tanh = tanh_all,
          .sigmoid = sigmoid_all,
          .silu = silu_all,
          .relu_squared = relu_squared,
          .sigmoid_bias = sigmoid_bias,
          .decay7 = decay7,
          .decay6 = decay6,
          .residual_value = residual_value,
          .keys7 = keys7,
          .wkv7 = wkv7,
          .bonus7 = bonus7,
          .wkv6 = wkv6};
}

} // namespace
