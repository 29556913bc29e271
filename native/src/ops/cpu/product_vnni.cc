// Products for x86 with AVX-512 with VNNI. Compiled for it: see product_x86.h for what may be included.
#include "../ops.h"
#include "product_x86_vectors.h"

namespace rwkv {

extern const Products products_vnni;
// bf16 is multiplied in fp32: dot products of bf16 would round the rows, and 3e-3 of the logits are lost in two layers.
const Products products_vnni = VectorProducts<Bf16Expanded, VnniDots>::table;

} // namespace rwkv
