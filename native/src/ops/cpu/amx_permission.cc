// Permission to use AMX. Linux gives a process the state of the tiles only if it asks; threads inherit it.
// Compiled without options for any CPU: it runs before anything is known of this one.
#include "product_amx.h"

#if defined(__linux__) && defined(__x86_64__)

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace rwkv {
namespace {

constexpr int arch_request_permission = 0x1023; // ARCH_REQ_XCOMP_PERM
constexpr unsigned long tile_data = 18;         // XFEATURE_XTILEDATA

bool cpu_has_tiles() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  constexpr unsigned bf16 = 1u << 22, tile = 1u << 24, int8 = 1u << 25;
  constexpr unsigned all = bf16 | tile | int8;
  return (d & all) == all;
}

} // namespace

bool amx_is_permitted() {
  static const bool permitted =
      cpu_has_tiles() && syscall(SYS_arch_prctl, arch_request_permission, tile_data) == 0;
  return permitted;
}

} // namespace rwkv

#else

namespace rwkv {
bool amx_is_permitted() { return false; }
} // namespace rwkv

#endif
