// Runs a grid: its blocks one after another as fibers, in one of several orders, or as real threads for ThreadSanitizer.
// A report stops the grid; unless a test catches it, it stops the program.
#pragma once

#include "block.h"

#include <cstdio>
#include <functional>
#include <memory>
#include <thread>

namespace emu {

// Which CUDA thread runs until it waits. rounds: each runs once before any runs again; eager: the lowest (highest) that
// can run, so one warp gets as far ahead of the others as it can.
enum class Order { rounds, rounds_backwards, eager, eager_backwards, random, real_threads };

struct Schedule {
  Order order = under_tsan ? Order::real_threads : Order::rounds;
  uint64_t seed = 1;
};

struct Grid {
  const char *kernel;
  dim3 grid, block;
  size_t shared_bytes, shared_bytes_max;
  std::function<void()> run;
};

struct Runner {
  std::mutex one_at_a_time;
  Schedule schedule;
  bool catching = false;
  std::vector<std::string> reports;
  Stacks stacks;
  const std::function<void()> *kernel = nullptr; // of the running grid
};
inline Runner runner;

class Scheduler {
public:
  Scheduler(Block &block, const Schedule &schedule) : block_(block), order_(schedule.order), random_(schedule.seed * 2 + 1) {}

  Thread *next() {
    auto &ready = block_.released;
    if (order_ == Order::rounds || order_ == Order::rounds_backwards) {
      if (round_.empty()) {
        round_.swap(ready);
        std::sort(round_.begin(), round_.end(), [this](const Thread *one, const Thread *other) {
          return order_ == Order::rounds ? one->rank > other->rank : one->rank < other->rank;
        });
      }
      return take(round_, round_.empty() ? 0 : round_.size() - 1);
    }
    size_t best = 0;
    if (order_ == Order::random) best = ready.empty() ? 0 : draw() % ready.size();
    else
      for (size_t index = 1; index < ready.size(); ++index)
        if (order_ == Order::eager ? ready[index]->rank < ready[best]->rank : ready[index]->rank > ready[best]->rank)
          best = index;
    return take(ready, best);
  }

private:
  static Thread *take(std::vector<Thread *> &from, size_t index) {
    if (from.empty()) return nullptr;
    Thread *const taken = from[index];
    from[index] = from.back();
    from.pop_back();
    return taken;
  }
  uint64_t draw() {
    random_ ^= random_ << 13, random_ ^= random_ >> 7, random_ ^= random_ << 17;
    return random_ >> 11;
  }
  Block &block_;
  Order order_;
  uint64_t random_;
  std::vector<Thread *> round_;
};

inline void fiber_entry() {
  fiber_began(self->block->scheduler);
  try {
    (*runner.kernel)();
    self->block->ended(*self);
  } catch (const Stopped &) { // the scheduler sees why
  }
  switch_context(self->context, self->block->scheduler, true);
  std::abort();
}

inline void run_fibers(Block &block, const Schedule &schedule) {
  runner.stacks.hold(block.size());
  for (Thread &thread : block.threads) {
    runner.stacks.begin(thread.context, thread.rank, fiber_entry);
    block.released.push_back(&thread);
  }
  Scheduler scheduler(block, schedule);
  while (Thread *const thread = block.report.empty() ? scheduler.next() : nullptr) {
    self = thread;
    switch_context(block.scheduler, thread->context);
  }
  self = nullptr;
  if (!block.report.empty() || block.exited == block.size()) return;
  for (const Thread &thread : block.threads) {
    if (thread.waits() == Wait::done) continue;
    block.report = std::string(thread.place.file_name()) + ":" + std::to_string(thread.place.line()) + ": deadlock: " +
                   std::to_string(block.arrived) + " of " + std::to_string(block.size()) +
                   " threads are at a __syncthreads, others in warp operations, first thread " +
                   std::to_string(thread.rank) + " [kernel " + block.kernel + "]";
    return;
  }
}

// All threads of a block meet here between two blocks; the last one makes the next.
class Gate {
public:
  explicit Gate(unsigned count) : count_(count) {}
  template <class Job>
  void meet(const Job &job) {
    std::unique_lock lock(mutex_);
    const unsigned turn = turn_;
    if (++here_ == count_) {
      here_ = 0, ++turn_;
      job();
      changed_.notify_all();
    } else {
      changed_.wait(lock, [&] { return turn_ != turn; });
    }
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned count_, here_ = 0, turn_ = 0;
};

inline uint3 block_at(const dim3 &grid, size_t index) {
  return {unsigned(index % grid.x), unsigned(index / grid.x % grid.y), unsigned(index / (size_t(grid.x) * grid.y))};
}

// Two blocks at a time, so that blocks that disturb each other are a race, too.
inline std::string run_real(const Grid &grid) {
  const size_t blocks = size_t(grid.grid.x) * grid.grid.y * grid.grid.z, groups = std::min<size_t>(2, blocks);
  std::vector<std::unique_ptr<Block>> held;
  std::vector<std::unique_ptr<Gate>> gates;
  std::vector<std::thread> threads;
  for (size_t group = 0; group < groups; ++group) {
    held.push_back(std::make_unique<Block>(grid.kernel, grid.grid, grid.block, grid.shared_bytes, grid.shared_bytes_max));
    Block &block = *held.back();
    block.real_threads = true;
    gates.push_back(std::make_unique<Gate>(block.size()));
    Gate &gate = *gates.back();
    for (unsigned rank = 0; rank < block.size(); ++rank)
      threads.emplace_back([&, group, rank] {
        for (size_t index = group; index < blocks; index += groups) {
          gate.meet([&] {
            if (block.report.empty()) block.renew(block_at(grid.grid, index));
          });
          if (!block.report.empty()) continue;
          self = &block.threads[rank];
          try {
            grid.run();
            block.ended(*self);
          } catch (const Stopped &) {
          }
        }
      });
  }
  for (std::thread &thread : threads) thread.join();
  for (const auto &block : held)
    if (!block->report.empty()) return block->report;
  return {};
}

// False: reported.
inline bool run_grid(const Grid &grid) {
  const std::lock_guard lock(runner.one_at_a_time);
  const Schedule schedule = runner.schedule;
  std::string report;
  if (schedule.order == Order::real_threads) {
    report = run_real(grid);
  } else {
    runner.kernel = &grid.run;
    Block block(grid.kernel, grid.grid, grid.block, grid.shared_bytes, grid.shared_bytes_max);
    const size_t blocks = size_t(grid.grid.x) * grid.grid.y * grid.grid.z;
    const bool backwards = schedule.order == Order::rounds_backwards || schedule.order == Order::eager_backwards;
    for (size_t count = 0; count < blocks && block.report.empty(); ++count) {
      block.renew(block_at(grid.grid, backwards ? blocks - 1 - count : count));
      run_fibers(block, {schedule.order, schedule.seed + count});
    }
    report = block.report;
  }
  if (report.empty()) return true;
  if (!runner.catching) {
    std::fprintf(stderr, "%s\n", report.c_str());
    std::abort();
  }
  runner.reports.push_back(report);
  return false;
}

// For tests: the body once in every order, and as real threads only where ThreadSanitizer looks on.
template <class Body>
void each_schedule(const Body &body) {
  const Schedule before = runner.schedule;
  if (under_tsan) {
    runner.schedule = {Order::real_threads, 1};
    body();
  } else {
    for (const Order order : {Order::rounds, Order::rounds_backwards, Order::eager, Order::eager_backwards})
      runner.schedule = {order, 1}, body();
    for (const uint64_t seed : {1, 2, 3, 4}) runner.schedule = {Order::random, seed * 7919}, body();
  }
  runner.schedule = before;
}

// For tests: the reports that the body raises, instead of the end of the program.
template <class Body>
std::vector<std::string> reports_of(const Body &body) {
  runner.catching = true;
  runner.reports.clear();
  body();
  runner.catching = false;
  return std::move(runner.reports);
}

} // namespace emu
