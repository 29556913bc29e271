// See machine.h.
#include "machine.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <algorithm>
#include <atomic>
#include <cstring>
#include <ctime>
#include <fstream>
#include <sstream>
#include <thread>

#include "samples.h"

// The widest loads that the machine has: narrow ones do not reach what one core can read.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define RWKV_BENCH_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define RWKV_BENCH_CLONES
#endif

namespace bench {

namespace {

// The text behind "name :" in a file of such lines.
std::string line_of(const char *path, const std::string &name) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (line.compare(0, name.size(), name) != 0) continue;
    const size_t at = line.find_first_not_of(" \t", line.find(':') + 1);
    return at == std::string::npos ? "" : line.substr(at);
  }
  return "";
}

uint64_t status_bytes(const char *name) {
  uint64_t kilobytes = 0;
  std::istringstream(line_of("/proc/self/status", name)) >> kilobytes;
  return kilobytes * 1024;
}

typedef uint64_t Line __attribute__((vector_size(64)));

RWKV_BENCH_CLONES void read_lines(const Line *lines, size_t count, uint64_t *sum) {
  Line a = {}, b = {}, c = {}, d = {};
  for (size_t at = 0; at + 4 <= count; at += 4) {
    a += lines[at];
    b += lines[at + 1];
    c += lines[at + 2];
    d += lines[at + 3];
  }
  a = a + b + (c + d);
  for (int lane = 0; lane < 8; lane++) *sum += a[lane];
}

} // namespace

std::string cpu_name() {
  const std::string name = line_of("/proc/cpuinfo", "model name");
  return name.empty() ? "unknown" : name;
}

std::string date_now() {
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
  return text;
}

uint64_t resident_bytes() { return status_bytes("VmRSS"); }
uint64_t resident_bytes_peak() { return status_bytes("VmHWM"); }

double read_bandwidth(size_t bytes, uint32_t threads) {
  constexpr size_t page = 2 << 20, bytes_min = 16 << 20;
  constexpr int passes = 6;
  const size_t part = (std::max(bytes, bytes_min) / threads + page - 1) / page * page, total = part * threads;
  void *memory = mmap(nullptr, total + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return NAN;
  auto *begin = reinterpret_cast<uint8_t *>((reinterpret_cast<uintptr_t>(memory) + page - 1) / page * page);
#ifdef __linux__
  madvise(begin, total, MADV_HUGEPAGE);
#endif
  std::memset(begin, 1, total);
  std::atomic<uint64_t> sink{0};
  double best = 0;
  for (int pass = 0; pass < passes; pass++) {
    const auto read = [&](uint32_t index) {
      uint64_t sum = 0;
      read_lines(reinterpret_cast<const Line *>(begin + index * part), part / sizeof(Line), &sum);
      sink += sum;
    };
    const double begun_ms = now_ms();
    std::vector<std::thread> others;
    for (uint32_t index = 1; index < threads; index++) others.emplace_back(read, index);
    read(0);
    for (std::thread &other : others) other.join();
    best = std::max(best, static_cast<double>(total) / (now_ms() - begun_ms) / 1e6);
  }
  munmap(memory, total + page);
  return sink == 0 ? NAN : best;
}

Hogs::Hogs(uint32_t count) {
  const int parent = getpid();
  for (uint32_t index = 0; index < count; index++) {
    const int child = fork();
    if (child == 0) {
#ifdef __linux__
      prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
      for (volatile uint64_t spins = 0; getppid() == parent;)
        for (int step = 0; step < 1000000; step++) spins = spins + 1;
      _exit(0);
    }
    if (child > 0) children_.push_back(child);
  }
}

Hogs::~Hogs() {
  for (int child : children_) kill(child, SIGKILL);
  for (int child : children_) waitpid(child, nullptr, 0);
}

} // namespace bench
