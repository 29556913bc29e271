// One AdamW step over plain floats in memory, in one pass. No tensors, no names, no threads.
#pragma once

#include <cstddef>

namespace rwkv_train {

struct AdamwNumbers {
  float keep;          // 1 − rate · decay: what decoupled decay leaves of a weight
  float step;          // rate / (1 − beta1^t)
  float beta1, beta2;
  float root_scale;    // 1 / sqrt(1 − beta2^t)
  float eps;
  float gradient_scale; // of the clipping
};

// m ← β1 m + (1 − β1) g;  v ← β2 v + (1 − β2) g²;  x ← keep · x − step · m / (sqrt(v) · root_scale + eps), g scaled.
void adamw_loop(const AdamwNumbers &numbers, const float *gradient, float *value, float *moment1, float *moment2,
                size_t count);
// Σ g², in double; NaN and infinity come through.
double square_sum(const float *gradient, size_t count);

} // namespace rwkv_train
