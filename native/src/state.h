// Where things lie in the memory of one state, and the same memory as bytes that travel.
// Knows sizes and hashes, not what a layer does with its floats.
#pragma once

#include "model.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace rwkv {

// [layer 0: att_prev D | S H·N·N | ffn_prev D] … as the RWKV runtimes order it, S as [head][N][N].
// S is [value][key] for RWKV-7 and [key][value] for RWKV-6.
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
  float *last(float *memory) const { return memory + state_floats; }
  const float *last(const float *memory) const { return memory + state_floats; }

  size_t state_floats, width;
};

// A state as bytes: a header of 96 bytes, the slot's floats, a checksum of 8 bytes. Little-endian.
size_t blob_bytes(const ModelShape &shape);
// `fed` is the number of positions behind the state. `out` holds blob_bytes.
void write_blob(uint8_t *out, const ModelShape &shape, const float *memory, uint64_t fed);
// Checks everything before it touches `memory`; RWKV_FOREIGN. Answers `fed`.
uint64_t read_blob(std::span<const uint8_t> blob, const ModelShape &shape, float *memory);

} // namespace rwkv
