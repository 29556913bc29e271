// A few threads that sleep until there is work. Tasks are independent; who runs which does not matter.
// Nothing here allocates after construction.
#pragma once

#include <condition_variable>
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

  // Calls task(worker, index) once for every index below task_count and returns when all are done. The first
  // exception is thrown again here, after the others are done.
  template <typename Task>
  void run(size_t task_count, Task &task) {
    run(task_count, &task, [](void *context, uint32_t worker, size_t index) {
      (*static_cast<Task *>(context))(worker, index);
    });
  }

 private:
  using Call = void (*)(void *, uint32_t, size_t);
  void run(size_t task_count, void *context, Call call);
  void work(uint32_t worker, std::unique_lock<std::mutex> &lock);
  void live(uint32_t worker);
  void stop();

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  Call call_ = nullptr;
  void *context_ = nullptr;
  size_t task_count_ = 0, next_ = 0, busy_ = 0;
  std::exception_ptr failure_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

} // namespace rwkv
