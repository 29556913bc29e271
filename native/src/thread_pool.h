// A few threads that share work in regions: the caller and its helpers claim tasks by a counter, without a lock. Tasks
// are independent; who runs which does not matter. Nothing here allocates after construction.
//
// The caller works too. It waits for nobody who has not begun a task, and at the end only for tasks under way. A helper
// looks for the next region for some microseconds and then sleeps until it is woken: nothing runs while there is no work.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace rwkv {

class ThreadPool {
 public:
  // `threads` workers in all: the caller of run is worker 0.
  explicit ThreadPool(uint32_t threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  uint32_t worker_count() const { return static_cast<uint32_t>(threads_.size()) + 1; }

  // Calls task(worker, index) once for every index below task_count (below 2^24) and returns when all are done. The
  // first exception is thrown again here, after the others are done. One run at a time.
  template <typename Task>
  void run(size_t task_count, Task &task) {
    run(task_count, &task, [](void *context, uint32_t worker, size_t index) {
      (*static_cast<Task *>(context))(worker, index);
    });
  }

 private:
  using Call = void (*)(void *, uint32_t, size_t);
  using Clock = std::chrono::steady_clock;
  void run(size_t task_count, void *context, Call call);
  void run_alone(size_t task_count, void *context, Call call);
  size_t work(uint32_t worker);
  void wait_for_helpers(size_t task_count);
  void judge(size_t worked, size_t task_count, Clock::duration own, Clock::duration waited);
  bool look_for_work(uint64_t seen) const;
  void sleep(uint64_t seen);
  void live(uint32_t worker);
  void stop();

  // The region under way: its serial in the upper 40 bits, the next task in the lower 24 (all ones: closed). A value never
  // comes back, so a claim of the value that was seen is a claim in the region whose call, context and count were read.
  std::atomic<uint64_t> ticket_ = 0;
  std::atomic<Call> call_ = nullptr;
  std::atomic<void *> context_ = nullptr;
  std::atomic<size_t> task_count_ = 0;
  std::atomic<uint32_t> done_ = 0;     // tasks of the region that are done
  std::atomic<uint32_t> sleepers_ = 0; // helpers that must be woken
  std::atomic<uint32_t> calls_ = 0;    // to wake up; sleepers wait for a change
  std::atomic<bool> stopping_ = false;

  std::mutex failure_mutex_;
  std::exception_ptr failure_;

  // Politeness, of the caller alone.
  Clock::duration credit_, alone_for_;
  Clock::time_point alone_until_{};

  std::vector<std::thread> threads_;
};

} // namespace rwkv
