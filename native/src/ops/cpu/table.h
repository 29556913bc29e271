// One table of CPU ops, compiled for the vector unit of the file that includes this. Such a file includes
// nothing else (expand.h: intrinsics, which leave no copy): an inline function of the standard library compiled
// for AVX-512 must never be the copy that the linker keeps for machines without it.
#pragma once

#include "../ops.h"
#include "matmul.h"
#include "rows.h"
#include "wkv.h"

namespace {

constexpr rwkv::Ops make_table(const char *name) {
  return {name,         matmul,   norm,     token_shift,    mix,   add,  multiply, tanh_all, sigmoid_all, silu_all,
          relu_squared, sigmoid_bias, decay7, decay6, residual_value, keys7, wkv7, bonus7,   wkv6};
}

} // namespace
