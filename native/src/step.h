// One bounded step over many states: plan who steps what, then gather, choose, forward and commit in waves; pictures
// go by themselves, layer by layer. All workers are on one wave, so that a step reads the weights once; of a small model,
// whose weights stay in a cache, many waves are dealt to the workers.
// Everything it needs is allocated at construction. The bits of a state do not depend on who works on it.
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
  // All workers, for who makes sure that no run is under way.
  Team team() { return Team(pool_); }

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
    Floats rows, carried, scratch, last_rows, logits;
    std::vector<Candidate> candidates;
    Entry *asking[limits::logit_rows] = {};
    Question questions[limits::logit_rows];
    Answer answers[limits::logit_rows];
    size_t question_count = 0;
    std::vector<Entry> entries;
    std::vector<Span> spans;
    Keep keep[limits::wave_rows] = {};
    size_t row_count = 0;
  };

  void plan(std::span<Slot *const> open);
  void plan_forks(std::span<Slot *const> open);
  size_t assign(Slot &slot, size_t row_max); // answers the positions it may cost
  void cut_waves();
  void step(size_t task, Worker &worker, const Team &team);

  void step_wave(Worker &worker, std::span<const Assignment> wave, const Team &team);
  void gather(Worker &worker, std::span<const Assignment> wave);
  void choose_tokens(Worker &worker, const Team &team);
  void ask(Worker &worker, Entry &entry);
  void answer(Worker &worker, const Team &team);
  void keep_rows(Worker &worker, const Team &team);
  // `count` rows of one state, at most limits::logit_rows.
  void keep_some(Worker &worker, Slot &slot, const Keep *keep, const float *rows, size_t count, const Team &team);
  void commit(Worker &worker);

  void step_picture(Worker &worker, const Assignment &assignment, const Team &team);
  bool begin_picture(Slot &slot);
  size_t pass_layer(Worker &worker, Slot &slot, size_t row_max, const Team &team);
  void commit_picture(Worker &worker, Slot &slot);
  size_t give_rows(Worker &worker, Slot &slot, size_t budget, const Team &team);
  void end_picture_step(Slot &slot);

  const Model &model_;
  SlotLayout layout_;
  const bool all_on_one_; // wave
  const size_t lone_rows_; // of a state without company in one run
  ThreadPool pool_;
  std::vector<Worker> workers_;
  std::vector<Assignment> plan_, pictures_;
  std::vector<size_t> wave_ends_; // indices into plan_
  uint64_t last_fork_ = 0;        // serial of the fork served last
  std::atomic<uint64_t> positions_ = 0;
};

} // namespace rwkv
