#include "inbox.h"

namespace rwkv {

bool Decode::feed(uint32_t token) {
  ++produced;
  const auto seen = std::find_if(counts.begin(), counts.end(), [&](const TokenCount &c) { return c.token == token; });
  if (seen != counts.end()) ++seen->count;
  else counts.push_back({token, 1});
  return produced == tokens_max || stops.contains(token);
}

void Inbox::Total::add(uint64_t count, Keep keep) {
  positions += count;
  if (keep.logits) keep_logits += count;
  if (keep.vectors) keep_vectors += count;
}

void Inbox::Total::remove(uint64_t count, Keep keep) {
  positions -= count;
  if (keep.logits) keep_logits -= count;
  if (keep.vectors) keep_vectors -= count;
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

void Inbox::put_tokens(std::span<const uint32_t> tokens, Keep keep) {
  if (tokens.empty()) return;
  items_.push_back(Feed{{tokens.begin(), tokens.end()}, {}, tokens.size(), 0, keep});
  total_.add(tokens.size(), keep);
}

void Inbox::put_vectors(std::span<const float> vectors, size_t width, Keep keep) {
  if (vectors.empty()) return;
  const size_t count = vectors.size() / width;
  items_.push_back(Feed{{}, {vectors.begin(), vectors.end()}, count, 0, keep});
  total_.add(count, keep);
}

void Inbox::put_decode(Decode decode) {
  decode.counts.reserve(decode.tokens_max);
  const uint32_t count = decode.tokens_max;
  const Keep keep = decode.keep;
  items_.push_back(std::move(decode));
  total_.add(count, keep);
  decode_positions_ += count;
}

void Inbox::put_picture(std::unique_ptr<Picture> picture) {
  const size_t count = picture->count;
  const Keep keep = picture->keep;
  items_.push_back(std::move(picture));
  total_.add(count, keep);
  ++picture_count_;
}

void Inbox::pop_row(Feed &feed) {
  total_.remove(1, feed.keep);
  if (++feed.next == feed.count) items_.pop_front();
}

Decode Inbox::take_decode() {
  Decode decode = std::move(std::get<Decode>(items_.front()));
  items_.pop_front();
  total_.remove(decode.tokens_max, decode.keep);
  decode_positions_ -= decode.tokens_max;
  return decode;
}

std::unique_ptr<Picture> Inbox::take_picture() {
  auto picture = std::move(std::get<std::unique_ptr<Picture>>(items_.front()));
  items_.pop_front();
  total_.remove(picture->count, picture->keep);
  --picture_count_;
  return picture;
}

void Inbox::clear() {
  items_.clear();
  total_ = {};
  decode_positions_ = picture_count_ = 0;
}

} // namespace rwkv
