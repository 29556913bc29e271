// The bar for company: two threads beside two busy processes on the same two processors keep a good part of the speed
// that they have alone. Speeds are compared in pairs, one behind the other; no time is absolute.
#include "../src/team.h"
#include "check.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <vector>

#ifdef __linux__
#include <sched.h>
#include <sys/prctl.h>
#endif
#include <sys/wait.h>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;

// This process and all that comes from it, on two of its processors; false where it has only one.
bool stay_on_two_processors() {
#ifdef __linux__
  cpu_set_t allowed, two;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return false;
  CPU_ZERO(&two);
  for (int processor = 0; processor < CPU_SETSIZE && CPU_COUNT(&two) < 2; ++processor) {
    if (CPU_ISSET(processor, &allowed)) CPU_SET(processor, &two);
  }
  return CPU_COUNT(&two) == 2 && sched_setaffinity(0, sizeof two, &two) == 0;
#else
  return false; // nothing binds a process to processors elsewhere
#endif
}

// Processes that only compute, stopped until they are let loose. Made before any thread.
class Hogs {
 public:
  explicit Hogs(int count) {
    const pid_t parent = getpid();
    for (int i = 0; i < count; ++i) {
      const pid_t child = fork();
      if (child == 0) {
#ifdef __linux__
        prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
        for (volatile uint64_t spins = 0; getppid() == parent;) {
          for (int step = 0; step < 1'000'000; ++step) spins = spins + 1;
        }
        _exit(0);
      }
      CHECK(child > 0);
      if (child > 0) children_.push_back(child);
    }
    tell(SIGSTOP);
  }
  ~Hogs() {
    tell(SIGKILL);
    for (const pid_t child : children_) waitpid(child, nullptr, 0);
  }
  Hogs(const Hogs &) = delete;
  void tell(int signal) const {
    for (const pid_t child : children_) kill(child, signal);
  }

 private:
  std::vector<pid_t> children_;
};

// Regions per second, each a product as a decoded token has some dozens: 16 pieces, a fraction of a millisecond.
double speed(rwkv::ThreadPool &pool) {
  const rwkv::Team team(pool);
  std::vector<float> sums(256);
  const auto part = [&](size_t first, size_t last) {
    for (size_t i = first; i < last; ++i) {
      volatile float sum = 0;
      for (int step = 0; step < 2000; ++step) sum = sum + 1.0f;
      sums[i] = sum;
    }
  };
  size_t regions = 0;
  const auto start = Clock::now(), end = start + std::chrono::milliseconds(200);
  for (; Clock::now() < end; ++regions) team.share(sums.size(), 16, uint64_t{1} << 30, part);
  for (const float sum : sums) CHECK(sum == 2000);
  return static_cast<double>(regions) / std::chrono::duration<double>(Clock::now() - start).count();
}

} // namespace

int main() {
  if (!stay_on_two_processors()) {
    std::printf("polite: skipped: needs Linux and two processors\n");
    return 0;
  }
  const Hogs hogs(2);
  rwkv::ThreadPool single(1), pool(2);
  std::vector<double> kept;
  for (int pair = 0; pair < 5; ++pair) {
    // The better of the two: a pool that is slower than one thread has nothing to be measured by.
    const double one = speed(single), two = speed(pool);
    hogs.tell(SIGCONT);
    const double beside = speed(pool);
    hogs.tell(SIGSTOP);
    kept.push_back(beside / std::max(one, two));
    std::printf("regions per second: one thread %.0f, two %.0f, two beside two busy processes %.0f: %.2f\n", one, two,
                beside, kept.back());
  }
  std::sort(kept.begin(), kept.end());
  // A fair half of the processors is 0.5 at best; threads that wait for each other's turns keep a few hundredths.
  CHECK(kept[kept.size() / 2] > 0.2);
  return report("polite");
}
