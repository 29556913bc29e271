// fp32 numbers as the row blocks of tiles.h: Q8_0, Q6_K and Q4_K of GGUF, or plain 16-bit numbers. Block by block, each
// from its own numbers alone. Must not know files, tiles and products.
#pragma once

#include "matrix.h"

namespace rwkv {

// count: a multiple of 32 (q8) or 256 (q6, q4). x is finite. blocks: row_bytes of tiles.h, of any alignment.
// q8: the scale is max |x| / 127, numbers are rounded to the nearest.
void quantise_q8(uint8_t *blocks, const float *x, size_t count);
// q6, q4: scales (and least values) found by a search with weighted least squares; larger numbers weigh more.
void quantise_q6(uint8_t *blocks, const float *x, size_t count);
void quantise_q4(uint8_t *blocks, const float *x, size_t count);
// Any format: f16 and bf16 round to the nearest, ties to even; beyond the largest f16 comes infinity.
void quantise(uint8_t *blocks, Format format, const float *x, size_t count);

} // namespace rwkv
