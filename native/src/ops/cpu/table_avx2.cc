// CPU ops for: avx2.
#include "table.h"

namespace rwkv {
extern const Ops cpu_ops_avx2;
const Ops cpu_ops_avx2 = make_table("avx2");
} // namespace rwkv
