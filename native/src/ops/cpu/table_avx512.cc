// Row ops for AVX-512 F, BW, DQ and VL.
#include "table.h"

namespace rwkv {
extern const Ops row_ops_avx512;
constinit const Ops row_ops_avx512 = row_ops();
} // namespace rwkv
