// What ThreadSanitizer must not take for order between CUDA threads: the emulation's own locks inside operations that
// promise none (shuffles, votes).
#pragma once

#if defined(__SANITIZE_THREAD__)
extern "C" {
void AnnotateIgnoreSyncBegin(const char *file, int line);
void AnnotateIgnoreSyncEnd(const char *file, int line);
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
void AnnotateHappensBefore(const char *file, int line, const void *address);
void AnnotateHappensAfter(const char *file, int line, const void *address);
}
#endif

namespace emu {

#if defined(__SANITIZE_THREAD__)
inline constexpr bool under_tsan = true;
#else
inline constexpr bool under_tsan = false;
#endif

// What came before the one at an address comes before what is after the other.
inline void ordered_before([[maybe_unused]] const void *address) {
#if defined(__SANITIZE_THREAD__)
  AnnotateHappensBefore(__FILE__, __LINE__, address);
#endif
}
inline void ordered_after([[maybe_unused]] const void *address) {
#if defined(__SANITIZE_THREAD__)
  AnnotateHappensAfter(__FILE__, __LINE__, address);
#endif
}

// While it lives, this thread's locks order nothing and its accesses are no race.
class Unseen {
public:
  explicit Unseen(bool wanted = true) : wanted_(wanted) {
#if defined(__SANITIZE_THREAD__)
    if (!wanted_) return;
    AnnotateIgnoreSyncBegin(__FILE__, __LINE__);
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
#endif
  }
  ~Unseen() {
#if defined(__SANITIZE_THREAD__)
    if (!wanted_) return;
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
    AnnotateIgnoreSyncEnd(__FILE__, __LINE__);
#endif
  }
  Unseen(const Unseen &) = delete;
  Unseen &operator=(const Unseen &) = delete;

private:
  [[maybe_unused]] bool wanted_;
};

} // namespace emu
