// RWKV-6 recurrence, forward and backward (../wkv.h has the formulas; states are [key][value]).
//
// Forward: thread j holds column j of the state, so a position's output needs no other thread but for the bonus Σ r u k,
// summed by a warp per position when a chunk is loaded. Backward: thread i holds row i of the state, made again from the
// checkpoint as in wkv7.cu, and the gradient of the state twice, row i and column i.
#include "wkv_parts.h"

namespace rwkv_train {
namespace {

// Over the lanes of a warp; every lane gets it.
__device__ __forceinline__ float warp_sum(float x) {
  UNROLL for (int bits = 16; bits > 0; bits >>= 1) x += __shfl_xor_sync(~0u, x, bits);
  return x;
}

// Σ r u k of each position of a chunk, a warp a position.
__device__ __forceinline__ void sum_bonus(float *bonus, const float (*r)[C], const float *u, const float (*k)[C], int count) {
  const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32;
  for (int step = warp; step < count; step += 2) {
    const float sum = warp_sum(r[step][lane] * u[lane] * k[step][lane] + r[step][lane + 32] * u[lane + 32] * k[step][lane + 32]);
    if (lane == 0) bonus[step] = sum;
  }
}

__global__ void __launch_bounds__(64) wkv6_forward_kernel(Sizes sizes, Wkv6Inputs<float> in, float *y, float *state_out,
                                                          float *checkpoints) {
  SHARED(float, r, [T][C]);
  SHARED(float, w, [T][C]);
  SHARED(float, k, [T][C]);
  SHARED(float, bonus, [T]);
  const size_t index = blockIdx.x;
  const float *const u = in.u + index % sizes.heads * C;
  float s[C];
  load_column(s, in.state + index * square);
  for (int part = 0; part < sizes.chunks; ++part) {
    const int from = part * T, count = min(T, sizes.time - from);
    store_column(checkpoints + (index * sizes.chunks + part) * square, s);
    __syncthreads(); // all are done with the last chunk
    load_chunk(r, in.r, sizes, from, count);
    load_chunk(w, in.w, sizes, from, count);
    load_chunk(k, in.k, sizes, from, count);
    __syncthreads();
    sum_bonus(bonus, r, u, k, count);
    __syncthreads();
    for (int step = 0; step < count; ++step) {
      const size_t at = place(sizes, from + step) + threadIdx.x;
      const float v = in.v[at];
      float sum = bonus[step] * v;
      UNROLL for (int q = 0; q < C / 4; ++q) {
        const Four r4 = four(r[step], q), w4 = four(w[step], q), k4 = four(k[step], q);
        UNROLL for (int e = 0; e < 4; ++e) {
          float &x = s[4 * q + e];
          sum += x * r4.x[e];
          x = x * w4.x[e] + k4.x[e] * v;
        }
      }
      y[at] = sum;
    }
  }
  store_column(state_out + index * square, s);
}

// Row i of the state over one position.
__device__ __forceinline__ void step_row(float *s, const float *v, float w, float k) {
  UNROLL for (int q = 0; q < C / 4; ++q) {
    const Four v4 = four(v, q);
    UNROLL for (int e = 0; e < 4; ++e) s[4 * q + e] = s[4 * q + e] * w + k * v4.x[e];
  }
}

__global__ void __launch_bounds__(64) wkv6_backward_kernel(Sizes sizes, Wkv6Inputs<float> in, const float *checkpoints,
                                                           const float *dy_in, const float *dstate_out,
                                                           Wkv6Gradients<float> out, float *scratch) {
  SHARED(float, r, [T][C]);
  SHARED(float, w, [T][C]);
  SHARED(float, k, [T][C]);
  SHARED(float, v, [T][C]);
  SHARED(float, dy, [T][C]);
  SHARED(float, bonus, [T]);
  const size_t index = blockIdx.x;
  const int me = int(threadIdx.x), segments = T / int(segment);
  const float *const u = in.u + index % sizes.heads * C;
  const float u_me = u[me];
  scratch += index * (segments - 1) * square;
  float s[C], row[C], column[C], du = 0;
  load_row(row, dstate_out + index * square);
  load_column(column, dstate_out + index * square);
  for (int part = sizes.chunks - 1; part >= 0; --part) {
    const int from = part * T, count = min(T, sizes.time - from);
    const float *const checkpoint = checkpoints + (index * sizes.chunks + part) * square;
    __syncthreads(); // all are done with the chunk behind this one
    load_chunk(r, in.r, sizes, from, count);
    load_chunk(w, in.w, sizes, from, count);
    load_chunk(k, in.k, sizes, from, count);
    load_chunk(v, in.v, sizes, from, count);
    load_chunk(dy, dy_in, sizes, from, count);
    __syncthreads();
    sum_bonus(bonus, r, u, k, count);
    __syncthreads();

    // r, k and w of this thread's key; c = v · dy.
    load_row(s, checkpoint);
    for (int step = 0; step < count; ++step) {
      if (step > 0 && step % int(segment) == 0) store_column(scratch + (step / int(segment) - 1) * square, s);
      const float r_me = r[step][me], k_me = k[step][me], w_me = w[step][me];
      float dr = 0, c = 0;
      UNROLL for (int q = 0; q < C / 4; ++q) {
        const Four dy4 = four(dy[step], q), v4 = four(v[step], q);
        UNROLL for (int e = 0; e < 4; ++e) {
          float &x = s[4 * q + e];
          dr += x * dy4.x[e];
          c += v4.x[e] * dy4.x[e];
          x = x * w_me + k_me * v4.x[e];
        }
      }
      out.r[place(sizes, from + step) + me] = dr + u_me * k_me * c;
      du += r_me * k_me * c;
    }

    for (int step = count - 1; step >= 0; --step) {
      const int start = step / int(segment) * int(segment);
      // Kept as columns: thread i wrote its row where column i is, and reads it back from there.
      if (start > 0) load_column(s, scratch + (start / int(segment) - 1) * square);
      else load_row(s, checkpoint);
      for (int again = start; again < step; ++again) step_row(s, v[again], w[again][me], k[again][me]);

      const size_t at = place(sizes, from + step) + me;
      const float r_me = r[step][me], w_me = w[step][me], dy_me = dy[step][me];
      float dk = 0, dw = 0, dv = 0, c = 0;
      UNROLL for (int q = 0; q < C / 4; ++q) {
        const Four dy4 = four(dy[step], q), v4 = four(v[step], q);
        const Four r4 = four(r[step], q), k4 = four(k[step], q), w4 = four(w[step], q);
        UNROLL for (int e = 0; e < 4; ++e) {
          const float g = row[4 * q + e], h = column[4 * q + e];
          c += v4.x[e] * dy4.x[e];
          dk += g * v4.x[e];
          dw += g * s[4 * q + e];
          row[4 * q + e] = r_me * dy4.x[e] + w_me * g;
          dv += h * k4.x[e];
          column[4 * q + e] = r4.x[e] * dy_me + w4.x[e] * h;
        }
      }
      out.k[at] = dk + u_me * r_me * c, out.w[at] = dw, out.v[at] = dv + bonus[step] * dy_me;
    }
  }
  store_column(out.state + index * square, column);
  out.u[index * C + me] = du;
}

} // namespace

int wkv6_forward_cuda(const WkvShape &shape, const Wkv6Inputs<float> &in, float *y, float *state_out, float *checkpoints,
                      void *stream) {
  LAUNCH(wkv6_forward_kernel, unsigned(shape.batch * shape.heads), C, 0, static_cast<cudaStream_t>(stream),
         sizes_of(shape), in, y, state_out, checkpoints);
  return int(cudaGetLastError());
}

int wkv6_backward_cuda(const WkvShape &shape, const Wkv6Inputs<float> &in, const float *checkpoints, const float *dy,
                       const float *dstate_out, const Wkv6Gradients<float> &out, float *scratch, void *stream) {
  LAUNCH(wkv6_backward_kernel, unsigned(shape.batch * shape.heads), C, 0, static_cast<cudaStream_t>(stream),
         sizes_of(shape), in, checkpoints, dy, dstate_out, out, scratch);
  return int(cudaGetLastError());
}

} // namespace rwkv_train
