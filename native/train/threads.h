// How many threads libtorch and the matrix products under it use. The whole process has one such number.
#pragma once

namespace rwkv_train {

void set_threads(int threads);
// For the thread that is about to compute: libtorch counts per thread, and a blocking verb may run on any.
void join_threads();

} // namespace rwkv_train
