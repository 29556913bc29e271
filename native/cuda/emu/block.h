// One block of CUDA threads: who waits where, when barriers and warp operations let go, and the reports of what CUDA
// leaves undefined. The same rules serve fibers and real threads; run.h drives both.
#pragma once

#include "fiber.h"
#include "tsan.h"
#include "vectors.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <new>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

namespace emu {

using Place = std::source_location;

enum class Wait : uint8_t { none, block, warp, done };
enum class Exchange : uint8_t { order, shuffle, ballot, match };

struct Block;

// One CUDA thread. The fields below `wait` say what it waits for.
struct Thread {
  uint3 index{};
  unsigned rank = 0;
  Block *block = nullptr;
  Context context;
  Wait wait = Wait::none; // by waits() and wait_for() only: real threads look at each other's
  Place place;
  Exchange exchange = Exchange::order;
  uint32_t mask = 0;
  unsigned source = 0;
  uint64_t value = 0, result = 0;
  unsigned barriers = 0; // passed in this block

  Wait waits() const { return __atomic_load_n(&wait, __ATOMIC_RELAXED); }
  void wait_for(Wait what) { __atomic_store_n(&wait, what, __ATOMIC_RELAXED); }
};

inline constinit thread_local Thread *self = nullptr;

// How long a real thread waits for the others before that is a deadlock.
inline std::chrono::milliseconds patience{20000};

struct Stopped {}; // unwinds a thread of a block that was stopped

struct Shared {
  const void *key;
  void *memory;
};

// Memory full of NaN, or -1; release() gives it back.
inline constexpr std::align_val_t alignment{256};
inline void *poisoned(size_t bytes) { return std::memset(::operator new(bytes, alignment), 0xFF, bytes); }
inline void release(void *memory) { ::operator delete(memory, alignment); }

struct Warp {
  std::mutex mutex;
  std::condition_variable changed;
};

struct Block {
  const char *kernel = "";
  uint3 index{};
  dim3 extent, grid;
  bool real_threads = false;
  std::vector<Thread> threads;
  std::vector<Warp> warps;
  std::vector<Shared> statics;
  void *dynamic = nullptr;
  size_t dynamic_bytes = 0, static_bytes = 0, shared_bytes_max = 0;
  std::string report; // not empty: stopped
  // Fibers only: threads that can go on, in the order the scheduler wants, and the scheduler's own place.
  std::vector<Thread *> released;
  Context scheduler;
  // The barrier of the block.
  std::mutex mutex;
  std::condition_variable changed;
  unsigned arrived = 0, exited = 0, votes = 0;
  char turns[2] = {}; // addresses for ThreadSanitizer: of even barriers and of odd ones

  unsigned size() const { return extent.x * extent.y * extent.z; }

  [[noreturn]] void stop(const Thread &thread, const Place &place, const std::string &what) {
    const Unseen unseen;
    const auto text = [](const uint3 &at) {
      return "(" + std::to_string(at.x) + "," + std::to_string(at.y) + "," + std::to_string(at.z) + ")";
    };
    if (report.empty())
      report = std::string(place.file_name()) + ":" + std::to_string(place.line()) + ": " + what + " [kernel " + kernel +
               ", block " + text(index) + ", thread " + text(thread.index) + "]";
    if (real_threads) {
      changed.notify_all();
      for (Warp &warp : warps) warp.changed.notify_all();
    }
    throw Stopped{};
  }

  // Waits until `thread.wait` is none again.
  void suspend(Thread &thread, std::unique_lock<std::mutex> &lock, std::condition_variable &letting_go) {
    if (!real_threads) {
      if (thread.waits() == Wait::none) released.push_back(&thread); // the last one to arrive goes on in its turn, too
      return switch_context(thread.context, scheduler);
    }
    const bool in_time = letting_go.wait_for(lock, patience,
                                             [&] { return thread.waits() == Wait::none || !report.empty(); });
    if (!report.empty()) throw Stopped{};
    if (!in_time) stop(thread, thread.place, "deadlock: waited in vain for the others");
  }

  void let_go(Thread &thread) {
    thread.wait_for(Wait::none);
    if (!real_threads && &thread != self) released.push_back(&thread);
  }

  std::unique_lock<std::mutex> locked(std::mutex &which) {
    return real_threads ? std::unique_lock(which) : std::unique_lock<std::mutex>();
  }

  // __syncthreads; answers how many threads brought `vote`.
  unsigned barrier(Thread &thread, bool vote, const Place &place) {
    if (!real_threads) return meet(thread, vote, place);
    char *const turn = &turns[thread.barriers++ % 2];
    unsigned answer;
    ordered_before(turn);
    {
      // Who wakes late from this barrier takes the lock after others have come to the next one, and is not ordered by that.
      const Unseen unseen;
      answer = meet(thread, vote, place);
    }
    ordered_after(turn);
    return answer;
  }

  unsigned meet(Thread &thread, bool vote, const Place &place) {
    auto lock = locked(mutex);
    thread.wait_for(Wait::block), thread.place = place;
    if (exited > 0) stop(thread, place, std::to_string(exited) + " threads ended without this __syncthreads");
    if (arrived == 0) votes = 0;
    votes += vote;
    if (++arrived < size()) {
      suspend(thread, lock, changed);
      return unsigned(thread.result);
    }
    for (const Thread &other : threads)
      if (other.place.line() != place.line() || std::strcmp(other.place.file_name(), place.file_name()) != 0)
        stop(thread, place, "divergence: thread " + std::to_string(other.rank) + " is at the __syncthreads of " +
                                other.place.file_name() + ":" + std::to_string(other.place.line()));
    arrived = 0;
    for (Thread &other : threads) other.result = votes, let_go(other);
    if (real_threads) changed.notify_all();
    else suspend(thread, lock, changed);
    return unsigned(thread.result);
  }

  // A warp operation among the lanes of `mask`. Its result was found when the last of them arrived.
  uint64_t exchange(Thread &thread, Exchange kind, uint32_t mask, uint64_t value, unsigned source, const Place &place) {
    const unsigned first = thread.rank & ~31u, lane = thread.rank - first, count = std::min(32u, size() - first);
    const uint32_t lanes = count == 32 ? ~0u : (1u << count) - 1;
    Warp &warp = warps[first / 32];
    auto lock = locked(warp.mutex);
    mask &= lanes;
    thread.wait_for(Wait::warp), thread.place = place, thread.exchange = kind;
    thread.mask = mask, thread.value = value, thread.source = source;
    if (!(mask >> lane & 1)) stop(thread, place, "the mask of a warp operation leaves out its own lane");
    if (kind == Exchange::shuffle && !(mask >> source & 1))
      stop(thread, place, "a shuffle reads lane " + std::to_string(source) + ", which is not in its mask");
    uint32_t here = 0;
    for (unsigned other = 0; other < count; ++other) {
      const Thread &mate = threads[first + other];
      if (!(mask >> other & 1)) continue;
      if (mate.waits() == Wait::done)
        stop(thread, place, "lane " + std::to_string(other) + " ended and is still in the mask of a warp operation");
      if (mate.waits() != Wait::warp) continue;
      if (mate.mask != mask || mate.exchange != kind)
        stop(thread, place, "divergence: lane " + std::to_string(other) + " is in another warp operation, at " +
                                mate.place.file_name() + ":" + std::to_string(mate.place.line()));
      here |= 1u << other;
    }
    if (here != mask) {
      suspend(thread, lock, warp.changed);
      return thread.result;
    }
    finish(first, mask, kind);
    if (real_threads) warp.changed.notify_all();
    else suspend(thread, lock, warp.changed);
    return thread.result;
  }

  // The thread's kernel returned. Whoever waits for it waits in vain.
  void ended(Thread &thread) {
    const unsigned first = thread.rank & ~31u;
    {
      auto lock = locked(warps[first / 32].mutex);
      thread.wait_for(Wait::done);
      for (unsigned other = first; other < std::min(first + 32, size()); ++other)
        if (threads[other].waits() == Wait::warp && threads[other].mask >> (thread.rank - first) & 1)
          stop(threads[other], threads[other].place,
               "lane " + std::to_string(thread.rank - first) + " ended without this warp operation");
    }
    auto lock = locked(mutex);
    ++exited;
    if (arrived == 0) return;
    for (const Thread &other : threads)
      if (other.waits() == Wait::block)
        stop(other, other.place, "thread " + std::to_string(thread.rank) + " ended without this __syncthreads");
  }

  // Static shared memory, known by the place that declares it.
  void *shared(const void *key, size_t bytes, const Place &place) {
    const Unseen unseen;
    auto lock = locked(mutex);
    for (const Shared &one : statics)
      if (one.key == key) return one.memory;
    static_bytes += (bytes + 15) & ~size_t{15};
    if (static_bytes > 48 * 1024) stop(*self, place, "more than 48 KiB of static shared memory");
    if (static_bytes + dynamic_bytes > shared_bytes_max) stop(*self, place, "more shared memory than a block has");
    statics.push_back({key, poisoned(bytes)});
    return statics.back().memory;
  }

  // Between two blocks that use the same threads.
  void renew(const uint3 &at) {
    drop();
    index = at, arrived = exited = 0, released.clear();
    for (unsigned rank = 0; rank < size(); ++rank) {
      Thread &thread = threads[rank];
      thread.index = {rank % extent.x, rank / extent.x % extent.y, rank / (extent.x * extent.y)};
      thread.rank = rank, thread.block = this, thread.wait = Wait::none, thread.barriers = 0;
    }
    if (dynamic_bytes > 0) dynamic = poisoned(dynamic_bytes);
  }
  void drop() {
    for (const Shared &one : statics) release(one.memory);
    statics.clear(), release(dynamic), dynamic = nullptr, static_bytes = 0;
  }

  Block(const char *name, dim3 blocks, dim3 shape, size_t bytes, size_t bytes_max)
      : kernel(name), extent(shape), grid(blocks), threads(size()), warps((size() + 31) / 32), dynamic_bytes(bytes),
        shared_bytes_max(bytes_max) {}
  Block(const Block &) = delete;
  Block &operator=(const Block &) = delete;
  ~Block() { drop(); }

private:
  void finish(unsigned first, uint32_t mask, Exchange kind) {
    uint64_t ballot = 0;
    const auto each = [&](auto &&job) {
      for (unsigned lane = 0; lane < 32; ++lane)
        if (mask >> lane & 1) job(threads[first + lane], lane);
    };
    each([&](Thread &thread, unsigned lane) { ballot |= uint64_t(thread.value != 0) << lane; });
    each([&](Thread &thread, unsigned) {
      thread.result = ballot;
      if (kind == Exchange::shuffle) thread.result = threads[first + thread.source].value;
      if (kind != Exchange::match) return;
      thread.result = 0;
      each([&](const Thread &other, unsigned lane) { thread.result |= uint64_t(other.value == thread.value) << lane; });
    });
    each([&](Thread &thread, unsigned) { let_go(thread); });
  }
};

} // namespace emu
