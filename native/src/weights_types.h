// The number types that weights have in files: how large their blocks are, what they mean as fp32, and the format of
// matrix.h that each is held in. Bytes only: must not know files, names and tiles.
#pragma once

#include "matrix.h"

#include <cstddef>
#include <cstdint>

namespace rwkv {

// The first six are the formats of matrix.h, in their order; the others are turned into one of them block by block.
enum class Stored : uint8_t { f32, f16, bf16, q8_0, q6_k, q4_k, q4_0, q4_1, q5_0, q5_1, q5_k };

struct StoredType {
  const char *name;
  uint32_t columns, bytes; // of a block
  Format held;             // f16 for those whose values only f16 can hold nearly: rounded once
};
const StoredType &stored_type(Stored type);
constexpr bool is_plain(Stored type) { return type <= Stored::bf16; } // one number is one block

// count: whole blocks, of any alignment.
bool all_finite(const uint8_t *blocks, size_t count, Stored type);        // numbers, or scales of blocks
void widen(float *out, const uint8_t *blocks, size_t count, Stored type); // exact, or rounded once to fp32
// The row blocks (tiles.h) of stored_type(type).held for types that are not held as they are.
void hold(uint8_t *out, const uint8_t *blocks, size_t count, Stored type);
// Every value times 2^power. False: a number or scale is no longer finite.
bool scale_by_power(uint8_t *blocks, size_t count, Stored type, int power);

} // namespace rwkv
