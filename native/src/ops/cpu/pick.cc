// The targets of the CPU: which row ops go with which products, and what a machine must have to run them. Picked once.
#include "../ops.h"

#include <array>
#include <cstring>

#if defined(RWKV_X86_TABLES)
#include "product_amx.h"
#include <cpuid.h>
#endif

namespace rwkv {

extern const Ops row_ops_plain, row_ops_avx2, row_ops_avx512, row_ops_neon;
extern const Products products_plain, products_avx2, products_avx512, products_vnni, products_amx, products_neon;

namespace {

struct Target {
  const char *name;
  const Ops &rows;
  const Products &products;
  bool (*runs)();
};

#if defined(RWKV_X86_TABLES)
bool has_f16c() { // __builtin_cpu_supports of clang 14 does not know it
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) && (c & 1u << 29);
}
bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c(); }
bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
bool has_vnni() { return has_avx512() && __builtin_cpu_supports("avx512vnni"); }
bool has_amx() { return has_vnni() && __builtin_cpu_supports("avx512bf16") && amx_is_permitted(); }
#endif

constexpr Target targets[] = { // plainest first
    {"plain", row_ops_plain, products_plain, [] { return true; }},
#if defined(RWKV_X86_TABLES)
    {"avx2", row_ops_avx2, products_avx2, has_avx2},
    {"avx512", row_ops_avx512, products_avx512, has_avx512},
    {"vnni", row_ops_avx512, products_vnni, has_vnni},
    {"amx", row_ops_avx512, products_amx, has_amx},
#elif defined(__aarch64__)
    {"neon", row_ops_neon, products_neon, [] { return true; }},
#endif
};
constexpr size_t target_count = sizeof targets / sizeof targets[0];
static_assert(target_count <= sizeof CpuTables::tables / sizeof CpuTables::tables[0]);

struct Runnable {
  std::array<Ops, target_count> ops;
  CpuTables tables{};

  Runnable() {
    for (const Target &target : targets) {
      if (!target.runs()) continue;
      Ops &made = ops[tables.count] = target.rows;
      made.name = target.name;
      made.products = target.products;
      tables.tables[tables.count++] = &made;
    }
  }
};

const CpuTables &runnable() {
  static const Runnable found;
  return found.tables;
}

} // namespace

CpuTables cpu_tables() { return runnable(); }

const Ops *cpu_ops(const char *name) {
  const CpuTables &found = runnable();
  if (!name) return found.tables[found.count - 1];
  for (size_t i = 0; i < found.count; ++i) {
    if (std::strcmp(found.tables[i]->name, name) == 0) return found.tables[i];
  }
  return nullptr;
}

} // namespace rwkv
