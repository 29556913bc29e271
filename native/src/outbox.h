// Results of one state that wait to be taken: chosen tokens, kept logits and vectors, the newest decision.
// Room is made when work is queued, so nothing here allocates during a step. Its slot guards it.
#pragma once

#include "sampler.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rwkv {

// Rows of one width, oldest first. The oldest are overwritten when it is full.
class RowRing {
 public:
  size_t count() const { return count_; }
  void reserve(size_t capacity, size_t width); // room for `capacity` rows of `width` floats; never less than before
  void push(std::span<const float> row);
  size_t take(float *out, size_t row_max, size_t width);
  void clear() { first_ = count_ = 0; }

 private:
  std::vector<float> rows_;
  size_t capacity_ = 0, first_ = 0, count_ = 0;
};

class Outbox {
 public:
  size_t token_count() const { return tokens_.size() - first_token_; }
  void reserve_tokens(size_t more); // room for `more` beyond those waiting
  void push(Chosen chosen) { tokens_.push_back(chosen); }
  size_t take_tokens(uint32_t *tokens, float *probabilities, size_t count_max);

  void clear();

  RowRing logits, vectors;
  float p_speak = -1.0f;
  uint64_t decisions = 0;

 private:
  std::vector<Chosen> tokens_;
  size_t first_token_ = 0;
};

} // namespace rwkv
