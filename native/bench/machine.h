// What the machine is and does: its name, the memory of this process, how fast it reads memory, and processes that keep
// it busy. Linux; elsewhere memory figures are 0. Must not know the library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bench {

std::string cpu_name();
// UTC, to the second.
std::string date_now();

// Bytes of this process in memory: now, and the most there ever were.
uint64_t resident_bytes();
uint64_t resident_bytes_peak();

// GB (10^9 bytes) per second of reading `bytes` bytes again and again, each thread its own part front to back, in 2 MiB
// pages where the system gives them: the best of several passes.
double read_bandwidth(size_t bytes, uint32_t threads);

// Child processes that do nothing but compute, until the object goes or this process dies.
class Hogs {
 public:
  explicit Hogs(uint32_t count);
  ~Hogs();
  Hogs(const Hogs &) = delete;
  Hogs &operator=(const Hogs &) = delete;

 private:
  std::vector<int> children_;
};

} // namespace bench
