// Assertions of the native tests: every failure is told, the count is the last line, and main answers it.
#pragma once

#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>

// Under a sanitizer everything takes ten times as long; tests that repeat themselves leave repetitions out.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif
#else
inline constexpr bool sanitized = false;
#endif

inline std::atomic<int> checks_done = 0, checks_failed = 0;

#define CHECK(condition)                                                          \
  do {                                                                            \
    ++checks_done;                                                                \
    if (!(condition)) {                                                           \
      ++checks_failed;                                                            \
      std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
    }                                                                             \
  } while (0)

#define CHECK_NEAR(value, wanted, tolerance)                                                               \
  do {                                                                                                     \
    const double value_ = (value), wanted_ = (wanted);                                                     \
    ++checks_done;                                                                                         \
    if (!(std::fabs(value_ - wanted_) <= (tolerance))) {                                                   \
      ++checks_failed;                                                                                     \
      std::fprintf(stderr, "%s:%d: %s is %.9g, not %.9g\n", __FILE__, __LINE__, #value, value_, wanted_); \
    }                                                                                                      \
  } while (0)

// The last line of a test and its exit code. A test that checked nothing fails.
inline int report(const char *name) {
  std::printf("%s: %d checks, %d failed\n", name, checks_done.load(), checks_failed.load());
  return checks_failed > 0 || checks_done == 0 ? 1 : 0;
}
