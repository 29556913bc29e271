// One bounded step over many states: plan who steps what, then gather, choose, forward and commit in waves,
// one wave per worker at a time. Everything it needs is allocated at construction.
// The bits of a state do not depend on which wave or worker it falls to.
#pragma once

#include "floats.h"
#include "limits.h"
#include "slot.h"
#include "thread_pool.h"

#include <atomic>
#include <span>
#include <vector>

namespace rwkv {

class Stepper {
 public:
  Stepper(const Model &model, uint32_t states_max, uint32_t threads);

  struct Done {
    uint64_t positions; // stepped
    bool worked;        // false: there was nothing to do
  };
  // `open` is in order of opening and does not change under way.
  Done run(std::span<Slot *const> open);

 private:
  struct Assignment {
    Slot *slot;
    size_t row_max;
  };
  struct Entry { // one state in a wave
    Slot *slot = nullptr;
    size_t first_row = 0, row_count = 0;
    bool decodes = false, decided = false;
    float p_speak = 0.0f;
    Chosen chosen{};
  };
  struct Worker {
    Floats rows, scratch, last_rows, logits;
    std::vector<Candidate> candidates;
    std::vector<Entry> entries;
    std::vector<Span> spans;
    bool keep[limits::wave_rows] = {};
    size_t row_count = 0;
  };

  void plan(std::span<Slot *const> open);
  void plan_forks(std::span<Slot *const> open);
  void cut_waves();
  void step_wave(Worker &worker, std::span<const Assignment> wave);
  void gather(Worker &worker, std::span<const Assignment> wave);
  void choose_tokens(Worker &worker);
  void choose_token(Worker &worker, Entry &entry, std::span<const float> logits);
  void keep_logits(Worker &worker);
  void commit(Worker &worker);

  const Model &model_;
  SlotLayout layout_;
  ThreadPool pool_;
  std::vector<Worker> workers_;
  std::vector<Assignment> plan_;
  std::vector<size_t> wave_ends_; // indices into plan_
  uint64_t last_fork_ = 0;        // serial of the fork served last
  std::atomic<uint64_t> positions_ = 0;
};

} // namespace rwkv
