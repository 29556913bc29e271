// The pool that shares a step: every task is done once, by somebody, however the threads come and go; a failure arrives
// after the others are done; nothing runs while there is no work; a helper that has lost its processor is not waited for
// again and again.
#include "../src/team.h"
#include "check.h"

#include <chrono>
#include <ctime>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

double processor_seconds() { // of all threads
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// Region upon region without a pause, of all sizes: a late helper meets a later region.
void every_task_once(uint32_t threads) {
  rwkv::ThreadPool pool(threads);
  std::vector<uint32_t> done(64); // plain numbers: the thread sanitizer sees a region that leaks into the next
  for (uint32_t region = 1; region <= 20'000; ++region) {
    const size_t count = region * 7 % 65;
    auto task = [&](uint32_t worker, size_t index) {
      if (worker >= threads || index >= count) CHECK(false);
      done[index] += region;
    };
    pool.run(count, task);
    for (size_t i = 0; i < done.size(); ++i) {
      if (done[i] != (i < count ? region : 0)) CHECK(false);
      done[i] = 0;
    }
    if (region % 1000 == 0) std::this_thread::sleep_for(1ms); // helpers fall asleep and are woken
  }
  CHECK(pool.worker_count() == threads);
}

void pieces_cover_everything() {
  rwkv::ThreadPool pool(3);
  const rwkv::Team team(pool), nobody;
  for (const size_t count : {1, 2, 15, 16, 17, 100, 1000}) {
    for (const size_t grain : {1, 16}) {
      for (const uint64_t work : {uint64_t{1}, rwkv::limits::shared_work, uint64_t{1} << 40}) {
        std::vector<std::atomic<int>> seen(count);
        const auto part = [&](size_t first, size_t last) {
          CHECK(first < last && last <= count && first % grain == 0);
          for (size_t i = first; i < last; ++i) ++seen[i];
        };
        team.share(count, grain, work, part);
        nobody.share(count, grain, work, part);
        for (const auto &times : seen) CHECK(times == 2);
      }
    }
  }
}

void failures_arrive() {
  rwkv::ThreadPool pool(3);
  for (size_t bad = 0; bad < 40; ++bad) {
    std::atomic<size_t> done = 0;
    auto task = [&](uint32_t, size_t index) {
      if (index == bad) throw bad;
      ++done;
    };
    size_t caught = 99;
    try {
      pool.run(40, task);
    } catch (const size_t index) {
      caught = index;
    }
    CHECK(caught == bad && done == 39);
  }
}

void nothing_runs_while_idle() {
  rwkv::ThreadPool pool(4);
  auto task = [](uint32_t, size_t) {};
  pool.run(16, task);
  std::this_thread::sleep_for(50ms);
  const double before = processor_seconds();
  std::this_thread::sleep_for(300ms);
  CHECK(processor_seconds() - before < 0.03); // four threads that spin would take a second
}

// Helpers that hold every piece for long stand for helpers without a processor.
void late_helpers_are_left_out() {
  rwkv::ThreadPool pool(2);
  std::atomic<int> helped = 0;
  auto task = [&](uint32_t worker, size_t) {
    if (worker == 0) {
      for (const auto end = Clock::now() + 200us; Clock::now() < end;) {}
    } else {
      ++helped;
      std::this_thread::sleep_for(20ms);
    }
  };
  const auto start = Clock::now();
  for (int region = 0; region < 1000; ++region) pool.run(4, task);
  const auto took = Clock::now() - start;
  std::printf("1000 regions of 0.8 ms alone: %.2f s, helped %d times\n", std::chrono::duration<double>(took).count(),
              helped.load());
  CHECK(helped > 0);
  CHECK(helped < 40); // waiting for each of them would be 1000 times, 20 seconds
}

} // namespace

int main() {
  for (const uint32_t threads : {1u, 2u, 5u}) every_task_once(threads);
  pieces_cover_everything();
  failures_arrive();
  nothing_runs_while_idle();
  late_helpers_are_left_out();
  return report("thread_pool");
}
