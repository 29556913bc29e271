#include "step.h"

#include <algorithm>
#include <cstring>

namespace rwkv {

Stepper::Stepper(const Model &model, uint32_t states_max, uint32_t threads)
    : model_(model), layout_(model.shape()), pool_(threads), workers_(threads) {
  const size_t width = model.shape().width, vocab = model.shape().vocab;
  for (Worker &worker : workers_) {
    worker.rows = Floats(limits::wave_rows * width);
    worker.scratch = Floats(model.scratch_floats(limits::wave_rows));
    worker.last_rows = Floats(limits::logit_rows * width);
    worker.logits = Floats(limits::logit_rows * vocab);
    worker.candidates.resize(vocab);
    worker.entries.reserve(limits::wave_rows);
    worker.spans.reserve(limits::wave_rows);
  }
  plan_.reserve(states_max);
  wave_ends_.reserve(states_max);
}

Stepper::Done Stepper::run(std::span<Slot *const> open) {
  plan(open);
  cut_waves();
  positions_ = 0;
  auto task = [this](uint32_t worker, size_t wave) {
    const size_t begin = wave == 0 ? 0 : wave_ends_[wave - 1];
    step_wave(workers_[worker], std::span(plan_).subspan(begin, wave_ends_[wave] - begin));
  };
  pool_.run(wave_ends_.size(), task);
  return {positions_, !plan_.empty()};
}

void Stepper::step_wave(Worker &worker, std::span<const Assignment> wave) {
  gather(worker, wave);
  choose_tokens(worker);
  worker.spans.clear();
  for (const Entry &entry : worker.entries) {
    if (entry.row_count > 0) worker.spans.push_back({entry.slot->memory, entry.first_row, entry.row_count});
  }
  if (worker.row_count > 0) {
    model_.forward(worker.rows.data(), worker.row_count, worker.spans, worker.scratch.data());
  }
  keep_logits(worker);
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

void Stepper::choose_tokens(Worker &worker) {
  const size_t width = layout_.width, vocab = model_.shape().vocab;
  Entry *group[limits::logit_rows];
  size_t count = 0;
  const auto flush = [&] {
    if (count == 0) return;
    model_.logits(worker.last_rows.data(), count, worker.logits.data());
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
  worker.keep[entry.first_row] = decode.keep_logits;
}

void Stepper::keep_logits(Worker &worker) {
  for (const Entry &entry : worker.entries) {
    for (size_t row = entry.first_row; row < entry.first_row + entry.row_count; ++row) {
      if (!worker.keep[row]) continue;
      model_.logits(worker.rows.data() + row * layout_.width, 1, worker.logits.data());
      std::lock_guard lock(entry.slot->mutex);
      entry.slot->outbox.push_row({worker.logits.data(), model_.shape().vocab});
    }
  }
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
