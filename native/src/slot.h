// One state: its memory, its inbox and outbox, its settings. The step writes `memory`; what waits between the
// caller and the step is behind `mutex`. Knows no other state.
#pragma once

#include "inbox.h"
#include "outbox.h"
#include "state.h"

#include <mutex>
#include <optional>

namespace rwkv {

class Engine;

struct Slot {
  // Changed only between steps, under the engine's gate.
  Engine *engine = nullptr;
  float *memory = nullptr; // SlotLayout::floats; a step owns it, but for `last`, which it writes under mutex
  uint64_t serial = 0;     // order of opening
  bool open = false;
  bool is_fork = false;

  std::mutex mutex; // guards all below
  Inbox inbox;
  Outbox outbox;
  SamplerSettings sampler;
  StopTokens stops;
  bool keep_logits = false;
  uint64_t fed = 0; // positions behind the state; 0 means there are no logits yet
  // The decode under way. While `stepping`, the step alone changes it, and a stop only leaves word.
  std::optional<Decode> decode;
  size_t in_flight = 0; // rows fed by the step under way
  bool stepping = false;
  bool stopped = false;

  uint64_t pending() const {
    const uint64_t decoding = !decode ? 0 : stopped ? 1 : decode->left();
    return inbox.positions() + in_flight + decoding;
  }
  bool decodes_next() const { return decode || inbox.decode_is_next(); }
  // Rows the next step wants for this state, at most `row_max`. A decode is one.
  size_t rows_wanted(size_t row_max) const { return decodes_next() ? 1 : inbox.rows_next(row_max); }

  void stop() {
    inbox.clear();
    if (stepping) stopped = true;
    else decode.reset();
  }

  // Between steps: no work, no results, nothing fed. Settings stay.
  void clear() {
    inbox.clear(), outbox.clear();
    decode.reset();
    fed = 0, in_flight = 0;
    stepping = stopped = false;
  }
};

} // namespace rwkv
