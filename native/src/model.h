// What the engine needs of a model: vectors in, vectors out, a fixed number of floats remembered per state, tokens chosen.
// Must not know slots, queues, who asked.
#pragma once

#include "sampler.h"
#include "team.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace rwkv {

// Where states live: memory of the device that the model computes on. The pointers it hands out belong to that device and
// are read and written by it and by the verbs here alone. Offsets into a block are plain float arithmetic.
class StateMemory {
 public:
  virtual ~StateMemory() = default;
  virtual float *allocate(size_t count) = 0; // zeroed, 64-byte aligned; std::bad_alloc
  virtual void release(float *block) noexcept = 0;
  virtual void zero(float *at, size_t count) = 0;
  virtual void copy(float *to, const float *from, size_t count) = 0; // one device copy; no overlap
  virtual void read(float *host, const float *from, size_t count) = 0;
  virtual void write(float *to, const float *host, size_t count) = 0;
};

// Consecutive rows of a wave that belong to one state.
struct Span {
  float *memory; // state_floats of that state, of the model's StateMemory, updated in place
  size_t first_row;
  size_t row_count;
};

// The rows that go through a layer together. Host memory.
struct Wave {
  float *x; // [rows][D], the residual stream
  float *carried; // [rows][carried_width]: layer 0 writes it, later layers read it
  size_t rows;
  std::span<const Span> spans;
};

// What a state wants chosen next.
struct Question {
  Draw draw;                         // of the token
  uint32_t silence_token = no_token; // with one, a decision comes first
  float threshold = 0.0f;            // P(speak) below it: nothing is chosen
};
struct Answer {
  float p_speak = -1.0f; // -1 without a decision
  bool speaks = true;
  Chosen chosen{}; // when it speaks
};
// Memory of a worker for answering: logits [limits::logit_rows][V], candidates [V].
struct ChoiceScratch {
  std::span<float> logits;
  std::span<Candidate> candidates;
};

struct ModelShape {
  uint32_t version = 0; // RWKV generation, 0 for echo
  uint32_t width = 0;   // D
  uint32_t layers = 0;  // L
  uint32_t vocab = 0;   // V; 0 for weights without emb and head: neither embed nor logits may be called then
  size_t state_floats = 0;
  uint64_t row_work = 0; // multiplications of one row in all layers
  uint32_t target = 0;   // RWKV_TARGET_*
  uint64_t weight_bytes = 0;
  std::array<uint8_t, 32> hash{};
};

class Model {
 public:
  virtual ~Model() = default;
  const ModelShape &shape() const { return shape_; }
  virtual StateMemory &memory() const; // of the host, unless a model has its own

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

  // All of a wave. A device that keeps the rows to itself between layers does it in one piece.
  virtual void forward(const Wave &wave, float *scratch, const Team &team) const {
    begin(wave.x, wave.rows);
    for (size_t index = 0; index < shape_.layers; ++index) layer(index, wave, scratch, team);
    finish(wave.x, wave.rows);
  }

  // out[rows][V] of output vectors x[rows][D].
  virtual void logits(const float *x, size_t rows, float *out, const Team &team) const = 0;
  // answers[i] to questions[i] about x[i][D], at most limits::logit_rows of them: logits and choice of sampler.h.
  virtual void answer(const float *x, std::span<const Question> questions, std::span<Answer> answers,
                      const ChoiceScratch &scratch, const Team &team) const;

 protected:
  ModelShape shape_;
};

} // namespace rwkv
