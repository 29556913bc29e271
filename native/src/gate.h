// Who may touch state memory when: one step at a time, and copies (fork, export, import, reset, close) only
// between steps. A waiting copy goes before the next step, so a busy loop of steps cannot starve it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace rwkv {

class Gate {
 public:
  // False when a step is already claimed: the caller answers BUSY.
  bool begin_step() {
    std::unique_lock lock(mutex_);
    if (claimed_) return false;
    claimed_ = true;
    changed_.wait(lock, [this] { return waiting_ == 0; });
    running_ = true;
    return true;
  }

  void end_step() noexcept {
    std::lock_guard lock(mutex_);
    running_ = claimed_ = false;
    changed_.notify_all();
  }

  // Waits for the end of a step; no step begins while the lock is held.
  std::unique_lock<std::mutex> between_steps() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.wait(lock, [this] { return !running_; });
    --waiting_;
    changed_.notify_all();
    return lock;
  }

  // For the slot table only: does not wait for a step.
  std::unique_lock<std::mutex> table() { return std::unique_lock(mutex_); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  uint32_t waiting_ = 0;
  bool claimed_ = false;
  bool running_ = false;
};

} // namespace rwkv
