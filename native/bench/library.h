// The library as its users have it: engine and states over rwkv.h, closed by their owners. A verb that fails ends the
// measurement: an exception carries the engine's own sentence.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "rwkv.h"

namespace bench {

class State;

class Engine {
 public:
  Engine(const std::string &path, uint32_t states_max, uint32_t threads) {
    check(rwkv_engine_new(RWKV_DEVICE_AUTO, states_max, threads, &engine_));
    check(rwkv_engine_put_path(engine_, reinterpret_cast<const uint8_t *>(path.data()), path.size()));
    check(rwkv_engine_load(engine_));
  }
  ~Engine() { rwkv_engine_close(engine_); }
  Engine(const Engine &) = delete;
  Engine &operator=(const Engine &) = delete;

  uint64_t info(uint32_t key) const {
    uint64_t value = 0;
    check(rwkv_engine_info(engine_, key, &value));
    return value;
  }
  void run() { check(rwkv_engine_run(engine_)); }

  void check(int32_t status) const {
    if (status == RWKV_OK) return;
    uint8_t sentence[512];
    size_t length = 0;
    if (engine_) rwkv_engine_sentence(engine_, sentence, sizeof sentence, &length);
    if (length > sizeof sentence) length = sizeof sentence;
    throw std::runtime_error("status " + std::to_string(status) + ": " +
                             std::string(reinterpret_cast<char *>(sentence), length));
  }

 private:
  friend class State;
  rwkv_engine *engine_ = nullptr;
};

class State {
 public:
  explicit State(Engine &engine) : engine_(&engine) { engine.check(rwkv_state_new(engine.engine_, &state_)); }
  State(State &&other) noexcept : engine_(other.engine_), state_(std::exchange(other.state_, nullptr)) {}
  State &operator=(State &&) = delete;
  ~State() { rwkv_state_close(state_); }

  State fork() {
    State child(engine_);
    engine_->check(rwkv_state_fork(state_, &child.state_));
    return child;
  }
  void reset() { engine_->check(rwkv_state_reset(state_)); }
  void put_tokens(const std::vector<uint32_t> &tokens) {
    engine_->check(rwkv_state_put_tokens(state_, tokens.data(), tokens.size()));
  }
  // Greedy, and without a stop: always `count` tokens.
  void put_decode(uint32_t count) {
    engine_->check(rwkv_state_set_sampler(state_, 0, 1, 0, 0));
    engine_->check(rwkv_state_put_decode(state_, count, 1));
  }
  bool pending() const {
    uint64_t positions = 0;
    engine_->check(rwkv_state_read_pending(state_, &positions));
    return positions > 0;
  }
  // How many of at most `most` tokens were there.
  size_t take(size_t most) {
    std::vector<uint32_t> tokens(most);
    std::vector<float> probabilities(most);
    size_t taken = 0;
    engine_->check(rwkv_state_take_tokens(state_, tokens.data(), probabilities.data(), most, &taken));
    return taken;
  }
  void read_logits(std::vector<float> &logits) {
    engine_->check(rwkv_state_read_logits(state_, logits.data(), logits.size()));
  }
  // kind: RWKV_BLOB_*.
  void export_to(std::vector<uint8_t> &blob, uint32_t kind) {
    size_t length = 0;
    engine_->check(rwkv_state_export_as(state_, kind, blob.data(), blob.size(), &length));
  }
  void import_from(const std::vector<uint8_t> &blob) {
    engine_->check(rwkv_state_import(state_, blob.data(), blob.size()));
  }

 private:
  explicit State(Engine *engine) : engine_(engine) {}

  Engine *engine_;
  rwkv_state *state_ = nullptr;
};

} // namespace bench
