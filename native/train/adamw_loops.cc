// See adamw_loops.h. Compiled for several instruction sets, as wkv.cc.
#include "adamw_loops.h"

#include "clones.h"

#include <cmath>

namespace rwkv_train {

RWKV_TRAIN_CLONES void adamw_loop(const AdamwNumbers &numbers, const float *gradient, float *value, float *moment1,
                                  float *moment2, size_t count) {
  const AdamwNumbers n = numbers;
  const float rest1 = 1 - n.beta1, rest2 = 1 - n.beta2;
#pragma GCC ivdep
  for (size_t i = 0; i < count; ++i) {
    const float g = gradient[i] * n.gradient_scale;
    const float m = n.beta1 * moment1[i] + rest1 * g, v = n.beta2 * moment2[i] + rest2 * g * g;
    moment1[i] = m;
    moment2[i] = v;
    value[i] = n.keep * value[i] - n.step * m / (std::sqrt(v) * n.root_scale + n.eps);
  }
}

RWKV_TRAIN_CLONES double square_sum(const float *gradient, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += double(gradient[i]) * double(gradient[i]);
  return sum;
}

} // namespace rwkv_train
