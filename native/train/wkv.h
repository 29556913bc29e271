// The recurrences of RWKV-7 and RWKV-6 over whole sequences, forward and backward, for training on a CPU. Plain loops,
// compiled for float (speed) and double (finite differences). No tensors, no model.
//
// All arrays are contiguous: sequences [batch][time][heads][64], states [batch][heads][64][64]. RWKV-7 states are
// [value][key], RWKV-6 states [key][value] (spec 3.1, 4.1). A backward pass gets the checkpoints its forward pass wrote:
// the state before every 16th position, [batch][heads][chunks][64][64].
#pragma once

#include <cstddef>

namespace rwkv_train {

inline constexpr size_t head = 64;
inline constexpr size_t chunk = 16;

struct WkvShape {
  size_t batch, time, heads;
  size_t chunks() const { return (time + chunk - 1) / chunk; }
  size_t sequence() const { return batch * time * heads * head; }
  size_t states() const { return batch * heads * head * head; }
  size_t checkpoints() const { return states() * chunks(); }
};

// S_t = S diag(w) + (S a) bᵀ + v kᵀ,  y_t = S_t r.   a = −kk, b = kk ⊙ α.
template <class Real>
struct Wkv7Inputs {
  const Real *r, *w, *k, *v, *a, *b; // sequences
  const Real *state;                 // states, before the first position
};
template <class Real>
struct Wkv7Gradients {
  Real *r, *w, *k, *v, *a, *b, *state; // written, not added to
};
// Threads take heads of the batch in turn; `first` and `last` are the share of one of them, in [0, batch * heads).
template <class Real>
void wkv7_forward(const WkvShape &shape, const Wkv7Inputs<Real> &in, Real *y, Real *state_out, Real *checkpoints,
                  size_t first, size_t last);
template <class Real>
void wkv7_backward(const WkvShape &shape, const Wkv7Inputs<Real> &in, const Real *checkpoints, const Real *dy,
                   const Real *dstate_out, const Wkv7Gradients<Real> &out, size_t first, size_t last);

// y_t = Sᵀ r + (Σ r u k) v with S before the update;  S_t = diag(w) S + k vᵀ.   u is [heads][64].
template <class Real>
struct Wkv6Inputs {
  const Real *r, *w, *k, *v, *u, *state;
};
template <class Real>
struct Wkv6Gradients {
  Real *r, *w, *k, *v, *u, *state; // u is [batch][heads][64]: one share per sequence, the caller adds them up
};
template <class Real>
void wkv6_forward(const WkvShape &shape, const Wkv6Inputs<Real> &in, Real *y, Real *state_out, Real *checkpoints,
                  size_t first, size_t last);
template <class Real>
void wkv6_backward(const WkvShape &shape, const Wkv6Inputs<Real> &in, const Real *checkpoints, const Real *dy,
                   const Real *dstate_out, const Wkv6Gradients<Real> &out, size_t first, size_t last);

} // namespace rwkv_train
