#include "threads.h"

#include <ATen/Parallel.h>

#include <mutex>

#if !defined(_WIN32)
#include <dlfcn.h>
#endif

namespace rwkv_train {

void set_threads(int threads) {
  static std::once_flag first;
  std::call_once(first, [] {
    // Refused when something of the process has begun to use that pool, which changes nothing here.
    try {
      at::set_num_interop_threads(1);
    } catch (const std::exception &) {
    }
  });
  at::set_num_threads(threads);
#if !defined(_WIN32)
  // libtorch does not tell OpenBLAS, where that is what multiplies.
  if (void *const set = dlsym(RTLD_DEFAULT, "openblas_set_num_threads")) reinterpret_cast<void (*)(int)>(set)(threads);
#endif
}

void join_threads() { at::init_num_threads(); }

} // namespace rwkv_train
