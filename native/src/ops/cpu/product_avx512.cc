// Products for x86 with AVX-512 F, BW, DQ and VL. Compiled for it: see product_x86.h for what may be included.
#include "../ops.h"
#include "product_x86_vectors.h"

namespace rwkv {

extern const Products products_avx512;
const Products products_avx512 = VectorProducts<Bf16Expanded, PairDots>::table;

} // namespace rwkv
