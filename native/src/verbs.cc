#include "verbs.h"

#include "engine.h"
#include "failure.h"
#include "limits.h"

#include <cmath>

namespace rwkv::verbs {
namespace {

void require(bool holds, const char *sentence) {
  if (!holds) fail(RWKV_MISUSE, sentence);
}

void require_token(const Slot &slot, uint32_t token) {
  const uint32_t vocab = slot.engine->shape().vocab;
  if (token >= vocab) {
    fail(RWKV_MISUSE, "Cannot use token " + std::to_string(token) +
                          (vocab > 0 ? ": the vocabulary has " + std::to_string(vocab)
                                     : ": the weights have no \"emb.weight\" and \"head.weight\""));
  }
}

void require_head(const Slot &slot, const char *action) {
  if (slot.engine->shape().vocab > 0) return;
  fail(RWKV_MISUSE, std::string("Cannot ") + action + ": the weights have no \"emb.weight\" and \"head.weight\"");
}

// The slot's mutex is held. Also makes room for rows that will be kept.
void make_room(Slot &slot, size_t positions, Keep keep) {
  if (positions > limits::inbox_positions || slot.pending() + positions > limits::inbox_positions) {
    fail(RWKV_FULL, "Cannot queue " + std::to_string(positions) + " positions: " + std::to_string(slot.pending()) +
                        " of " + std::to_string(limits::inbox_positions) + " are queued");
  }
  const uint64_t underway =
      slot.in_flight + (slot.decode ? slot.decode->left() : 0) + (slot.picture ? slot.picture->count : 0);
  const auto reserve = [&](RowRing &ring, uint64_t queued, uint64_t row_max, size_t width) {
    ring.reserve(std::min<uint64_t>(ring.count() + underway + queued + positions, row_max), width);
  };
  Outbox &outbox = slot.outbox;
  const ModelShape &shape = slot.engine->shape();
  if (keep.logits) {
    reserve(outbox.logits, slot.inbox.keep_logit_positions(), limits::kept_logit_rows, shape.vocab);
  }
  if (keep.vectors) {
    reserve(outbox.vectors, slot.inbox.keep_vector_positions(), limits::kept_vector_rows, shape.width);
  }
}

// Answers how many floats there are; 0 for more positions than any inbox holds, which make_room refuses.
size_t require_vectors(const Slot &slot, const float *vectors, size_t count, size_t width) {
  const uint32_t model_width = slot.engine->shape().width;
  if (width != model_width) {
    fail(RWKV_MISUSE, "Cannot put vectors of width " + std::to_string(width) + ": the model has width " +
                          std::to_string(model_width));
  }
  const size_t floats = count <= limits::inbox_positions ? count * width : 0;
  for (size_t i = 0; i < floats; ++i) {
    require(std::fabs(vectors[i]) <= limits::vector_magnitude, // false for NaN
            "Cannot put vectors: a number is not finite, or larger than 1e15");
  }
  return floats;
}

void queue(Slot &slot, Decode decode) {
  require(decode.tokens_max >= 1 && decode.tokens_max <= limits::decode_tokens,
          "Cannot queue a decode: tokens_max is not 1 to 4096");
  require_head(slot, "queue a decode");
  std::lock_guard lock(slot.mutex);
  require(slot.fed + slot.pending() > 0, "Cannot queue a decode: nothing was fed yet");
  make_room(slot, decode.tokens_max, slot.keep);
  const uint64_t queued = slot.inbox.decode_positions() + (slot.decode ? slot.decode->left() : 0);
  if (slot.outbox.token_count() + queued + decode.tokens_max > limits::outbox_tokens) {
    fail(RWKV_FULL, "Cannot queue a decode: " + std::to_string(slot.outbox.token_count()) +
                        " chosen tokens wait to be taken");
  }
  slot.outbox.reserve_tokens(queued + decode.tokens_max);
  decode.sampler = slot.sampler;
  decode.stops = slot.stops;
  decode.keep = slot.keep;
  slot.inbox.put_decode(std::move(decode));
}

} // namespace

void put_tokens(Slot &slot, std::span<const uint32_t> tokens) {
  if (tokens.size() <= limits::inbox_positions) { // more is FULL below, and not worth reading
    for (const uint32_t token : tokens) require_token(slot, token);
  }
  std::lock_guard lock(slot.mutex);
  make_room(slot, tokens.size(), slot.keep);
  slot.inbox.put_tokens(tokens, slot.keep);
}

void put_vectors(Slot &slot, const float *vectors, size_t count, size_t width) {
  const size_t floats = require_vectors(slot, vectors, count, width);
  std::lock_guard lock(slot.mutex);
  make_room(slot, count, slot.keep);
  slot.inbox.put_vectors({vectors, floats}, width, slot.keep);
}

void put_span(Slot &slot, const float *vectors, size_t count, size_t width, const Grid &grid) {
  require(grid.scan <= RWKV_SCAN_ZIGZAG, "Cannot put a span: there is no such scan");
  require((grid.rows == 0) == (grid.columns == 0) && (grid.rows == 0 || grid.columns <= count / grid.rows),
          "Cannot put a span: its grid has more cells than there are vectors");
  const size_t floats = require_vectors(slot, vectors, count, width);
  if (count == 0) return;
  const Model &model = slot.engine->model();
  std::unique_ptr<Picture> picture;
  if (floats > 0) { // copied before the lock, which a step may want
    std::unique_lock lock(slot.mutex);
    const Keep keep = slot.keep;
    lock.unlock();
    picture = std::make_unique<Picture>(std::span(vectors, floats), width, grid, model.carried_width(), keep);
  }
  std::lock_guard lock(slot.mutex);
  make_room(slot, count, picture ? picture->keep : Keep{});
  StateBlock memory;
  if (!slot.picture_memory) memory = StateBlock(model.memory(), model.shape().state_floats);
  slot.inbox.put_picture(std::move(picture));
  if (memory) slot.picture_memory = std::move(memory);
}

void put_decode(Slot &slot, uint32_t tokens_max, uint64_t seed) {
  Decode decode;
  decode.tokens_max = tokens_max, decode.seed = seed;
  queue(slot, std::move(decode));
}

void put_decide(Slot &slot, uint32_t silence_token, float threshold, uint32_t tokens_max, uint64_t seed) {
  require_token(slot, silence_token);
  require(threshold >= 0 && threshold <= 1, "Cannot queue a decision: the threshold is not 0 to 1");
  Decode decode;
  decode.tokens_max = tokens_max, decode.seed = seed;
  decode.silence_token = silence_token, decode.threshold = threshold;
  queue(slot, std::move(decode));
}

void set_sampler(Slot &slot, const SamplerSettings &settings) {
  require(settings.temperature >= 0 && settings.temperature <= limits::temperature,
          "Cannot set temperature: it is not 0 to 100");
  require(settings.top_p > 0 && settings.top_p <= 1, "Cannot set top_p: it is not above 0 and up to 1");
  require(std::fabs(settings.presence_penalty) <= limits::penalty &&
              std::fabs(settings.count_penalty) <= limits::penalty,
          "Cannot set penalties: they are not -1000 to 1000");
  std::lock_guard lock(slot.mutex);
  slot.sampler = settings;
}

void set_stops(Slot &slot, std::span<const uint32_t> tokens) {
  require(tokens.size() <= limits::stop_tokens, "Cannot set stop tokens: there are more than 64");
  StopTokens stops;
  for (const uint32_t token : tokens) {
    require_token(slot, token);
    stops.ids[stops.count++] = token;
  }
  std::lock_guard lock(slot.mutex);
  slot.stops = stops;
}

void set_keep_logits(Slot &slot, uint32_t keep) {
  require(keep <= 1, "Cannot set keep_logits: it is not 0 or 1");
  if (keep == 1) require_head(slot, "keep logits");
  std::lock_guard lock(slot.mutex);
  slot.keep.logits = keep == 1;
}

void set_keep_vectors(Slot &slot, uint32_t keep) {
  require(keep <= 1, "Cannot set keep_vectors: it is not 0 or 1");
  std::lock_guard lock(slot.mutex);
  slot.keep.vectors = keep == 1;
}

} // namespace rwkv::verbs
