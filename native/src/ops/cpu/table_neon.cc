// Row ops for aarch64.
#if defined(__aarch64__)
#include "table.h"

namespace rwkv {
extern const Ops row_ops_neon;
constinit const Ops row_ops_neon = row_ops();
} // namespace rwkv
#endif
