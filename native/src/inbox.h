// Work queued for one state: positions to feed and decodes, done in order. Bounded.
// Knows no locks and no maths; its slot guards it.
#pragma once

#include "limits.h"
#include "sampler.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <variant>
#include <vector>

namespace rwkv {

// A fixed array, because a fork copies it and must not run out of memory.
struct StopTokens {
  std::array<uint32_t, limits::stop_tokens> ids{};
  uint32_t count = 0;

  bool contains(uint32_t token) const {
    const auto end = ids.begin() + count;
    return std::find(ids.begin(), end, token) != end;
  }
};

struct Decode {
  uint32_t tokens_max = 0;
  uint64_t seed = 0;
  uint32_t silence_token = no_token; // with one, a decision comes first
  float threshold = 0.0f;
  SamplerSettings sampler; // as it was when the decode was queued
  StopTokens stops;        // the same
  bool keep_logits = false;
  // Progress.
  bool decided = false;
  uint32_t produced = 0;
  std::vector<TokenCount> counts; // room for tokens_max from the start: a step never allocates

  uint32_t left() const { return tokens_max - produced; }
  // Counts the token; true when the decode ends with it.
  bool feed(uint32_t token);
};

class Inbox {
 public:

  uint64_t positions() const { return positions_; } // decodes at their maximum
  uint64_t keep_positions() const { return keep_positions_; }
  uint64_t decode_positions() const { return decode_positions_; }
  bool decode_is_next() const;
  // Positions that stand before the next decode, counted up to at_most.
  size_t rows_next(size_t at_most) const;

  void put_tokens(std::span<const uint32_t> tokens, bool keep);
  void put_vectors(std::span<const float> vectors, size_t width, bool keep);
  void put_decode(Decode decode);

  // Moves the next rows out, at most `row_max`: embed(token, out) for a token, a copy for a vector.
  // keep_each[i] says whether logits of row i are wanted.
  template <typename Embed>
  size_t take_rows(float *out, size_t width, size_t row_max, bool *keep_each, const Embed &embed);
  Decode take_decode();
  void clear();

 private:
  struct Feed {
    std::vector<uint32_t> tokens; // one of the two is empty
    std::vector<float> vectors;
    size_t count = 0, next = 0;
    bool keep = false;
  };
  void pop_row(Feed &feed);

  std::deque<std::variant<Feed, Decode>> items_;
  uint64_t positions_ = 0, keep_positions_ = 0, decode_positions_ = 0;
};

template <typename Embed>
size_t Inbox::take_rows(float *out, size_t width, size_t row_max, bool *keep_each, const Embed &embed) {
  size_t taken = 0;
  while (taken < row_max && !items_.empty()) {
    auto *const feed = std::get_if<Feed>(&items_.front());
    if (!feed) break;
    float *const row = out + taken * width;
    if (feed->tokens.empty()) {
      std::copy_n(feed->vectors.data() + feed->next * width, width, row);
    } else {
      embed(feed->tokens[feed->next], row);
    }
    keep_each[taken++] = feed->keep;
    pop_row(*feed);
  }
  return taken;
}

} // namespace rwkv
