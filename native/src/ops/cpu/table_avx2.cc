// Row ops for AVX2, FMA and F16C.
#include "table.h"

namespace rwkv {
extern const Ops row_ops_avx2;
constinit const Ops row_ops_avx2 = row_ops();
} // namespace rwkv
