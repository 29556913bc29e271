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

void RowRing::reserve(size_t capacity, size_t width) {
  if (capacity <= capacity_) return;
  std::vector<float> grown(capacity * width);
  const size_t kept = take(grown.data(), count_, width);
  rows_.swap(grown);
  capacity_ = capacity, first_ = 0, count_ = kept;
}

void RowRing::push(std::span<const float> row) {
  if (capacity_ == 0) return;
  const size_t at = (first_ + count_) % capacity_;
  std::copy(row.begin(), row.end(), rows_.begin() + static_cast<ptrdiff_t>(at * row.size()));
  if (count_ < capacity_) ++count_;
  else first_ = (first_ + 1) % capacity_;
}

size_t RowRing::take(float *out, size_t row_max, size_t width) {
  const size_t taken = std::min(row_max, count_);
  for (size_t i = 0; i < taken; ++i) {
    const auto from = rows_.begin() + static_cast<ptrdiff_t>((first_ + i) % capacity_ * width);
    std::copy_n(from, width, out + i * width);
  }
  if (taken > 0) first_ = (first_ + taken) % capacity_;
  count_ -= taken;
  return taken;
}

void Outbox::clear() {
  tokens_.clear(), first_token_ = 0;
  logits.clear(), vectors.clear();
  p_speak = -1.0f, decisions = 0;
}

} // namespace rwkv
