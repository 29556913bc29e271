// The device seam: every piece of arithmetic a model needs, as a table of functions over fp32 rows.
// Shapes are row-major; `rows` are positions and independent unless a comment says otherwise. An op gives each
// row the same bits whatever `rows` is, and every table of the CPU gives the same bits as the others.
#pragma once

#include "../matrix.h"

#include <cstddef>

namespace rwkv {

struct Ops {
  const char *name;

  // Columns [first, last) of out[rows][out_width] = x[rows][in_width] · w[out_width][in_width]ᵀ. A number has the
  // same bits whichever columns are asked for with it.
  void (*matmul)(float *out, const float *x, const Matrix &w, size_t rows, size_t in_width, size_t out_width,
                 size_t first, size_t last);
  // Each of `groups` equal parts of a row gets mean 0 and variance 1 (biased), then weight and bias [width].
  // groups 1 is a layer norm. out may be x.
  void (*norm)(float *out, const float *x, const float *weight, const float *bias, size_t rows, size_t width,
               size_t groups, float epsilon);
  // delta[t] = previous row − h[t]; rows in sequence. previous[width] comes before row 0 and becomes the last.
  void (*token_shift)(float *delta, float *previous, const float *h, size_t rows, size_t width);
  // out = h + delta ⊙ mu[width]
  void (*mix)(float *out, const float *h, const float *delta, const float *mu, size_t rows, size_t width);
  void (*add)(float *x, const float *y, size_t count);      // x += y
  void (*multiply)(float *x, const float *y, size_t count); // x ⊙= y
  void (*tanh)(float *x, size_t count);
  void (*sigmoid)(float *x, size_t count);
  void (*silu)(float *x, size_t count);
  void (*relu_squared)(float *x, size_t count);
  // x = σ(bias[width] + x)
  void (*sigmoid_bias)(float *x, const float *bias, size_t rows, size_t width);
  // x = exp(−e^(−1/2) · σ(bias[width] + x)): the decay of RWKV-7, in (0.5452, 1)
  void (*decay7)(float *x, const float *bias, size_t rows, size_t width);
  // x = exp(−exp(bias[width] + x)): the decay of RWKV-6, in (0, 1)
  void (*decay6)(float *x, const float *bias, size_t rows, size_t width);
  // v += (v_first − v) ⊙ gate
  void (*residual_value)(float *v, const float *v_first, const float *gate, size_t count);
  // RWKV-7 keys. In: k = k0, a. Out: minus_kk = −L2-normalised(k0 ⊙ k_k) per head, b = kk ⊙ a,
  // k = k0 ⊙ (1 + (a − 1) ⊙ k_a). Norms are bounded below by 1e-12.
  void (*keys7)(float *k, float *minus_kk, float *b, const float *a, const float *k_k, const float *k_a,
                size_t rows, size_t heads, size_t head_size);
  // One position, all heads: S[h][i][j] = S·w[j] + (S·minus_kk)[i]·b[j] + v[i]·k[j];  y[i] = S·r, S after.
  void (*wkv7)(float *s, float *y, const float *r, const float *w, const float *k, const float *v,
               const float *minus_kk, const float *b, size_t heads, size_t head_size);
  // y = (y + (Σ_j r k r_k) v per head) ⊙ g
  void (*bonus7)(float *y, const float *r, const float *k, const float *v, const float *r_k, const float *g,
                 size_t rows, size_t heads, size_t head_size);
  // One position, all heads, S[h][key][value]: y = Sᵀ·r + (Σ r u k) v, S before; then S = w[key]·S + k vᵀ.
  void (*wkv6)(float *s, float *y, const float *r, const float *w, const float *k, const float *v,
               const float *u, size_t heads, size_t head_size);
};

// The tables compiled in, plainest first, and how many of them this machine can run.
struct CpuTables {
  const Ops *tables[3];
  size_t count;
};
CpuTables cpu_tables();
// The quickest of them.
const Ops &cpu_ops();

} // namespace rwkv
