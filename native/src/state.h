// Where things lie in the memory of one state, and the same memory as bytes that travel.
// Knows sizes and hashes, not what a layer does with its floats.
#pragma once

#include "model.h"
#include "rwkv.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rwkv {

// [layer 0: att_prev D | S H·N·N | ffn_prev D] … as the RWKV runtimes order it. S is [head][key][value], so that a step
// adds registers of values and never sums across one.
struct LayerLayout {
  size_t width, head_size;

  size_t s_floats() const { return width * head_size; }
  size_t layer_floats() const { return 2 * width + s_floats(); }
  float *att_prev(float *memory, size_t layer) const { return memory + layer * layer_floats(); }
  float *s(float *memory, size_t layer) const { return att_prev(memory, layer) + width; }
  float *ffn_prev(float *memory, size_t layer) const { return s(memory, layer) + s_floats(); }
};

// A slot is the model's floats, then the newest output vector [D]: logits are computed from it when they are
// wanted, so a fork or a blob carries them for D floats instead of V.
struct SlotLayout {
  explicit SlotLayout(const ModelShape &shape) : state_floats(shape.state_floats), width(shape.width) {}

  size_t floats() const { return state_floats + width; }

  size_t state_floats, width;
};

// A state as bytes: a header of 96 bytes, the slot's floats, a checksum of 8 bytes. Little-endian. The floats are in the
// order of memory, but S of RWKV-7 is [head][value][key], as the RWKV runtimes have it.
enum class BlobKind : uint32_t { f32 = RWKV_BLOB_F32, f16 = RWKV_BLOB_F16 };
size_t blob_bytes(const ModelShape &shape, BlobKind kind);

struct StateCopy {
  std::vector<float> floats; // SlotLayout
  uint64_t fed = 0;          // positions behind the state
};
// `out` holds blob_bytes. MISUSE for a number that f16 cannot hold. `state` is left in the order of the blob.
void write_blob(uint8_t *out, const ModelShape &shape, BlobKind kind, StateCopy &state);
// FOREIGN for what is not a state of this model.
StateCopy read_blob(std::span<const uint8_t> blob, const ModelShape &shape);

} // namespace rwkv
