// Results of one state that wait to be taken: chosen tokens, kept logits, the newest decision.
// Room is made when work is queued, so nothing here allocates during a step. Its slot guards it.
#pragma once

#include "sampler.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rwkv {

class Outbox {
 public:
  size_t token_count() const { return tokens_.size() - first_token_; }
  void reserve_tokens(size_t more); // room for `more` beyond those waiting
  void push(Chosen chosen) { tokens_.push_back(chosen); }
  size_t take_tokens(uint32_t *tokens, float *probabilities, size_t count_max);

  size_t row_count() const { return row_count_; }
  // Room for row_capacity rows of `vocab` floats; the oldest are overwritten when it is full.
  void reserve_rows(size_t row_capacity, size_t vocab);
  void push_row(std::span<const float> logits);
  size_t take_rows(float *out, size_t row_max, size_t vocab);

  void clear();

  float p_speak = -1.0f;
  uint64_t decisions = 0;

 private:
  std::vector<Chosen> tokens_;
  size_t first_token_ = 0;
  std::vector<float> rows_;
  size_t row_capacity_ = 0, first_row_ = 0, row_count_ = 0;
};

} // namespace rwkv
