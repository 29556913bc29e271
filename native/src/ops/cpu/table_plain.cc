// CPU ops for: any machine the compiler targets by default.
#include "table.h"

namespace rwkv {
extern const Ops cpu_ops_plain;
const Ops cpu_ops_plain = make_table("plain");
} // namespace rwkv
