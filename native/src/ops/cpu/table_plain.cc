// Row ops for any machine the compiler targets by default.
#include "table.h"

namespace rwkv {
extern const Ops row_ops_plain;
constinit const Ops row_ops_plain = row_ops();
} // namespace rwkv
