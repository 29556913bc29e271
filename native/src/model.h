// What the engine needs of a model: vectors in, vectors out, a fixed number of floats remembered per state.
// Must not know slots, queues, sampling.
#pragma once

#include "team.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace rwkv {

// Consecutive rows of a wave that belong to one state.
struct Span {
  float *memory; // state_floats of that state, updated in place
  size_t first_row;
  size_t row_count;
};

// The rows that go through a layer together.
struct Wave {
  float *x; // [rows][D], the residual stream
  float *carried; // [rows][carried_width]: layer 0 writes it, later layers read it
  size_t rows;
  std::span<const Span> spans;
};

struct ModelShape {
  uint32_t version = 0; // RWKV generation, 0 for echo
  uint32_t width = 0;   // D
  uint32_t layers = 0;  // L
  uint32_t vocab = 0;   // V; 0 for weights without emb and head: neither embed nor logits may be called then
  size_t state_floats = 0;
  uint64_t weight_bytes = 0;
  std::array<uint8_t, 32> hash{};
};

class Model {
 public:
  virtual ~Model() = default;
  const ModelShape &shape() const { return shape_; }

  // out[D] = the row of the embedding table, before ln0.
  virtual void embed(uint32_t token, float *out) const = 0;

  // A wave goes through begin, every layer in order, and finish: embeddings in, normalised output vectors (what the
  // head reads) out. Between layers its rows may be put into another order, `carried` with them. Each row's result
  // has the same bits whatever else is in the wave, and whoever is in the team.
  virtual void begin(float *x, size_t rows) const = 0;
  virtual void layer(size_t index, const Wave &wave, float *scratch, const Team &team) const = 0;
  virtual void finish(float *x, size_t rows) const = 0;
  // Floats of scratch memory that a layer needs for `rows` rows, and floats of a row that it carries.
  virtual size_t scratch_floats(size_t rows) const = 0;
  virtual size_t carried_width() const = 0;

  void forward(const Wave &wave, float *scratch, const Team &team) const {
    begin(wave.x, wave.rows);
    for (size_t index = 0; index < shape_.layers; ++index) layer(index, wave, scratch, team);
    finish(wave.x, wave.rows);
  }

  // out[rows][V] of output vectors x[rows][D].
  virtual void logits(const float *x, size_t rows, float *out, const Team &team) const = 0;

 protected:
  ModelShape shape_;
};

} // namespace rwkv
