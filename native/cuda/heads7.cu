// A block is one head of one state; thread i has column i of S (value i of every key) in registers from the first row of
// the span to the last, so S is read and written once whatever the number of rows. What all threads need of a row goes
// through shared memory.
#include "heads7.h"

#include "reduce.h"

namespace rwkv::cuda {
namespace {

// Both sums over the 64 threads.
__device__ __forceinline__ float2 two_sums(float x, float y, float2 *parts) {
  x = warp_sum(x), y = warp_sum(y);
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = make_float2(x, y);
  __syncthreads();
  return make_float2(parts[0].x + parts[1].x, parts[0].y + parts[1].y);
}

__global__ void __launch_bounds__(head_size) heads7(Heads7 p) {
  SHARED(float, r, [head_size]);
  SHARED(float, w, [head_size]);
  SHARED(float, k, [head_size]);
  SHARED(float, minus_kk, [head_size]);
  SHARED(float, b, [head_size]);
  SHARED(float2, length_and_bonus, [2]);
  SHARED(float2, mean, [2]);
  SHARED(float2, variance, [2]);
  const unsigned i = threadIdx.x, channel = blockIdx.x * head_size + i;
  const SpanPlace span = p.spans[blockIdx.y];
  float *const at = span.memory + p.offset + size_t{blockIdx.x} * head_size * head_size + i;
  float s[head_size];
#pragma unroll
  for (int j = 0; j < head_size; ++j) s[j] = at[j * head_size];
  const float k_k = p.k_k[channel], k_a = p.k_a[channel], r_k = p.r_k[channel];
  const float weight = p.norm_weight[channel], bias = p.norm_bias[channel];

  for (uint32_t row = span.first_row; row < span.first_row + span.row_count; ++row) {
    const size_t from = size_t{row} * p.width + channel;
    const float k0 = p.k[from], a = p.a[from], v = p.v[from], r_i = p.r[from];
    const float kk = k0 * k_k, k_i = k0 * (1.0f + (a - 1.0f) * k_a);
    const float2 sums = two_sums(kk * kk, r_i * k_i * r_k, length_and_bonus);
    const float scale = 1.0f / fmaxf(sqrtf(sums.x), 1e-12f);
    r[i] = r_i, w[i] = p.w[from], k[i] = k_i;
    minus_kk[i] = -(kk * scale), b[i] = kk * scale * a;
    __syncthreads();

    float removed[4] = {}, y[4] = {}; // four chains of sums
#pragma unroll
    for (int j = 0; j < head_size; ++j) removed[j % 4] = fmaf(s[j], minus_kk[j], removed[j % 4]);
    const float gone = (removed[0] + removed[1]) + (removed[2] + removed[3]);
#pragma unroll
    for (int j = 0; j < head_size; ++j) {
      s[j] = fmaf(v, k[j], fmaf(gone, b[j], s[j] * w[j]));
      y[j % 4] = fmaf(s[j], r[j], y[j % 4]);
    }
    const float sum = (y[0] + y[1]) + (y[2] + y[3]);
    const float middle = two_sums(sum, 0, mean).x / head_size, far = sum - middle;
    const float spread = two_sums(far * far, 0, variance).x / head_size;
    const float normed = far * (1.0f / sqrtf(spread + head_norm_epsilon)) * weight + bias;
    p.y[from] = (normed + sums.y * v) * p.g[from];
  }
#pragma unroll
  for (int j = 0; j < head_size; ++j) at[j * head_size] = s[j];
}

} // namespace

void launch_heads7(const Heads7 &heads, cudaStream_t stream) {
  LAUNCH(heads7, dim3(heads.width / head_size, heads.span_count), head_size, 0, stream, heads);
}

} // namespace rwkv::cuda
