// Picks the CPU table once, by what the machine can run. All tables give the same bits (tests/ops_test.cc),
// so the choice is about speed only.
#include "../ops.h"

namespace rwkv {

extern const Ops cpu_ops_plain;
#if defined(RWKV_X86_TABLES)
extern const Ops cpu_ops_avx2;
extern const Ops cpu_ops_avx512;
#endif

CpuTables cpu_tables() {
  CpuTables found{{&cpu_ops_plain, nullptr, nullptr}, 1};
#if defined(RWKV_X86_TABLES)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c")) {
    found.tables[found.count++] = &cpu_ops_avx2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")) {
      found.tables[found.count++] = &cpu_ops_avx512;
    }
  }
#endif
  return found;
}

const Ops &cpu_ops() {
  static const CpuTables found = cpu_tables();
  return *found.tables[found.count - 1];
}

} // namespace rwkv
