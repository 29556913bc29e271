// See mix_loops.h. Compiled for several instruction sets, as wkv.cc.
#include "mix_loops.h"

#include "clones.h"

#include <algorithm>

#define RWKV_TRAIN_INLINE inline __attribute__((always_inline))

namespace rwkv_train {
namespace {

template <class Real>
RWKV_TRAIN_INLINE void forward(const MixShape &shape, const Real *h, const Real *previous,
                               const MixPointers<const Real> &mu, const MixPointers<Real> &out, size_t first,
                               size_t last) {
  for (size_t row = first; row < last; ++row) {
    for (size_t t = 0; t < shape.time; ++t) {
      const size_t at = (row * shape.time + t) * shape.width;
      const Real *const now = h + at, *const before = t > 0 ? now - shape.width : previous + row * shape.width;
      for (size_t mix = 0; mix < shape.mixes; ++mix) {
        const Real *const share = mu.of[mix];
        Real *const to = out.of[mix] + at;
#pragma GCC ivdep
        for (size_t c = 0; c < shape.width; ++c) to[c] = now[c] + (before[c] - now[c]) * share[c];
      }
    }
  }
}

// Backwards in time: what a position gives to the one before it waits in dh of that one.
template <class Real>
RWKV_TRAIN_INLINE void backward(const MixShape &shape, const Real *h, const Real *previous,
                                const MixPointers<const Real> &mu, const MixPointers<const Real> &dout, Real *dh,
                                Real *dprevious, Real *dmu, size_t first, size_t last) {
  const size_t width = shape.width;
  for (size_t row = first; row < last; ++row) {
    Real *const shares = dmu + row * shape.mixes * width;
    std::fill_n(shares, shape.mixes * width, Real(0));
    std::fill_n(dh + (row * shape.time + shape.time - 1) * width, width, Real(0));
    for (size_t t = shape.time; t-- > 0;) {
      const size_t at = (row * shape.time + t) * width;
      const Real *const now = h + at, *const before = t > 0 ? now - width : previous + row * width;
      Real *const here = dh + at, *const there = t > 0 ? here - width : dprevious + row * width;
      std::fill_n(there, width, Real(0));
      for (size_t mix = 0; mix < shape.mixes; ++mix) {
        const Real *const share = mu.of[mix], *const d = dout.of[mix] + at;
        Real *const sum = shares + mix * width;
#pragma GCC ivdep
        for (size_t c = 0; c < width; ++c) {
          const Real moved = d[c] * share[c];
          sum[c] += d[c] * (before[c] - now[c]);
          there[c] += moved;
          here[c] += d[c] - moved;
        }
      }
    }
  }
}

} // namespace

// Clones are made of plain functions only, so each width has its own.
#define RWKV_TRAIN_MIX(Real)                                                                                           \
  template <>                                                                                                          \
  RWKV_TRAIN_CLONES void mix_forward<Real>(const MixShape &shape, const Real *h, const Real *previous,                 \
                                           const MixPointers<const Real> &mu, const MixPointers<Real> &out,            \
                                           size_t first, size_t last) {                                                \
    forward(shape, h, previous, mu, out, first, last);                                                                 \
  }                                                                                                                    \
  template <>                                                                                                          \
  RWKV_TRAIN_CLONES void mix_backward<Real>(const MixShape &shape, const Real *h, const Real *previous,                \
                                            const MixPointers<const Real> &mu, const MixPointers<const Real> &dout,    \
                                            Real *dh, Real *dprevious, Real *dmu, size_t first, size_t last) {         \
    backward(shape, h, previous, mu, dout, dh, dprevious, dmu, first, last);                                           \
  }

RWKV_TRAIN_MIX(float)
RWKV_TRAIN_MIX(double)

} // namespace rwkv_train
