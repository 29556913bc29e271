#include "thread_pool.h"

#include <utility>

namespace rwkv {

ThreadPool::ThreadPool(uint32_t threads) {
  threads_.reserve(threads > 0 ? threads - 1 : 0);
  try {
    for (uint32_t worker = 1; worker < threads; ++worker) threads_.emplace_back([this, worker] { live(worker); });
  } catch (...) { // the destructor does not run for a half-made pool
    stop();
    throw;
  }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread &thread : threads_) thread.join();
}

// Takes tasks until none are left. The lock is held between tasks.
void ThreadPool::work(uint32_t worker, std::unique_lock<std::mutex> &lock) {
  while (next_ < task_count_) {
    const size_t index = next_++;
    ++busy_;
    lock.unlock();
    std::exception_ptr failure;
    try {
      call_(context_, worker, index);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    --busy_;
    if (failure && !failure_) failure_ = failure;
  }
  if (busy_ == 0) done_.notify_all();
}

void ThreadPool::live(uint32_t worker) {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || next_ < task_count_; });
    if (stopping_) return;
    work(worker, lock);
  }
}

void ThreadPool::run(size_t task_count, void *context, Call call) {
  std::unique_lock lock(mutex_);
  call_ = call, context_ = context;
  next_ = 0, task_count_ = task_count;
  if (task_count > 1 && !threads_.empty()) wake_.notify_all();
  work(0, lock);
  done_.wait(lock, [this] { return busy_ == 0; });
  task_count_ = 0;
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

} // namespace rwkv
