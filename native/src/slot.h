// One state: its memory, its inbox and outbox, its settings. The step writes `memory`; what waits between the
// caller and the step is behind `mutex`. Knows no other state.
#pragma once

#include "host_memory.h"
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
  float *memory = nullptr; // state_floats, of the model's StateMemory; a step owns it
  float *last = nullptr;   // [D], the newest output vector, of the host; a step writes it under mutex
  uint64_t serial = 0;     // order of opening
  bool open = false;
  bool is_fork = false;

  std::mutex mutex; // guards all below
  Inbox inbox;
  Outbox outbox;
  SamplerSettings sampler;
  StopTokens stops;
  Keep keep;
  uint64_t fed = 0; // positions behind the state; 0 means there are no logits yet
  // The decode under way. While `stepping`, the step alone changes it, and a stop only leaves word.
  std::optional<Decode> decode;
  // The picture under way; the same. It leaves the state in picture_memory, layer by layer, and `memory` gets that
  // when the last layer is done: before, a stop drops the picture without a trace.
  std::unique_ptr<Picture> picture;
  StateBlock picture_memory; // state_floats while pictures are queued or under way, else empty
  size_t in_flight = 0; // rows fed by the step under way
  bool stepping = false;
  bool stopped = false;

  uint64_t pending() const {
    const uint64_t decoding = !decode ? 0 : stopped ? 1 : decode->left();
    const uint64_t seeing = !picture ? 0 : stopped ? 1 : picture->count;
    return inbox.positions() + in_flight + decoding + seeing;
  }
  // What is under way goes before what is queued.
  bool decodes_next() const { return decode || (!picture && inbox.decode_is_next()); }
  bool sees_next() const { return picture || (!decode && inbox.picture_is_next()); }
  // Rows the next step wants for this state, at most `row_max`. A decode is one.
  size_t rows_wanted(size_t row_max) const { return decodes_next() ? 1 : inbox.rows_next(row_max); }

  void stop() {
    inbox.clear();
    if (stepping) stopped = true;
    else decode.reset(), picture.reset();
    free_picture_memory();
  }

  // When no picture needs it any more.
  void free_picture_memory() {
    if (!picture && !inbox.has_pictures()) picture_memory = {};
  }

  // Between steps: no work, no results, nothing fed. Settings stay.
  void clear() {
    inbox.clear(), outbox.clear();
    decode.reset(), picture.reset();
    free_picture_memory();
    fed = 0, in_flight = 0;
    stepping = stopped = false;
  }
};

} // namespace rwkv
