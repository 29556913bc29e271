// RWKV-7 recurrence, forward and backward (../wkv.h has the formulas; states are [value][key]).
//
// Forward: thread i holds row i of the state, so S a and S r need no other thread.
// Backward, per chunk: the states are made again from the checkpoint, column j in thread j, with the kept S a; the state
// before every 4th position stays in memory, and the positions between are made again on the way back. The gradient of the
// state is held twice, row i and column i in thread i: sums over keys come from the row, sums over values from the column,
// and only S a's gradient `sb` goes from rows to columns, through shared memory.
#include "wkv_parts.h"

namespace rwkv_train {
namespace {

__global__ void __launch_bounds__(64) wkv7_forward_kernel(Sizes sizes, Wkv7Inputs<float> in, float *y, float *state_out,
                                                          float *checkpoints, float *sa_out) {
  SHARED(float, r, [T][C]);
  SHARED(float, w, [T][C]);
  SHARED(float, k, [T][C]);
  SHARED(float, a, [T][C]);
  SHARED(float, b, [T][C]);
  const size_t index = blockIdx.x;
  float s[C];
  load_row(s, in.state + index * square);
  for (int part = 0; part < sizes.chunks; ++part) {
    const int from = part * T, count = min(T, sizes.time - from);
    store_row(checkpoints + (index * sizes.chunks + part) * square, s);
    __syncthreads(); // all are done with the last chunk
    load_chunk(r, in.r, sizes, from, count);
    load_chunk(w, in.w, sizes, from, count);
    load_chunk(k, in.k, sizes, from, count);
    load_chunk(a, in.a, sizes, from, count);
    load_chunk(b, in.b, sizes, from, count);
    __syncthreads();
    for (int step = 0; step < count; ++step) {
      const size_t at = place(sizes, from + step) + threadIdx.x;
      const float v = in.v[at];
      float sa = 0, sum = 0;
      UNROLL for (int q = 0; q < C / 4; ++q) {
        const Four a4 = four(a[step], q);
        UNROLL for (int e = 0; e < 4; ++e) sa += s[4 * q + e] * a4.x[e];
      }
      UNROLL for (int q = 0; q < C / 4; ++q) {
        const Four w4 = four(w[step], q), b4 = four(b[step], q), k4 = four(k[step], q), r4 = four(r[step], q);
        UNROLL for (int e = 0; e < 4; ++e) {
          float &x = s[4 * q + e];
          x = x * w4.x[e] + sa * b4.x[e] + v * k4.x[e];
          sum += x * r4.x[e];
        }
      }
      y[at] = sum, sa_out[at] = sa;
    }
  }
  store_row(state_out + index * square, s);
}

// Column j of the state over one position.
__device__ __forceinline__ void step_column(float *s, const float *sa, const float *v, float w, float b, float k) {
  UNROLL for (int q = 0; q < C / 4; ++q) {
    const Four sa4 = four(sa, q), v4 = four(v, q);
    UNROLL for (int e = 0; e < 4; ++e) s[4 * q + e] = s[4 * q + e] * w + sa4.x[e] * b + v4.x[e] * k;
  }
}

__global__ void __launch_bounds__(64) wkv7_backward_kernel(Sizes sizes, Wkv7Inputs<float> in, const float *checkpoints,
                                                           const float *sa_in, const float *dy_in,
                                                           const float *dstate_out, Wkv7Gradients<float> out,
                                                           float *scratch) {
  SHARED(float, r, [T][C]);
  SHARED(float, w, [T][C]);
  SHARED(float, k, [T][C]);
  SHARED(float, v, [T][C]);
  SHARED(float, a, [T][C]);
  SHARED(float, b, [T][C]);
  SHARED(float, sa, [T][C]);
  SHARED(float, dy, [T][C]);
  SHARED(float, sb, [2][C]); // one is written while the other may still be read
  const size_t index = blockIdx.x;
  const int me = int(threadIdx.x), segments = T / int(segment);
  scratch += index * (segments - 1) * square;
  float s[C], row[C], column[C];
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
    load_chunk(a, in.a, sizes, from, count);
    load_chunk(b, in.b, sizes, from, count);
    load_chunk(sa, sa_in, sizes, from, count);
    load_chunk(dy, dy_in, sizes, from, count);
    __syncthreads();

    load_column(s, checkpoint);
    for (int step = 0; step < count; ++step) {
      if (step > 0 && step % int(segment) == 0) store_column(scratch + (step / int(segment) - 1) * square, s);
      step_column(s, sa[step], v[step], w[step][me], b[step][me], k[step][me]);
      float dr = 0;
      UNROLL for (int q = 0; q < C / 4; ++q) {
        const Four dy4 = four(dy[step], q);
        UNROLL for (int e = 0; e < 4; ++e) dr += s[4 * q + e] * dy4.x[e];
      }
      out.r[place(sizes, from + step) + me] = dr;
    }

    for (int step = count - 1; step >= 0; --step) {
      const size_t at = place(sizes, from + step) + me;
      const float dy_me = dy[step][me];
      float dv = 0, sb_me = 0;
      UNROLL for (int q = 0; q < C / 4; ++q) {
        const Four r4 = four(r[step], q), k4 = four(k[step], q), b4 = four(b[step], q);
        UNROLL for (int e = 0; e < 4; ++e) {
          float &g = row[4 * q + e];
          g += dy_me * r4.x[e];
          dv += g * k4.x[e];
          sb_me += g * b4.x[e];
        }
      }
      UNROLL for (int q = 0; q < C / 4; ++q) {
        const Four w4 = four(w[step], q), a4 = four(a[step], q);
        UNROLL for (int e = 0; e < 4; ++e) row[4 * q + e] = row[4 * q + e] * w4.x[e] + sb_me * a4.x[e];
      }
      out.v[at] = dv;
      sb[step & 1][me] = sb_me;

      // The state before the position, only now: two matrices and a half fill the registers.
      const int start = step / int(segment) * int(segment);
      load_column(s, start > 0 ? scratch + (start / int(segment) - 1) * square : checkpoint);
      for (int again = start; again < step; ++again)
        step_column(s, sa[again], v[again], w[again][me], b[again][me], k[again][me]);
      __syncthreads();

      const float r_me = r[step][me], w_me = w[step][me], a_me = a[step][me];
      float dw = 0, dk = 0, da = 0, db = 0;
      UNROLL for (int q = 0; q < C / 4; ++q) {
        const Four dy4 = four(dy[step], q), v4 = four(v[step], q), sa4 = four(sa[step], q), sb4 = four(sb[step & 1], q);
        UNROLL for (int e = 0; e < 4; ++e) {
          const float before = s[4 * q + e], g = column[4 * q + e] + dy4.x[e] * r_me;
          dw += g * before;
          dk += g * v4.x[e];
          db += g * sa4.x[e];
          da += before * sb4.x[e];
          column[4 * q + e] = g * w_me + sb4.x[e] * a_me;
        }
      }
      out.w[at] = dw, out.k[at] = dk, out.a[at] = da, out.b[at] = db;
    }
  }
  store_column(out.state + index * square, column);
}

} // namespace

int wkv7_forward_cuda(const WkvShape &shape, const Wkv7Inputs<float> &in, float *y, float *state_out, float *checkpoints,
                      float *sa, void *stream) {
  LAUNCH(wkv7_forward_kernel, unsigned(shape.batch * shape.heads), C, 0, static_cast<cudaStream_t>(stream),
         sizes_of(shape), in, y, state_out, checkpoints, sa);
  return int(cudaGetLastError());
}

int wkv7_backward_cuda(const WkvShape &shape, const Wkv7Inputs<float> &in, const float *checkpoints, const float *sa,
                       const float *dy, const float *dstate_out, const Wkv7Gradients<float> &out, float *scratch,
                       void *stream) {
  LAUNCH(wkv7_backward_kernel, unsigned(shape.batch * shape.heads), C, 0, static_cast<cudaStream_t>(stream),
         sizes_of(shape), in, checkpoints, sa, dy, dstate_out, out, scratch);
  return int(cudaGetLastError());
}

} // namespace rwkv_train
