#include "step.h"

#include <algorithm>

namespace rwkv {

namespace {

size_t rows_alone(const ModelShape &shape) {
  const uint64_t rows = limits::run_work / std::max<uint64_t>(shape.row_work, 1);
  return std::clamp<uint64_t>(rows / limits::chunk_positions * limits::chunk_positions, limits::chunk_positions,
                              limits::wave_rows);
}

} // namespace

Stepper::Stepper(const Model &model, uint32_t states_max, uint32_t threads)
    : model_(model), layout_(model.shape()),
      all_on_one_(model.shape().row_work >= model.shape().layers * limits::shared_layer_work),
      lone_rows_(rows_alone(model.shape())), pool_(threads), workers_(all_on_one_ ? 1 : threads) {
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
  if (all_on_one_ || 2 * tasks <= pool_.worker_count()) {
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
  worker.question_count = 0;
  for (Entry &entry : worker.entries) {
    if (!entry.decodes) continue;
    ask(worker, entry);
    if (worker.question_count == limits::logit_rows) answer(worker, team);
  }
  if (worker.question_count > 0) answer(worker, team);
}

void Stepper::ask(Worker &worker, Entry &entry) {
  const Decode &decode = *entry.slot->decode; // ours while stepping
  entry.decided = decode.silence_token != no_token && !decode.decided;
  const size_t i = worker.question_count++;
  worker.asking[i] = &entry;
  worker.questions[i] = {{decode.sampler, decode.counts, decode.silence_token, decode.seed, decode.produced},
                         entry.decided ? decode.silence_token : no_token,
                         decode.threshold};
  std::copy_n(entry.slot->last, layout_.width, worker.last_rows.data() + i * layout_.width);
}

void Stepper::answer(Worker &worker, const Team &team) {
  const size_t count = worker.question_count, logit_count = worker.logits.count();
  model_.answer(worker.last_rows.data(), std::span(worker.questions, count), std::span(worker.answers, count),
                {std::span(worker.logits.data(), logit_count), worker.candidates}, team);
  for (size_t i = 0; i < count; ++i) {
    Entry &entry = *worker.asking[i];
    const Answer &answer = worker.answers[i];
    entry.p_speak = answer.p_speak;
    if (!answer.speaks) continue; // silence: no row, so no trace
    entry.chosen = answer.chosen;
    entry.first_row = worker.row_count++;
    entry.row_count = 1;
    model_.embed(entry.chosen.token, worker.rows.data() + entry.first_row * layout_.width);
    worker.keep[entry.first_row] = entry.slot->decode->keep;
  }
  worker.question_count = 0;
}

void Stepper::keep_rows(Worker &worker, const Team &team) {
  for (const Entry &entry : worker.entries) {
    for (size_t done = 0, count = 0; done < entry.row_count; done += count) {
      count = std::min<size_t>(entry.row_count - done, limits::logit_rows);
      const size_t row = entry.first_row + done;
      keep_some(worker, *entry.slot, worker.keep + row, worker.rows.data() + row * layout_.width, count, team);
    }
  }
}

void Stepper::keep_some(Worker &worker, Slot &slot, const Keep *keep, const float *rows, size_t count,
                        const Team &team) {
  const auto wants = [](const Keep &one) { return one.logits; };
  if (std::any_of(keep, keep + count, wants)) model_.logits(rows, count, worker.logits.data(), team);
  const size_t vocab = model_.shape().vocab, width = layout_.width;
  for (size_t i = 0; i < count; ++i) {
    if (!keep[i].any()) continue;
    std::lock_guard lock(slot.mutex);
    if (keep[i].logits) slot.outbox.logits.push({worker.logits.data() + i * vocab, vocab});
    if (keep[i].vectors) slot.outbox.vectors.push({rows + i * width, width});
  }
}

void Stepper::commit(Worker &worker) {
  for (const Entry &entry : worker.entries) {
    Slot &slot = *entry.slot;
    std::lock_guard lock(slot.mutex);
    if (entry.row_count > 0) {
      const float *const newest = worker.rows.data() + (entry.first_row + entry.row_count - 1) * layout_.width;
      std::copy_n(newest, layout_.width, slot.last);
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
