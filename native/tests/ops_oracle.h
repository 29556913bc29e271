// What the row ops compute, in fp64 and as the comments of ops.h say it: the oracle of ops_test.cc.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

using Row = std::vector<float>;
using Wide = std::vector<double>;

inline Row noise(size_t count, uint32_t seed, float scale = 1) {
  Row out(count);
  for (float &value : out) {
    seed = seed * 1664525u + 1013904223u;
    value = scale * (static_cast<float>(seed >> 8) / 8388608.0f - 1);
  }
  return out;
}

inline Wide norm_of(const Row &x, const Row &weight, const Row &bias, size_t width, size_t groups, double epsilon) {
  Wide out;
  const size_t size = width / groups;
  for (size_t from = 0; from < x.size(); from += size) {
    double mean = 0, variance = 0;
    for (size_t i = 0; i < size; ++i) mean += x[from + i] / static_cast<double>(size);
    for (size_t i = 0; i < size; ++i) variance += std::pow(x[from + i] - mean, 2) / static_cast<double>(size);
    for (size_t i = from; i < from + size; ++i) {
      out.push_back((x[i] - mean) / std::sqrt(variance + epsilon) * weight[i % width] + bias[i % width]);
    }
  }
  return out;
}

struct Keys {
  Wide k, minus_kk, b;
};
inline Keys keys_of(const Row &k0, const Row &a, const Row &k_k, const Row &k_a, size_t heads, size_t size) {
  Keys out;
  const size_t width = heads * size;
  for (size_t from = 0; from < k0.size(); from += size) {
    double squares = 0;
    for (size_t i = from; i < from + size; ++i) squares += std::pow(double{k0[i]} * k_k[i % width], 2);
    for (size_t i = from; i < from + size; ++i) {
      const double kk = k0[i] * double{k_k[i % width]} / std::fmax(std::sqrt(squares), 1e-12);
      out.minus_kk.push_back(-kk);
      out.b.push_back(kk * a[i]);
      out.k.push_back(k0[i] * (1 + (double{a[i]} - 1) * k_a[i % width]));
    }
  }
  return out;
}

inline Wide bonus_of(const Row &y, const Row &r, const Row &k, const Row &v, const Row &r_k, const Row &g, size_t heads,
                     size_t size) {
  Wide out;
  for (size_t from = 0; from < y.size(); from += size) {
    double bonus = 0;
    for (size_t i = from; i < from + size; ++i) bonus += double{r[i]} * k[i] * r_k[i % (heads * size)];
    for (size_t i = from; i < from + size; ++i) out.push_back((y[i] + bonus * v[i]) * g[i]);
  }
  return out;
}

// r, w, k, v, and minus_kk, b of RWKV-7; u of RWKV-6 is the first position of b.
struct Sequence {
  Row r, w, k, v, minus_kk, b;
  const Row &u = b;
};
// S[h][key j][value i]; position t of head h begins at t · stride + h · size.
inline void recurrence_of(Wide &s, Wide &y, const Sequence &in, size_t rows, size_t stride, size_t heads, size_t size,
                          bool seven) {
  for (size_t t = 0; t < rows; ++t) {
    for (size_t h = 0; h < heads; ++h) {
      const size_t at = t * stride + h * size;
      for (size_t i = 0; i < size; ++i) {
        double removed = 0, out = 0, bonus = 0;
        const auto state = [&](size_t j) -> double & { return s[(h * size + j) * size + i]; };
        for (size_t j = 0; j < size; ++j) {
          removed += state(j) * in.minus_kk[at + j];
          bonus += double{in.r[at + j]} * in.u[h * size + j] * in.k[at + j];
        }
        for (size_t j = 0; j < size; ++j) {
          const double before = state(j), added = double{in.v[at + i]} * in.k[at + j];
          state(j) = before * in.w[at + j] + added + (seven ? removed * in.b[at + j] : 0);
          out += (seven ? state(j) : before) * in.r[at + j];
        }
        y[at + i] = seven ? out : out + bonus * in.v[at + i];
      }
    }
  }
}
