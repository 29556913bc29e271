// Products for x86 with AMX: bf16, and many rows of q8 and q4, on its tiles, the rest as for AVX-512 with VNNI.
// Compiled for it: see product_x86.h for what may be included. May run only where amx_is_permitted().
#include "../ops.h"
#include "product_x86_integer_tiles.h"

namespace rwkv {
namespace {

// bf16 reads its rows in two parts: twice the products, but nothing of the rows is lost, and tiles have time to spare.
constexpr size_t bf16_parts = 2;
using Bf16 = Bf16Pairs<bf16_parts>;

size_t input_bytes(Format format, size_t rows, size_t columns) {
  switch (format) {
    case Format::f32: return float_input_bytes<F32>(rows, columns);
    case Format::f16: return float_input_bytes<F16>(rows, columns);
    case Format::bf16: return float_input_bytes<Bf16>(rows, columns);
    default: return integer_input_bytes(format, rows, columns);
  }
}

void prepare(void *input, const float *x, Format format, size_t rows, size_t columns) {
  switch (format) {
    case Format::f32: return float_prepare<F32>(input, x, rows, columns, float_panel_rows);
    case Format::f16: return float_prepare<F16>(input, x, rows, columns, float_panel_rows);
    case Format::bf16: return float_prepare<Bf16>(input, x, rows, columns, amx_panel_rows);
    case Format::q6: return integer_prepare(input, x, format, rows, columns, integer_panel_rows);
    default: return integer_prepare(input, x, format, rows, columns, amx_panel_rows);
  }
}

void matmul(float *out, const void *input, const Matrix &w, size_t rows, size_t first, size_t last) {
  switch (w.format) {
    case Format::f32: return float_matmul<F32>(out, input, w, rows, first, last);
    case Format::f16: return float_matmul<F16>(out, input, w, rows, first, last);
    case Format::bf16: return bf16_matmul<bf16_parts>(out, input, w, rows, first, last);
    case Format::q8: return integer_tile_matmul<Q8>(out, input, w, rows, first, last);
    case Format::q6: return integer_matmul<Q6, VnniDots>(out, input, w, rows, first, last);
    case Format::q4: return integer_tile_matmul<Q4>(out, input, w, rows, first, last);
  }
}

} // namespace

extern const Products products_amx;
const Products products_amx = {input_bytes, prepare, matmul};

} // namespace rwkv
