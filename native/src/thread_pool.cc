#include "thread_pool.h"

#include "limits.h"
#include "slice.h"

#include <algorithm>
#include <utility>

namespace rwkv {
namespace {

constexpr uint64_t index_bits = 24, index_mask = (uint64_t{1} << index_bits) - 1;

void pause_a_little() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

} // namespace

ThreadPool::ThreadPool(uint32_t threads)
    : credit_(std::chrono::microseconds(limits::helper_credit_microseconds)),
      alone_for_(std::chrono::microseconds(limits::alone_microseconds)) {
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
  stopping_ = true;
  ++calls_;
  calls_.notify_all();
  for (std::thread &thread : threads_) thread.join();
}

// Takes tasks until none are left; answers how many. What a claim is for is read before the claim, which fails when the
// region is over: run closes the ticket before it changes anything.
size_t ThreadPool::work(uint32_t worker) {
  size_t worked = 0;
  while (true) {
    uint64_t ticket = ticket_;
    const size_t index = ticket & index_mask;
    const Call call = call_;
    void *const context = context_;
    if (index >= task_count_) return worked;
    if (!ticket_.compare_exchange_strong(ticket, ticket + 1)) continue;
    try {
      call(context, worker, index);
    } catch (...) {
      std::lock_guard lock(failure_mutex_);
      if (!failure_) failure_ = std::current_exception();
    }
    ++worked;
    ++done_;
    if (worker != 0) done_.notify_one();
  }
}

void ThreadPool::live(uint32_t worker) {
  ask_for_short_turns();
  uint64_t seen = 0;
  while (!stopping_) {
    seen = ticket_;
    if (work(worker) > 0 || look_for_work(seen)) continue;
    sleep(seen);
  }
}

// True when the ticket has changed.
bool ThreadPool::look_for_work(uint64_t seen) const {
  const auto end = Clock::now() + std::chrono::microseconds(limits::spin_microseconds);
  do {
    for (int i = 0; i < 16; ++i) {
      if (ticket_ != seen || stopping_) return true;
      pause_a_little();
    }
  } while (Clock::now() < end);
  return false;
}

// Either this sees the new ticket, or run sees the sleeper: all of it is sequentially consistent.
void ThreadPool::sleep(uint64_t seen) {
  ++sleepers_;
  const uint32_t calls = calls_;
  if (ticket_ == seen && !stopping_) calls_.wait(calls);
  --sleepers_;
}

void ThreadPool::run(size_t task_count, void *context, Call call) {
  if (task_count == 0) return;
  const auto start = Clock::now();
  if (task_count == 1 || threads_.empty() || start < alone_until_) return run_alone(task_count, context, call);
  ticket_ = ticket_ | index_mask; // closed: no claim succeeds
  call_ = call, context_ = context, task_count_ = task_count;
  done_ = 0;
  ticket_ = ((ticket_ >> index_bits) + 1) << index_bits;
  if (sleepers_ > 0) {
    ++calls_;
    calls_.notify_all();
  }
  const size_t worked = work(0);
  const auto own_end = Clock::now();
  wait_for_helpers(task_count);
  judge(worked, task_count, own_end - start, Clock::now() - own_end);
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void ThreadPool::run_alone(size_t task_count, void *context, Call call) {
  for (size_t index = 0; index < task_count; ++index) call(context, 0, index);
}

void ThreadPool::wait_for_helpers(size_t task_count) {
  const auto end = Clock::now() + std::chrono::microseconds(limits::spin_microseconds);
  for (int i = 1; done_ < task_count; ++i) {
    pause_a_little();
    if (i % 16 == 0 && Clock::now() >= end) break;
  }
  for (uint32_t done = done_; done < task_count; done = done_) done_.wait(done);
}

// limits.h has the rule.
void ThreadPool::judge(size_t worked, size_t task_count, Clock::duration own, Clock::duration waited) {
  constexpr Clock::duration most = std::chrono::microseconds(limits::helper_credit_microseconds);
  const auto helped = static_cast<Clock::rep>(task_count - worked);
  const Clock::duration saved = worked == 0 ? waited : own / static_cast<Clock::rep>(worked) * helped;
  credit_ = std::min(credit_ + saved - waited, most);
  if (credit_ == most) alone_for_ = std::chrono::microseconds(limits::alone_microseconds);
  if (credit_ >= Clock::duration::zero()) return;
  credit_ = most / 2;
  alone_until_ = Clock::now() + alone_for_;
  alone_for_ = std::min<Clock::duration>(2 * alone_for_, std::chrono::microseconds(limits::alone_microseconds_most));
}

} // namespace rwkv
