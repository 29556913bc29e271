// A large matrix as it is held: in the number type of its file. f16 and bf16 expand to fp32 without rounding, so a
// product does not depend on the type, only on the values. Includes nothing that a table of ops must not include.
#pragma once

#include <stddef.h>

namespace rwkv {

enum class Dtype : unsigned char { f32, f16, bf16 };

constexpr size_t element_bytes(Dtype dtype) { return dtype == Dtype::f32 ? 4 : 2; }

// [out][in], row-major: a row of it makes one number of the product.
struct Matrix {
  const void *data = nullptr;
  Dtype dtype = Dtype::f32;
};

} // namespace rwkv
