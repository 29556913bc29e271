// The products of targets that have vectors and no matrix unit: one table for all, made with a target's own ways to read
// bf16 and to multiply bytes.
#pragma once

#include "product_x86_floats.h"
#include "product_x86_matmul.h"

namespace rwkv {
namespace {

template <class Bf16, class Dots> struct VectorProducts {
  static size_t input_bytes(Format format, size_t rows, size_t columns) {
    switch (format) {
      case Format::f32: return float_input_bytes<F32>(rows, columns);
      case Format::f16: return float_input_bytes<F16>(rows, columns);
      case Format::bf16: return float_input_bytes<Bf16>(rows, columns);
      default: return integer_input_bytes(format, rows, columns);
    }
  }

  static void prepare(void *input, const float *x, Format format, size_t rows, size_t columns) {
    switch (format) {
      case Format::f32: return float_prepare<F32>(input, x, rows, columns, float_panel_rows);
      case Format::f16: return float_prepare<F16>(input, x, rows, columns, float_panel_rows);
      case Format::bf16: return float_prepare<Bf16>(input, x, rows, columns, float_panel_rows);
      default: return integer_prepare(input, x, format, rows, columns, integer_panel_rows);
    }
  }

  static void matmul(float *out, const void *input, const Matrix &w, size_t rows, size_t first, size_t last) {
    switch (w.format) {
      case Format::f32: return float_matmul<F32>(out, input, w, rows, first, last);
      case Format::f16: return float_matmul<F16>(out, input, w, rows, first, last);
      case Format::bf16: return float_matmul<Bf16>(out, input, w, rows, first, last);
      case Format::q8: return integer_matmul<Q8, Dots>(out, input, w, rows, first, last);
      case Format::q6: return integer_matmul<Q6, Dots>(out, input, w, rows, first, last);
      case Format::q4: return integer_matmul<Q4, Dots>(out, input, w, rows, first, last);
    }
  }

  static constexpr Products table{input_bytes, prepare, matmul};
};

} // namespace
} // namespace rwkv
