// CPU ops for: avx512.
#include "table.h"

namespace rwkv {
extern const Ops cpu_ops_avx512;
const Ops cpu_ops_avx512 = make_table("avx512");
} // namespace rwkv
