// Weights on one device, the slots of every state, and who may do what when. Counts its holders: it lives
// until it and all of its states are closed. Knows no pointer of the caller beyond the call it came with.
#pragma once

#include "gate.h"
#include "host_memory.h"
#include "model.h"
#include "select.h"
#include "slot.h"
#include "step.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace rwkv {

class Engine {
 public:
  Engine(uint32_t device, uint32_t states_max, uint32_t threads);
  Engine(const Engine &) = delete;

  void put_path(std::string path);
  void set_format(std::optional<Format> format); // none: as in the file
  void load();
  void run();
  uint64_t info(uint32_t key) const;
  const ModelShape &shape() const { return model().shape(); }
  const Model &model() const; // MISUSE before load
  void close();

  Slot &new_state();
  Slot &fork(Slot &parent);
  void reset(Slot &slot);
  void close(Slot &slot);
  void export_state(Slot &slot, BlobKind kind, std::span<uint8_t> out);
  void import_state(Slot &slot, std::span<const uint8_t> blob);
  void read_logits(Slot &slot, std::span<float> out) const;

  void set_sentence(std::string_view sentence) noexcept;
  // Copies what fits; answers the full length.
  size_t copy_sentence(std::span<uint8_t> out) const;

 private:
  struct StepClaim;
  void require_loaded(const char *action) const;
  Slot &take_slot(bool is_fork); // the caller holds the gate
  void require_tick_edge(Slot &slot, const char *action) const;
  size_t state_floats() const { return model_->shape().state_floats; }
  void clear_memory(Slot &slot) const;
  void release();

  const DeviceChoice device_;
  const uint32_t states_max_, threads_;
  std::atomic<uint32_t> holders_ = 1; // the engine handle and every open state
  std::atomic<uint32_t> states_open_ = 0;
  std::atomic<uint64_t> runs_ = 0, tokens_ = 0;
  std::atomic<bool> loaded_ = false;

  mutable std::mutex sentence_mutex_;
  size_t sentence_bytes_ = 0;
  char sentence_[limits::sentence_bytes];

  Gate gate_;
  std::string path_;
  std::optional<Format> format_;
  std::unique_ptr<Model> model_;
  StateBlock memory_; // of all states, one behind the other
  Floats lasts_;      // the newest output vectors
  std::unique_ptr<Slot[]> slots_;
  std::unique_ptr<Stepper> stepper_;
  mutable std::mutex workers_mutex_; // who has the threads of stepper_: a step, or a product of read_logits
  std::vector<Slot *> free_, open_, stepped_; // open_ in order of opening; stepped_ is a step's copy of it
  uint64_t serial_ = 0;
};

} // namespace rwkv
