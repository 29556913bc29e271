// The token shift of RWKV for several mixes at once, forward and back, as plain loops. No tensors, no model.
//
// Sequences are contiguous [batch][time][width]; out_i = h + (before − h) μ_i, with `before` the h of the position before,
// `previous` [batch][width] at the first.
#pragma once

#include <cstddef>

namespace rwkv_train {

inline constexpr size_t mixes_max = 6;

struct MixShape {
  size_t time, width, mixes;
};
template <class Real>
struct MixPointers {
  Real *of[mixes_max];
};

// Sequences of the batch from `first` to `last`.
template <class Real>
void mix_forward(const MixShape &shape, const Real *h, const Real *previous, const MixPointers<const Real> &mu,
                 const MixPointers<Real> &out, size_t first, size_t last);
// Written, not added to: dh, dprevious, and dmu [batch][mixes][width], one share per sequence, which the caller adds up.
template <class Real>
void mix_backward(const MixShape &shape, const Real *h, const Real *previous, const MixPointers<const Real> &mu,
                  const MixPointers<const Real> &dout, Real *dh, Real *dprevious, Real *dmu, size_t first, size_t last);

} // namespace rwkv_train
