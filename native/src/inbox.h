// Work queued for one state: positions to feed, pictures and decodes, done in order. Bounded.
// Knows no locks and no maths; its slot guards it.
#pragma once

#include "keep.h"
#include "limits.h"
#include "picture.h"
#include "sampler.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
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
  Keep keep;
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

  uint64_t positions() const { return total_.positions; } // decodes at their maximum
  uint64_t keep_logit_positions() const { return total_.keep_logits; }
  uint64_t keep_vector_positions() const { return total_.keep_vectors; }
  uint64_t decode_positions() const { return decode_positions_; }
  bool decode_is_next() const { return next_is<Decode>(); }
  bool picture_is_next() const { return next_is<std::unique_ptr<Picture>>(); }
  bool has_pictures() const { return picture_count_ > 0; }
  // Positions that stand before the next decode or picture, counted up to at_most.
  size_t rows_next(size_t at_most) const;

  void put_tokens(std::span<const uint32_t> tokens, Keep keep);
  void put_vectors(std::span<const float> vectors, size_t width, Keep keep);
  void put_decode(Decode decode);
  void put_picture(std::unique_ptr<Picture> picture);

  // Moves the next rows out, at most `row_max`: embed(token, out) for a token, a copy for a vector.
  // keep_each[i] says what is wanted of row i.
  template <typename Embed>
  size_t take_rows(float *out, size_t width, size_t row_max, Keep *keep_each, const Embed &embed);
  Decode take_decode();
  std::unique_ptr<Picture> take_picture();
  void clear();

 private:
  struct Feed {
    std::vector<uint32_t> tokens; // one of the two is empty
    std::vector<float> vectors;
    size_t count = 0, next = 0;
    Keep keep;
  };
  struct Total {
    uint64_t positions = 0, keep_logits = 0, keep_vectors = 0;
    void add(uint64_t count, Keep keep);
    void remove(uint64_t count, Keep keep);
  };
  template <typename Item>
  bool next_is() const {
    return !items_.empty() && std::holds_alternative<Item>(items_.front());
  }
  void pop_row(Feed &feed);

  std::deque<std::variant<Feed, Decode, std::unique_ptr<Picture>>> items_;
  Total total_;
  uint64_t decode_positions_ = 0;
  size_t picture_count_ = 0;
};

template <typename Embed>
size_t Inbox::take_rows(float *out, size_t width, size_t row_max, Keep *keep_each, const Embed &embed) {
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
