// See wkv.h. Every inner loop runs over 64 neighbouring numbers, so that the compiler makes vectors of it; each function
// is compiled for several instruction sets and the best of them is taken when the program starts.
#include "wkv.h"

#include "clones.h"

#include <algorithm>
#include <memory>

namespace rwkv_train {
namespace {

constexpr size_t square = head * head;

// Where head `index` of the batch stands at position `t`.
inline size_t place(const WkvShape &shape, size_t index, size_t t) {
  const size_t batch = index / shape.heads, h = index % shape.heads;
  return ((batch * shape.time + t) * shape.heads + h) * head;
}

template <class Real>
struct Row7 {
  const Real *r, *w, *k, *v, *a, *b;
  Row7(const Wkv7Inputs<Real> &in, size_t at)
      : r(in.r + at), w(in.w + at), k(in.k + at), v(in.v + at), a(in.a + at), b(in.b + at) {}
};

template <class Real>
inline __attribute__((always_inline)) Real dot(const Real *x, const Real *y) {
  Real sum = 0;
#pragma GCC ivdep
  for (size_t j = 0; j < head; ++j) sum += x[j] * y[j];
  return sum;
}

template <class Real>
inline __attribute__((always_inline)) void step7(Real *s, const Row7<Real> &x) {
  for (size_t i = 0; i < head; ++i) {
    Real *const row = s + i * head;
    const Real sa = dot(row, x.a), v = x.v[i];
#pragma GCC ivdep
    for (size_t j = 0; j < head; ++j) row[j] = row[j] * x.w[j] + sa * x.b[j] + v * x.k[j];
  }
}

// One head, one position backwards. s: before the position, next: behind it, g: gradient of `next`, becomes that of s.
template <class Real>
inline __attribute__((always_inline)) void back7(const Real *s, const Real *next, Real *g, const Row7<Real> &x,
                                                 const Real *dy, const Wkv7Gradients<Real> &out, size_t at) {
  Real dr[head] = {}, dk[head] = {}, dw[head] = {}, db[head] = {}, da[head] = {};
  for (size_t i = 0; i < head; ++i) {
    Real *const row = g + i * head;
    const Real *const before = s + i * head, *const after = next + i * head;
    const Real d = dy[i], v = x.v[i], sa = dot(before, x.a);
    Real dv = 0, sb = 0;
#pragma GCC ivdep
    for (size_t j = 0; j < head; ++j) {
      const Real value = row[j] + d * x.r[j];
      row[j] = value;
      dr[j] += after[j] * d;
      dv += value * x.k[j];
      dk[j] += value * v;
      dw[j] += value * before[j];
      db[j] += value * sa;
      sb += value * x.b[j];
    }
    out.v[at + i] = dv;
#pragma GCC ivdep
    for (size_t j = 0; j < head; ++j) {
      da[j] += before[j] * sb;
      row[j] = row[j] * x.w[j] + sb * x.a[j];
    }
  }
  std::copy_n(dr, head, out.r + at), std::copy_n(dk, head, out.k + at), std::copy_n(dw, head, out.w + at);
  std::copy_n(da, head, out.a + at), std::copy_n(db, head, out.b + at);
}

template <class Real>
struct Row6 {
  const Real *r, *w, *k, *v, *u;
  Row6(const Wkv6Inputs<Real> &in, size_t at, size_t h)
      : r(in.r + at), w(in.w + at), k(in.k + at), v(in.v + at), u(in.u + h * head) {}
};

// s is [key][value]; y may be null.
template <class Real>
inline __attribute__((always_inline)) void step6(Real *s, const Row6<Real> &x, Real *y) {
  Real out[head] = {}, bonus = 0;
  for (size_t i = 0; i < head; ++i) {
    Real *const row = s + i * head;
    const Real r = x.r[i], w = x.w[i], k = x.k[i];
    bonus += r * x.u[i] * k;
#pragma GCC ivdep
    for (size_t j = 0; j < head; ++j) {
      out[j] += row[j] * r;
      row[j] = row[j] * w + k * x.v[j];
    }
  }
  if (!y) return;
  for (size_t j = 0; j < head; ++j) y[j] = out[j] + bonus * x.v[j];
}

template <class Real>
inline __attribute__((always_inline)) void back6(const Real *s, Real *g, const Row6<Real> &x, const Real *dy,
                                                 const Wkv6Gradients<Real> &out, Real *du, size_t at) {
  const Real c = dot(x.v, dy);
  Real dv[head] = {}, bonus = 0;
  for (size_t i = 0; i < head; ++i) {
    Real *const row = g + i * head;
    const Real *const before = s + i * head;
    const Real r = x.r[i], k = x.k[i], w = x.w[i], u = x.u[i];
    Real dr = 0, dk = 0, dw = 0;
    bonus += r * u * k;
#pragma GCC ivdep
    for (size_t j = 0; j < head; ++j) {
      const Real value = row[j];
      dr += before[j] * dy[j];
      dk += value * x.v[j];
      dv[j] += value * k;
      dw += value * before[j];
      row[j] = r * dy[j] + w * value;
    }
    out.r[at + i] = dr + u * k * c;
    out.k[at + i] = dk + u * r * c;
    out.w[at + i] = dw;
    du[i] += r * k * c;
  }
  for (size_t j = 0; j < head; ++j) out.v[at + j] = dv[j] + bonus * dy[j];
}

// The states before each position of a chunk, and behind its last one: [chunk + 1][64][64].
template <class Real>
struct Scratch {
  std::unique_ptr<Real[]> states{new Real[(chunk + 1) * square]}, gradient{new Real[square]};
  Real *at(size_t step) const { return states.get() + step * square; }
};

template <class Real>
inline __attribute__((always_inline)) void forward7(const WkvShape &shape, const Wkv7Inputs<Real> &in, Real *y,
                                                    Real *state_out, Real *checkpoints, size_t first, size_t last) {
  for (size_t index = first; index < last; ++index) {
    Real *const s = state_out + index * square;
    std::copy_n(in.state + index * square, square, s);
    for (size_t t = 0; t < shape.time; ++t) {
      if (t % chunk == 0) std::copy_n(s, square, checkpoints + (index * shape.chunks() + t / chunk) * square);
      const size_t at = place(shape, index, t);
      const Row7<Real> x(in, at);
      step7(s, x);
      for (size_t i = 0; i < head; ++i) y[at + i] = dot(s + i * head, x.r);
    }
  }
}

template <class Real>
inline __attribute__((always_inline)) void backward7(const WkvShape &shape, const Wkv7Inputs<Real> &in,
                                                     const Real *checkpoints, const Real *dy, const Real *dstate_out,
                                                     const Wkv7Gradients<Real> &out, size_t first, size_t last) {
  const Scratch<Real> scratch;
  Real *const g = scratch.gradient.get();
  for (size_t index = first; index < last; ++index) {
    std::copy_n(dstate_out + index * square, square, g);
    for (size_t part = shape.chunks(); part-- > 0;) {
      const size_t from = part * chunk, count = std::min(chunk, shape.time - from);
      std::copy_n(checkpoints + (index * shape.chunks() + part) * square, square, scratch.at(0));
      for (size_t step = 0; step < count; ++step) {
        std::copy_n(scratch.at(step), square, scratch.at(step + 1));
        step7(scratch.at(step + 1), Row7<Real>(in, place(shape, index, from + step)));
      }
      for (size_t step = count; step-- > 0;) {
        const size_t at = place(shape, index, from + step);
        back7(scratch.at(step), scratch.at(step + 1), g, Row7<Real>(in, at), dy + at, out, at);
      }
    }
    std::copy_n(g, square, out.state + index * square);
  }
}

template <class Real>
inline __attribute__((always_inline)) void forward6(const WkvShape &shape, const Wkv6Inputs<Real> &in, Real *y,
                                                    Real *state_out, Real *checkpoints, size_t first, size_t last) {
  for (size_t index = first; index < last; ++index) {
    Real *const s = state_out + index * square;
    std::copy_n(in.state + index * square, square, s);
    for (size_t t = 0; t < shape.time; ++t) {
      if (t % chunk == 0) std::copy_n(s, square, checkpoints + (index * shape.chunks() + t / chunk) * square);
      const size_t at = place(shape, index, t);
      step6(s, Row6<Real>(in, at, index % shape.heads), y + at);
    }
  }
}

template <class Real>
inline __attribute__((always_inline)) void backward6(const WkvShape &shape, const Wkv6Inputs<Real> &in,
                                                     const Real *checkpoints, const Real *dy, const Real *dstate_out,
                                                     const Wkv6Gradients<Real> &out, size_t first, size_t last) {
  const Scratch<Real> scratch;
  Real *const g = scratch.gradient.get();
  for (size_t index = first; index < last; ++index) {
    std::copy_n(dstate_out + index * square, square, g);
    Real *const du = out.u + index * head;
    std::fill_n(du, head, Real(0));
    for (size_t part = shape.chunks(); part-- > 0;) {
      const size_t from = part * chunk, count = std::min(chunk, shape.time - from);
      std::copy_n(checkpoints + (index * shape.chunks() + part) * square, square, scratch.at(0));
      for (size_t step = 0; step + 1 < count; ++step) {
        std::copy_n(scratch.at(step), square, scratch.at(step + 1));
        step6<Real>(scratch.at(step + 1), Row6<Real>(in, place(shape, index, from + step), index % shape.heads),
                    nullptr);
      }
      for (size_t step = count; step-- > 0;) {
        const size_t at = place(shape, index, from + step);
        back6(scratch.at(step), g, Row6<Real>(in, at, index % shape.heads), dy + at, out, du, at);
      }
    }
    std::copy_n(g, square, out.state + index * square);
  }
}

} // namespace

// Clones are made of plain functions only, so each width has its own.
#define RWKV_TRAIN_VERSION(Real, version)                                                                              \
  template <>                                                                                                          \
  RWKV_TRAIN_CLONES void wkv##version##_forward<Real>(const WkvShape &shape, const Wkv##version##Inputs<Real> &in,      \
                                                      Real *y, Real *state_out, Real *checkpoints, size_t first,       \
                                                      size_t last) {                                                   \
    forward##version(shape, in, y, state_out, checkpoints, first, last);                                               \
  }                                                                                                                    \
  template <>                                                                                                          \
  RWKV_TRAIN_CLONES void wkv##version##_backward<Real>(                                                                \
      const WkvShape &shape, const Wkv##version##Inputs<Real> &in, const Real *checkpoints, const Real *dy,            \
      const Real *dstate_out, const Wkv##version##Gradients<Real> &out, size_t first, size_t last) {                   \
    backward##version(shape, in, checkpoints, dy, dstate_out, out, first, last);                                       \
  }

RWKV_TRAIN_VERSION(float, 7)
RWKV_TRAIN_VERSION(double, 7)
RWKV_TRAIN_VERSION(float, 6)
RWKV_TRAIN_VERSION(double, 6)

} // namespace rwkv_train
