#include "step.h"

#include <algorithm>
#include <cstring>

namespace rwkv {

Stepper::Stepper(const Model &model, uint32_t states_max, uint32_t threads)
    : model_(model), layout_(model.shape()), pool_(threads), workers_(threads) {
  const size_t width = model.shape().width, vocab = model.shape().vocab;
  for (Worker &worker : workers_) {
    worker.rows = Floats(limits::wave_rows * width);
    worker.carried = Floats(limits::wave_rows * model.carried_width());
    worker.scratch = Floats(model.scratch_floats(limits::wave_rows));
    worker.last_rows = Floats(limits::logit_rows * width);
    worker.logits = Floats(limits::logit_rows * vocab);
    worker.candidates.resize(vocab);
    worker.entries.reserve(limits::wave_rows);
    worker.spans.reserve(limits::wave_rows);
  }
  plan_.reserve(states_max);
  pictures_.reserve(states_max);
  wave_ends_.reserve(states_max);
}

Stepper::Done Stepper::run(std::span<Slot *const> open) {
  plan(open);
  cut_waves();
  positions_ = 0;
  const size_t tasks = wave_ends_.size() + pictures_.size();
  if (2 * tasks <= pool_.worker_count()) { // fewer tasks than workers: all work on each in turn
    for (size_t task = 0; task < tasks; ++task) step(task, workers_[0], Team(pool_));
  } else {
    auto alone = [this](uint32_t worker, size_t task) { step(task, workers_[worker], Team()); };
    pool_.run(tasks, alone);
  }
  return {positions_, tasks > 0};
}

// Pictures first: they are the longest tasks.
void Stepper::step(size_t task, Worker &worker, const Team &team) {
  if (task < pictures_.size()) return step_picture(worker, pictures_[task], team);
  const size_t wave = task - pictures_.size(), begin = wave == 0 ? 0 : wave_ends_[wave - 1];
  step_wave(worker, std::span(plan_).subspan(begin, wave_ends_[wave] - begin), team);
}

void Stepper::step_wave(Worker &worker, std::span<const Assignment> wave, const Team &team) {
  gather(worker, wave);
  choose_tokens(worker, team);
  worker.spans.clear();
  for (const Entry &entry : worker.entries) {
    if (entry.row_count > 0) worker.spans.push_back({entry.slot->memory, entry.first_row, entry.row_count});
  }
  if (worker.row_count > 0) {
    model_.forward({worker.rows.data(), worker.carried.data(), worker.row_count, worker.spans}, worker.scratch.data(),
                   team);
  }
  keep_rows(worker, team);
  commit(worker);
}

// Takes the work out of the inboxes. A stop since the plan was made may have left less.
void Stepper::gather(Worker &worker, std::span<const Assignment> wave) {
  worker.entries.clear();
  worker.row_count = 0;
  const size_t width = layout_.width;
  const auto embed = [this](uint32_t token, float *out) { model_.embed(token, out); };
  for (const Assignment &assignment : wave) {
    Slot &slot = *assignment.slot;
    Entry entry;
    entry.slot = &slot;
    entry.first_row = worker.row_count;
    std::lock_guard lock(slot.mutex);
    if (slot.picture) continue;
    if (slot.decodes_next()) {
      if (!slot.decode) slot.decode = slot.inbox.take_decode();
      entry.decodes = true;
    } else {
      float *const to = worker.rows.data() + entry.first_row * width;
      entry.row_count =
          slot.inbox.take_rows(to, width, assignment.row_max, worker.keep + entry.first_row, embed);
      if (entry.row_count == 0) continue;
      slot.in_flight = entry.row_count;
    }
    slot.stepping = true;
    worker.row_count += entry.row_count;
    worker.entries.push_back(entry);
  }
}

void Stepper::choose_tokens(Worker &worker, const Team &team) {
  const size_t width = layout_.width, vocab = model_.shape().vocab;
  Entry *group[limits::logit_rows];
  size_t count = 0;
  const auto flush = [&] {
    if (count == 0) return;
    model_.logits(worker.last_rows.data(), count, worker.logits.data(), team);
    for (size_t i = 0; i < count; ++i) {
      choose_token(worker, *group[i], std::span(worker.logits.data() + i * vocab, vocab));
    }
    count = 0;
  };
  for (Entry &entry : worker.entries) {
    if (!entry.decodes) continue;
    std::copy_n(layout_.last(entry.slot->memory), width, worker.last_rows.data() + count * width);
    group[count++] = &entry;
    if (count == limits::logit_rows) flush();
  }
  flush();
}

void Stepper::choose_token(Worker &worker, Entry &entry, std::span<const float> logits) {
  const Decode &decode = *entry.slot->decode; // ours while stepping
  if (decode.silence_token != no_token && !decode.decided) {
    entry.decided = true;
    entry.p_speak = 1.0f - probability_of(logits, decode.silence_token);
    if (entry.p_speak < decode.threshold) return; // silence: no row, so no trace
  }
  const Draw draw{decode.sampler, decode.counts, decode.silence_token, decode.seed, decode.produced};
  entry.chosen = choose(logits, draw, worker.candidates);
  entry.first_row = worker.row_count++;
  entry.row_count = 1;
  model_.embed(entry.chosen.token, worker.rows.data() + entry.first_row * layout_.width);
  worker.keep[entry.first_row] = decode.keep;
}

void Stepper::keep_rows(Worker &worker, const Team &team) {
  for (const Entry &entry : worker.entries) {
    for (size_t row = entry.first_row; row < entry.first_row + entry.row_count; ++row) {
      keep_row(worker, *entry.slot, worker.keep[row], worker.rows.data() + row * layout_.width, team);
    }
  }
}

void Stepper::keep_row(Worker &worker, Slot &slot, Keep keep, const float *row, const Team &team) {
  if (keep.logits) model_.logits(row, 1, worker.logits.data(), team);
  if (!keep.any()) return;
  std::lock_guard lock(slot.mutex);
  if (keep.logits) slot.outbox.logits.push({worker.logits.data(), model_.shape().vocab});
  if (keep.vectors) slot.outbox.vectors.push({row, layout_.width});
}

void Stepper::commit(Worker &worker) {
  for (const Entry &entry : worker.entries) {
    Slot &slot = *entry.slot;
    std::lock_guard lock(slot.mutex);
    if (entry.row_count > 0) {
      const float *const newest = worker.rows.data() + (entry.first_row + entry.row_count - 1) * layout_.width;
      std::copy_n(newest, layout_.width, layout_.last(slot.memory));
      slot.fed += entry.row_count;
    }
    if (entry.decided) {
      slot.outbox.p_speak = entry.p_speak;
      ++slot.outbox.decisions;
      slot.decode->decided = true;
    }
    if (entry.decodes) {
      const bool spoke = entry.row_count > 0;
      if (spoke) slot.outbox.push(entry.chosen);
      if (!spoke || slot.decode->feed(entry.chosen.token) || slot.stopped) slot.decode.reset();
    }
    slot.in_flight = 0;
    slot.stepping = slot.stopped = false;
  }
  positions_ += worker.row_count;
}

} // namespace rwkv
