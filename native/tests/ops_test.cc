// The row ops and the recurrences of every target of this machine against the numbers of the specification (appendix
// A.2) and against fp64, and the laws: rows, heads and positions asked for together have the bits they have alone.
#include "../src/ops/ops.h"

#include "../src/ops/cpu/exp_f32.h"
#include "check.h"
#include "ops_oracle.h"

#include <cstring>
#include <functional>
#include <string>

using namespace rwkv;

namespace {

const char *target = ""; // at work

bool same_bits(const Row &a, const Row &b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}
// Relative to the size of the number, or to 1 where it is less.
void all_near(const char *op, const Row &got, const Wide &wanted, double bound = 1e-6) {
  CHECK(got.size() == wanted.size());
  double worst = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double error = std::fabs(got[i] - wanted[i]) / std::fmax(1, std::fabs(wanted[i]));
    worst = error <= worst ? worst : error; // keeps NaN
  }
  CHECK(worst <= bound);
  if (!(worst <= bound)) std::fprintf(stderr, "%s %s: off by %g\n", target, op, worst);
}
void all_near(const Row &got, const Row &wanted) { all_near("toy", got, Wide(wanted.begin(), wanted.end())); }

// e^x of the sampler; the ops have theirs below.
void exponential() {
  double worst = 0;
  for (float x = -86.5f; x < 87.5f; x += 0.0137f) {
    worst = std::fmax(worst, std::fabs(exp_f32(x) / std::exp(static_cast<double>(x)) - 1));
  }
  CHECK(worst < 2e-7);
  CHECK(exp_f32(0) == 1);
  CHECK(exp_f32(-1000) > 0 && exp_f32(-1000) < 2e-38f);
  CHECK(std::isfinite(exp_f32(1000)) && exp_f32(1000) > 1e38f);
}

// S of the specification is [value][key] for RWKV-7; here it is [key][value].
void toy(const Ops &ops) {
  const Row r[2]{{1, .5f}, {.25f, -1}}, w[2]{{.9f, .8f}, {.7f, .95f}}, k[2]{{.5f, -.5f}, {1, .25f}};
  const Row v[2]{{2, -1}, {.5f, 1}}, kk[2]{{.6f, .8f}, {.8f, -.6f}}, alpha[2]{{.5f, .25f}, {.75f, 1}};
  const Row y7[2]{{.5f, -.25f}, {.075f, -.0375f}}, s7[2]{{1, -.5f, -1, .5f}, {.36f, 1.07f, .015f, .305f}};
  const Row y6[2]{{.4f, -.2f}, {1.3125f, -.5f}}, s6[2]{{1, -.5f, -1, .5f}, {1.2f, .65f, -.825f, .725f}};
  const Row u{.3f, -.2f};
  Row seven(4), six(4), y(2);
  for (int t = 0; t < 2; ++t) {
    const Row minus_kk{-kk[t][0], -kk[t][1]}, b{kk[t][0] * alpha[t][0], kk[t][1] * alpha[t][1]};
    ops.wkv7(seven.data(), y.data(), r[t].data(), w[t].data(), k[t].data(), v[t].data(), minus_kk.data(), b.data(), 1,
             2, 1, 2);
    all_near(y, y7[t]), all_near(seven, s7[t]);
    ops.wkv6(six.data(), y.data(), r[t].data(), w[t].data(), k[t].data(), v[t].data(), u.data(), 1, 2, 1, 2);
    all_near(y, y6[t]), all_near(six, s6[t]);
  }
  Row z{-8, -2, 0, 3};
  const Row zero(4);
  ops.decay7(z.data(), zero.data(), 1, 4);
  all_near(z, {.9997966205f, .9302515673f, .7384031500f, .5611509068f});
}

// An op over single numbers: near f, and the same bits in any part of a row.
void single(const char *name, const std::function<void(float *x, const float *other, size_t count)> &op,
            const std::function<double(double x, double other)> &f, float scale) {
  constexpr size_t count = 203;
  const Row x = noise(count, 3, scale), other = noise(count, 4);
  Wide wanted;
  for (size_t i = 0; i < count; ++i) wanted.push_back(f(x[i], other[i]));
  Row got = x, alone = x;
  op(got.data(), other.data(), count);
  all_near(name, got, wanted);
  for (size_t i = 0; i < count; ++i) op(&alone[i], &other[i], 1);
  CHECK(same_bits(got, alone));
}

void singles(const Ops &ops) {
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  single("add", ops.add, [](double x, double y) { return x + y; }, 3);
  single("multiply", ops.multiply, [](double x, double y) { return x * y; }, 3);
  for (const float scale : {1.0f, 12.0f, 80.0f}) {
    const auto on_x = [&](const char *name, void (*op)(float *, size_t), const std::function<double(double)> &f) {
      single(name, [&](float *x, const float *, size_t count) { op(x, count); }, [&](double x, double) { return f(x); },
             scale);
    };
    on_x("tanh", ops.tanh, [](double x) { return std::tanh(x); });
    on_x("sigmoid", ops.sigmoid, sigmoid);
    on_x("silu", ops.silu, [&](double x) { return x * sigmoid(x); });
    on_x("relu_squared", ops.relu_squared, [](double x) { return x > 0 ? x * x : 0; });
    const auto biased = [&](const char *name, void (*op)(float *, const float *, size_t, size_t),
                            const std::function<double(double)> &f) {
      single(name, [&](float *x, const float *bias, size_t count) { op(x, bias, 1, count); },
             [&](double x, double bias) { return f(x + bias); }, scale);
    };
    biased("sigmoid_bias", ops.sigmoid_bias, sigmoid);
    biased("decay7", ops.decay7, [&](double x) { return std::exp(-std::exp(-0.5) * sigmoid(x)); });
    biased("decay6", ops.decay6, [](double x) { return std::exp(-std::exp(x)); });
  }
  // Far out nothing overflows, and what must stay inside its range does.
  Row far{-1e30f, -200, 200, 1e30f};
  const Row zero(4);
  Row tanh = far, sigmoids = far, decay = far, decay6 = far;
  ops.tanh(tanh.data(), 4), ops.sigmoid(sigmoids.data(), 4);
  ops.decay7(decay.data(), zero.data(), 1, 4), ops.decay6(decay6.data(), zero.data(), 1, 4);
  all_near(tanh, {-1, -1, 1, 1}), all_near(sigmoids, {0, 0, 1, 1});
  all_near(decay, {1, 1, .5452392f, .5452392f}), all_near(decay6, {1, 1, 0, 0});
}

// Ops over rows. Shapes: heads of 64 as in all models, and sizes that no register divides.
void rows_of(const Ops &ops, size_t heads, size_t size) {
  constexpr size_t rows = 5;
  const size_t width = heads * size, count = rows * width;
  const Row h = noise(count, 3, 4), one = noise(width, 4), two = noise(width, 5), other = noise(count, 6);
  // In one call and row by row; `row` gets the number of the first row and how many.
  const auto both_ways = [&](const Row &start, const std::function<void(float *out, size_t row, size_t n)> &op) {
    Row together = start, alone = start;
    op(together.data(), 0, rows);
    for (size_t t = 0; t < rows; ++t) op(alone.data() + t * width, t, 1);
    CHECK(same_bits(together, alone));
    return together;
  };
  for (const size_t groups : {size_t{1}, heads}) {
    const Row got = both_ways(Row(count), [&](float *out, size_t t, size_t n) {
      ops.norm(out, &h[t * width], one.data(), two.data(), n, width, groups, 64e-5f);
    });
    all_near("norm", got, norm_of(h, one, two, width, groups, 64e-5), 2e-6);
    Row in_place = h;
    ops.norm(in_place.data(), in_place.data(), one.data(), two.data(), rows, width, groups, 64e-5f);
    CHECK(same_bits(in_place, got));
  }
  Row previous = two, previous_alone = two, delta(count), delta_alone(count);
  ops.token_shift(delta.data(), previous.data(), h.data(), rows, width);
  for (size_t t = 0; t < rows; ++t) {
    ops.token_shift(&delta_alone[t * width], previous_alone.data(), &h[t * width], 1, width);
  }
  CHECK(same_bits(delta, delta_alone) && same_bits(previous, previous_alone));
  CHECK(same_bits(previous, Row(h.end() - static_cast<ptrdiff_t>(width), h.end())));
  Wide shifted, mixed, kept;
  for (size_t i = 0; i < count; ++i) {
    shifted.push_back(double{i < width ? two[i] : h[i - width]} - h[i]);
    mixed.push_back(h[i] + double{delta[i]} * one[i % width]);
    kept.push_back(h[i] + (double{other[i]} - h[i]) * delta[i]);
  }
  all_near("token_shift", delta, shifted);
  all_near("mix", both_ways(Row(count), [&](float *out, size_t t, size_t n) {
             ops.mix(out, &h[t * width], &delta[t * width], one.data(), n, width);
           }), mixed);
  all_near("residual_value", both_ways(h, [&](float *out, size_t t, size_t n) {
             ops.residual_value(out, &other[t * width], &delta[t * width], n * width);
           }), kept);
  Row k = h, minus_kk(count), b(count);
  const Row bonus = both_ways(other, [&](float *out, size_t t, size_t n) {
    const size_t at = t * width;
    ops.bonus7(out, &h[at], &delta[at], &h[at], one.data(), &other[at], n, heads, size);
  });
  all_near("bonus7", bonus, bonus_of(other, h, delta, h, one, other, heads, size), 4e-6);
  const Keys keys = keys_of(h, other, one, two, heads, size);
  const auto run = [&](size_t part) {
    return both_ways(h, [&](float *out, size_t t, size_t n) {
      const size_t at = t * width;
      Row key(h.begin() + static_cast<ptrdiff_t>(at), h.end()), minus(n * width), times(n * width);
      ops.keys7(key.data(), minus.data(), times.data(), &other[at], one.data(), two.data(), n, heads, size);
      std::memcpy(out, (part == 0 ? key : part == 1 ? minus : times).data(), n * width * sizeof(float));
    });
  };
  all_near("keys7 k", run(0), keys.k), all_near("keys7 -kk", run(1), keys.minus_kk);
  all_near("keys7 b", run(2), keys.b);
  Row zero(width), ones(width, 1); // a zero key stays zero instead of becoming NaN
  ops.keys7(zero.data(), minus_kk.data(), b.data(), ones.data(), ones.data(), ones.data(), 1, heads, size);
  for (size_t i = 0; i < width; ++i) CHECK(minus_kk[i] == 0 && b[i] == 0 && zero[i] == 0);
}

// Both recurrences: `rows` positions `stride` apart in one call, one by one, and a head at a time.
void recurrence(const Ops &ops, size_t heads, size_t size, size_t rows, bool seven) {
  const size_t width = heads * size, stride = width + 7, count = rows * stride;
  Sequence in{noise(count, 10), noise(count, 11), noise(count, 12),
              noise(count, 13), noise(count, 14), noise(count, 15)};
  for (float &w : in.w) w = 0.75f + 0.2f * w;
  for (float &x : in.minus_kk) x /= std::sqrt(static_cast<float>(size));
  for (float &x : in.b) x /= std::sqrt(static_cast<float>(size));
  const Row start = noise(width * size, 9);
  const auto run = [&](Row &s, Row &y, size_t at, size_t n, size_t first, size_t last) {
    float *state = &s[first * size * size];
    const size_t from = at * stride + first * size;
    if (seven) {
      ops.wkv7(state, &y[from], &in.r[from], &in.w[from], &in.k[from], &in.v[from], &in.minus_kk[from], &in.b[from], n,
               stride, last - first, size);
    } else {
      ops.wkv6(state, &y[from], &in.r[from], &in.w[from], &in.k[from], &in.v[from], &in.u[first * size], n, stride,
               last - first, size);
    }
  };
  Row s = start, y(count, 7), s_alone = start, y_alone(count, 7), s_heads = start, y_heads(count, 7);
  run(s, y, 0, rows, 0, heads);
  for (size_t t = 0; t < rows; ++t) run(s_alone, y_alone, t, 1, 0, heads);
  for (size_t h = 0; h < heads; ++h) run(s_heads, y_heads, 0, rows, h, h + 1);
  CHECK(same_bits(s, s_alone) && same_bits(y, y_alone));
  CHECK(same_bits(s, s_heads) && same_bits(y, y_heads));
  Wide exact_s(start.begin(), start.end()), exact_y(count, 7);
  recurrence_of(exact_s, exact_y, in, rows, stride, heads, size, seven);
  all_near(seven ? "wkv7 y" : "wkv6 y", y, exact_y, 3e-6);
  all_near(seven ? "wkv7 S" : "wkv6 S", s, exact_s, 3e-6);
}

} // namespace

// Every target, or the one that is named.
int main(int count, char **arguments) {
  exponential();
  CHECK(count < 2 || cpu_ops(arguments[1]));
  const CpuTables found = cpu_tables();
  for (size_t i = 0; i < found.count; ++i) {
    const Ops &ops = *found.tables[i];
    target = ops.name;
    if (count > 1 && std::string(arguments[1]) != target) continue;
    toy(ops);
    singles(ops);
    for (const auto &[heads, size] : {std::pair<size_t, size_t>{3, 64}, {2, 32}, {3, 5}, {2, 40}, {1, 17}}) {
      rows_of(ops, heads, size);
      for (const size_t rows : {1, 2, 9}) {
        for (const bool seven : {true, false}) recurrence(ops, heads, size, rows, seven);
      }
    }
    std::printf("row ops of %s: done\n", target);
  }
  return report("ops");
}
