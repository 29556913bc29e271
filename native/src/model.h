// What the engine needs of a model: vectors in, vectors out, a fixed number of floats remembered per state.
// Must not know slots, queues, sampling.
#pragma once

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

struct ModelShape {
  uint32_t version = 0; // RWKV generation, 0 for echo
  uint32_t width = 0;   // D
  uint32_t layers = 0;  // L
  uint32_t vocab = 0;   // V
  size_t state_floats = 0;
  uint64_t weight_bytes = 0;
  std::array<uint8_t, 32> hash{};
};

class Model {
 public:
  virtual ~Model() = default;
  const ModelShape &shape() const { return shape_; }

  // Floats of scratch memory that forward needs for `rows` rows.
  virtual size_t scratch_floats(size_t rows) const = 0;
  // out[D] = the row of the embedding table, before ln0.
  virtual void embed(uint32_t token, float *out) const = 0;
  // x[rows][D]: embeddings in, normalised output vectors (what the head reads) out. Each row's result has the
  // same bits whatever else is in the wave.
  virtual void forward(float *x, size_t rows, std::span<const Span> spans, float *scratch) const = 0;
  // out[rows][V] of output vectors x[rows][D].
  virtual void logits(const float *x, size_t rows, float *out) const = 0;

 protected:
  ModelShape shape_;
};

} // namespace rwkv
