#include "inbox.h"

namespace rwkv {

bool Decode::feed(uint32_t token) {
  ++produced;
  const auto seen = std::find_if(counts.begin(), counts.end(), [&](const TokenCount &c) { return c.token == token; });
  if (seen != counts.end()) ++seen->count;
  else counts.push_back({token, 1});
  return produced == tokens_max || stops.contains(token);
}

bool Inbox::decode_is_next() const {
  return !items_.empty() && std::holds_alternative<Decode>(items_.front());
}

size_t Inbox::rows_next(size_t at_most) const {
  size_t count = 0;
  for (const auto &item : items_) {
    const auto *const feed = std::get_if<Feed>(&item);
    if (!feed || count >= at_most) break;
    count += feed->count - feed->next;
  }
  return std::min(count, at_most);
}

void Inbox::put_tokens(std::span<const uint32_t> tokens, bool keep) {
  if (tokens.empty()) return;
  items_.push_back(Feed{{tokens.begin(), tokens.end()}, {}, tokens.size(), 0, keep});
  positions_ += tokens.size();
  if (keep) keep_positions_ += tokens.size();
}

void Inbox::put_vectors(std::span<const float> vectors, size_t width, bool keep) {
  if (vectors.empty()) return;
  const size_t count = vectors.size() / width;
  items_.push_back(Feed{{}, {vectors.begin(), vectors.end()}, count, 0, keep});
  positions_ += count;
  if (keep) keep_positions_ += count;
}

void Inbox::put_decode(Decode decode) {
  decode.counts.reserve(decode.tokens_max);
  const uint32_t count = decode.tokens_max;
  const bool keep = decode.keep_logits;
  items_.push_back(std::move(decode));
  positions_ += count;
  decode_positions_ += count;
  if (keep) keep_positions_ += count;
}

void Inbox::pop_row(Feed &feed) {
  --positions_;
  if (feed.keep) --keep_positions_;
  if (++feed.next == feed.count) items_.pop_front();
}

Decode Inbox::take_decode() {
  Decode decode = std::move(std::get<Decode>(items_.front()));
  items_.pop_front();
  positions_ -= decode.tokens_max;
  decode_positions_ -= decode.tokens_max;
  if (decode.keep_logits) keep_positions_ -= decode.tokens_max;
  return decode;
}

void Inbox::clear() {
  items_.clear();
  positions_ = keep_positions_ = decode_positions_ = 0;
}

} // namespace rwkv
