// Who steps how many positions in this run. Narration first, a chunk each, or a lone state's larger share; forks share a
// budget in turn.
#include "step.h"

#include <algorithm>

namespace rwkv {

void Stepper::plan(std::span<Slot *const> open) {
  plan_.clear();
  pictures_.clear();
  for (Slot *const slot : open) {
    if (!slot->is_fork) assign(*slot, lone_rows_);
  }
  const size_t working = std::max<size_t>(plan_.size() + pictures_.size(), 1);
  const size_t share = std::clamp<size_t>(limits::wave_rows / working, limits::chunk_positions, lone_rows_);
  for (Assignment &assignment : plan_) assignment.row_max = std::min(assignment.row_max, share);
  plan_forks(open);
}

void Stepper::plan_forks(std::span<Slot *const> open) {
  size_t left = limits::fork_positions_per_run;
  const uint64_t start = last_fork_;
  for (const bool after_start : {true, false}) { // round robin: first those behind the one served last
    for (Slot *const slot : open) {
      if (left == 0) return;
      if (!slot->is_fork || (slot->serial > start) != after_start) continue;
      const size_t rows = assign(*slot, std::min<size_t>(left, limits::chunk_positions));
      if (rows == 0) continue;
      left -= rows;
      last_fork_ = slot->serial;
    }
  }
}

size_t Stepper::assign(Slot &slot, size_t row_max) {
  std::lock_guard lock(slot.mutex);
  if (slot.sees_next()) {
    const size_t rows = std::min<size_t>(row_max, limits::chunk_positions); // of every layer: it fills waves alone
    pictures_.push_back({&slot, rows});
    return rows;
  }
  const size_t rows = slot.rows_wanted(row_max);
  if (rows > 0) plan_.push_back({&slot, rows});
  return rows;
}

// As few as hold all rows when all workers are on one wave, which reads all weights once. Else even shares for the workers,
// of at least `wave_rows_min`.
void Stepper::cut_waves() {
  size_t total = 0;
  for (const Assignment &assignment : plan_) total += assignment.row_max;
  const size_t share = all_on_one_ ? total : (total + pool_.worker_count() - 1) / pool_.worker_count();
  const size_t rows_max = std::clamp<size_t>(share, limits::wave_rows_min, limits::wave_rows);
  wave_ends_.clear();
  size_t rows = 0;
  for (size_t i = 0; i < plan_.size(); ++i) {
    if (rows > 0 && rows + plan_[i].row_max > rows_max) wave_ends_.push_back(i), rows = 0;
    rows += plan_[i].row_max;
  }
  if (rows > 0) wave_ends_.push_back(plan_.size());
}

} // namespace rwkv
