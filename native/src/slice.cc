// See slice.h. The system call has no function in the C library.
#include "slice.h"

#include "limits.h"

#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <cstdint>

namespace rwkv {

#if defined(__linux__) && defined(SYS_sched_setattr)

void ask_for_short_turns() noexcept {
  struct { // as the kernel declares it, first version
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period; // nanoseconds; runtime is the length of a turn of an ordinary thread
  } wish{};
  constexpr uint32_t ordinary = 0;
  if (syscall(SYS_sched_getattr, 0, &wish, sizeof wish, 0) != 0 || wish.policy != ordinary) return;
  wish.runtime = uint64_t{1000} * limits::helper_turn_microseconds;
  syscall(SYS_sched_setattr, 0, &wish, 0); // a refusal changes nothing
}

#else

void ask_for_short_turns() noexcept {}

#endif

} // namespace rwkv
