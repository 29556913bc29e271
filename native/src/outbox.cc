#include "outbox.h"

#include <algorithm>

namespace rwkv {

void Outbox::reserve_tokens(size_t more) {
  tokens_.erase(tokens_.begin(), tokens_.begin() + static_cast<ptrdiff_t>(first_token_));
  first_token_ = 0;
  tokens_.reserve(tokens_.size() + more);
}

size_t Outbox::take_tokens(uint32_t *tokens, float *probabilities, size_t count_max) {
  const size_t count = std::min(count_max, token_count());
  for (size_t i = 0; i < count; ++i) {
    const Chosen &chosen = tokens_[first_token_ + i];
    tokens[i] = chosen.token;
    probabilities[i] = chosen.probability;
  }
  first_token_ += count;
  if (first_token_ == tokens_.size()) tokens_.clear(), first_token_ = 0;
  return count;
}

void Outbox::reserve_rows(size_t row_capacity, size_t vocab) {
  if (row_capacity <= row_capacity_) return;
  std::vector<float> grown(row_capacity * vocab);
  const size_t kept = take_rows(grown.data(), row_count_, vocab);
  rows_.swap(grown);
  row_capacity_ = row_capacity, first_row_ = 0, row_count_ = kept;
}

void Outbox::push_row(std::span<const float> logits) {
  if (row_capacity_ == 0) return;
  const size_t at = (first_row_ + row_count_) % row_capacity_;
  std::copy(logits.begin(), logits.end(), rows_.begin() + static_cast<ptrdiff_t>(at * logits.size()));
  if (row_count_ < row_capacity_) ++row_count_;
  else first_row_ = (first_row_ + 1) % row_capacity_;
}

size_t Outbox::take_rows(float *out, size_t row_max, size_t vocab) {
  const size_t count = std::min(row_max, row_count_);
  for (size_t i = 0; i < count; ++i) {
    const auto from = rows_.begin() + static_cast<ptrdiff_t>((first_row_ + i) % row_capacity_ * vocab);
    std::copy_n(from, vocab, out + i * vocab);
  }
  if (count > 0) first_row_ = (first_row_ + count) % row_capacity_;
  row_count_ -= count;
  return count;
}

void Outbox::clear() {
  tokens_.clear(), first_token_ = 0;
  first_row_ = row_count_ = 0;
  p_speak = -1.0f, decisions = 0;
}

} // namespace rwkv
