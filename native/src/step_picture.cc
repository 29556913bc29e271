// A picture's share of a run: so many rows of so many layers as the same number of ordinary positions would be, in
// waves as large as fit. The memory of its state changes once, when the last layer is done.
#include "step.h"

#include <algorithm>

namespace rwkv {

void Stepper::step_picture(Worker &worker, const Assignment &assignment, const Team &team) {
  Slot &slot = *assignment.slot;
  if (!begin_picture(slot)) return; // a stop since the plan was made
  const Picture &picture = *slot.picture; // ours while stepping
  const size_t layers = model_.shape().layers;
  size_t budget = assignment.row_max * layers;
  while (budget > 0 && picture.layer < layers) {
    budget -= pass_layer(worker, slot, std::min<size_t>(budget, limits::wave_rows), team);
  }
  if (picture.layer == layers && !picture.stepped) commit_picture(worker, slot);
  while (budget > 0 && picture.stepped && picture.row < picture.count) {
    budget -= give_rows(worker, slot, budget, team);
  }
  end_picture_step(slot);
}

bool Stepper::begin_picture(Slot &slot) {
  std::lock_guard lock(slot.mutex);
  if (!slot.sees_next()) return false;
  if (!slot.picture) slot.picture = slot.inbox.take_picture();
  slot.stepping = true;
  return true;
}

// Takes the next rows through the present layer; answers how many.
size_t Stepper::pass_layer(Worker &worker, Slot &slot, size_t row_max, const Team &team) {
  Picture &picture = *slot.picture;
  const size_t rows = std::min(row_max, picture.count - picture.row);
  float *const memory = slot.picture_memory.data();
  float *const x = worker.rows.data(), *const carried = worker.carried.data();
  if (picture.row == 0) { // the layer begins from where the state stands
    const size_t layer_floats = layout_.state_floats / model_.shape().layers, at = picture.layer * layer_floats;
    model_.memory().copy(memory + at, slot.memory + at, layer_floats);
  }
  picture.gather(rows, x, carried);
  if (picture.layer == 0) model_.begin(x, rows);
  const Span span{memory, 0, rows};
  model_.layer(picture.layer, {x, carried, rows, {&span, 1}}, worker.scratch.data(), team);
  picture.scatter(rows, x, carried);
  picture.row += rows;
  if (picture.row == picture.count) ++picture.layer, picture.row = 0;
  return rows;
}

void Stepper::commit_picture(Worker &worker, Slot &slot) {
  Picture &picture = *slot.picture;
  float *const newest = worker.rows.data();
  std::copy_n(picture.newest(), layout_.width, newest);
  model_.finish(newest, 1);
  model_.memory().copy(slot.memory, slot.picture_memory.data(), layout_.state_floats);
  picture.stepped = true;
  if (!picture.keep.any()) picture.row = picture.count;
  std::lock_guard lock(slot.mutex);
  std::copy_n(newest, layout_.width, slot.last);
  slot.fed += picture.count;
  positions_ += picture.count;
}

// Keeps the next rows, in the order in which they were put; answers what that cost. A row of logits is paid like a
// position, because the head is as wide as a few layers.
size_t Stepper::give_rows(Worker &worker, Slot &slot, size_t budget, const Team &team) {
  Picture &picture = *slot.picture;
  const size_t cost = picture.keep.logits ? model_.shape().layers : 1;
  const size_t paid = std::max<size_t>(budget / cost, 1);
  const size_t rows = std::min({paid, size_t{limits::logit_rows}, picture.count - picture.row});
  float *const x = worker.rows.data();
  picture.gather_as_put(rows, x);
  model_.finish(x, rows);
  std::fill_n(worker.keep, rows, picture.keep);
  keep_some(worker, slot, worker.keep, x, rows, team);
  picture.row += rows;
  return std::min(budget, rows * cost);
}

void Stepper::end_picture_step(Slot &slot) {
  std::lock_guard lock(slot.mutex);
  const bool over = slot.picture->stepped && slot.picture->row == slot.picture->count;
  if (over || slot.stopped) slot.picture.reset();
  slot.free_picture_memory();
  slot.stepping = slot.stopped = false;
}

} // namespace rwkv
