// The device seam of the CPU: every piece of arithmetic a model needs, as a table of functions over fp32 rows.
// Shapes are row-major; `rows` are positions and independent unless a comment says otherwise. An op gives each
// row the same bits whatever `rows` is, and whichever tiles or heads are asked for with it: a state's bits never depend
// on who else is in the batch. Tables of different targets agree to rounding, not to the bit.
#pragma once

#include "../matrix.h"

#include <cstddef>

namespace rwkv {

// Products with large matrices. A product reads its rows in a form of the table's own, made once by `prepare`.
struct Products {
  // Bytes that prepare writes for `rows` rows of `columns` numbers. A multiple of 64.
  size_t (*input_bytes)(Format format, size_t rows, size_t columns);
  // x[rows][columns] as a product with a matrix of `format` reads it. input: 64-byte aligned.
  void (*prepare)(void *input, const float *x, Format format, size_t rows, size_t columns);
  // Tiles [first, last) of out[rows][w.rows] = x · wᵀ, where a tile is 16 columns of out (the last may be fewer).
  void (*matmul)(float *out, const void *input, const Matrix &w, size_t rows, size_t first, size_t last);
};

struct Ops {
  const char *name; // of the target: "plain", "avx2", "avx512", "vnni", "amx", "neon"
  Products products;

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
  // `rows` consecutive positions of one state, `heads` heads side by side; a position's numbers are `stride` floats
  // behind those of the position before. S[h][key j][value i]:
  // removed[i] = Σ_j S[j][i]·minus_kk[j];  S[j][i] = S[j][i]·w[j] + removed[i]·b[j] + v[i]·k[j];  y[i] = Σ_j S[j][i]·r[j].
  void (*wkv7)(float *s, float *y, const float *r, const float *w, const float *k, const float *v,
               const float *minus_kk, const float *b, size_t rows, size_t stride, size_t heads, size_t head_size);
  // y = (y + (Σ_j r k r_k) v per head) ⊙ g
  void (*bonus7)(float *y, const float *r, const float *k, const float *v, const float *r_k, const float *g,
                 size_t rows, size_t heads, size_t head_size);
  // The same for RWKV-6 (and 5), S[h][key j][value i]: y[i] = Σ_j S[j][i]·r[j] + (Σ_j r u k) v[i], S before; then
  // S[j][i] = w[j]·S[j][i] + k[j]·v[i]. u[heads][head_size] is the same in every position.
  void (*wkv6)(float *s, float *y, const float *r, const float *w, const float *k, const float *v,
               const float *u, size_t rows, size_t stride, size_t heads, size_t head_size);
};

// The targets compiled in that this machine can run, plainest first.
struct CpuTables {
  const Ops *tables[6];
  size_t count;
};
CpuTables cpu_tables();
// The quickest of them, or the one called `name`; null when there is none of that name here.
const Ops *cpu_ops(const char *name = nullptr);

} // namespace rwkv
