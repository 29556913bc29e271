// The ops against the numbers of the specification (appendix A.2), against plain double arithmetic, and the
// tables of this machine against each other, bit for bit.
#include "../src/ops/ops.h"

#include "../src/ops/cpu/exp_f32.h"
#include "check.h"

#include <cstring>
#include <functional>
#include <string>
#include <vector>

using namespace rwkv;
using Row = std::vector<float>;

namespace {

Row noise(size_t count, uint32_t seed, float scale = 1) {
  Row out(count);
  for (float &value : out) {
    seed = seed * 1664525u + 1013904223u;
    value = scale * (static_cast<float>(seed >> 8) / 8388608.0f - 1);
  }
  return out;
}

bool same_bits(const Row &a, const Row &b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

void all_near(const Row &got, const Row &wanted) {
  CHECK(got.size() == wanted.size());
  for (size_t i = 0; i < got.size(); ++i) CHECK_NEAR(got[i], wanted[i], 1e-6);
}

void toy(const Ops &ops) {
  const Row r[2]{{1, .5f}, {.25f, -1}}, w[2]{{.9f, .8f}, {.7f, .95f}}, k[2]{{.5f, -.5f}, {1, .25f}};
  const Row v[2]{{2, -1}, {.5f, 1}}, kk[2]{{.6f, .8f}, {.8f, -.6f}}, alpha[2]{{.5f, .25f}, {.75f, 1}};
  const Row y7[2]{{.5f, -.25f}, {.075f, -.0375f}}, s7[2]{{1, -1, -.5f, .5f}, {.36f, .015f, 1.07f, .305f}};
  const Row y6[2]{{.4f, -.2f}, {1.3125f, -.5f}}, s6[2]{{1, -.5f, -1, .5f}, {1.2f, .65f, -.825f, .725f}};
  const Row u{.3f, -.2f};
  Row seven(4), six(4), y(2);
  for (int t = 0; t < 2; ++t) {
    const Row minus_kk{-kk[t][0], -kk[t][1]}, b{kk[t][0] * alpha[t][0], kk[t][1] * alpha[t][1]};
    ops.wkv7(seven.data(), y.data(), r[t].data(), w[t].data(), k[t].data(), v[t].data(), minus_kk.data(), b.data(),
             1, 2);
    all_near(y, y7[t]), all_near(seven, s7[t]);
    ops.wkv6(six.data(), y.data(), r[t].data(), w[t].data(), k[t].data(), v[t].data(), u.data(), 1, 2);
    all_near(y, y6[t]), all_near(six, s6[t]);
  }
  Row z{-8, -2, 0, 3};
  const Row zero(4);
  ops.decay7(z.data(), zero.data(), 1, 4);
  all_near(z, {.9997966205f, .9302515673f, .7384031500f, .5611509068f});
}

void exponential() {
  double worst = 0;
  for (float x = -86.5f; x < 87.5f; x += 0.0137f) {
    worst = std::fmax(worst, std::fabs(exp_f32(x) / std::exp(static_cast<double>(x)) - 1));
  }
  CHECK(worst < 2e-7);
  CHECK(exp_f32(0) == 1);
  CHECK(exp_f32(-1000) > 0 && exp_f32(-1000) < 2e-38f);
  CHECK(std::isfinite(exp_f32(1000)) && exp_f32(1000) > 1e38f);
  for (float x = -20; x < 20; x += 0.01f) {
    CHECK(std::fabs(tanh_f32(x) - std::tanh(x)) < 2e-7);
    CHECK(std::fabs(sigmoid_f32(x) - 1 / (1 + std::exp(-static_cast<double>(x)))) < 2e-7);
  }
}

// Normalised error: fp32 sums of n products of random sign stay within a few 1e-7 of the exact value.
void matmul_is_right(const Ops &ops) {
  for (const size_t in : {1, 15, 16, 17, 128, 200}) {
    for (const size_t rows : {1, 3, 4, 9}) {
      const size_t out_width = in + 3;
      const Row x = noise(rows * in, 1), w = noise(out_width * in, 2);
      Row got(rows * out_width);
      ops.matmul(got.data(), x.data(), {w.data(), Dtype::f32}, rows, in, out_width, 0, out_width);
      double error = 0, size = 0;
      for (size_t t = 0; t < rows; ++t) {
        for (size_t m = 0; m < out_width; ++m) {
          double exact = 0;
          for (size_t i = 0; i < in; ++i) exact += double{x[t * in + i]} * w[m * in + i];
          error += (got[t * out_width + m] - exact) * (got[t * out_width + m] - exact), size += exact * exact;
        }
      }
      CHECK(error <= 1e-12 * size);
      Row alone(out_width); // a row has the same bits alone
      ops.matmul(alone.data(), x.data() + (rows - 1) * in, {w.data(), Dtype::f32}, 1, in, out_width, 0, out_width);
      CHECK(same_bits(alone, Row(got.end() - static_cast<ptrdiff_t>(out_width), got.end())));
    }
  }
}

// Everything a table can do, on the same inputs: the outputs one behind the other.
Row everything(const Ops &ops) {
  constexpr size_t rows = 5, heads = 3, size = 64, width = heads * size, count = rows * width;
  Row all;
  const auto keep = [&](const Row &row) { all.insert(all.end(), row.begin(), row.end()); };
  const Row h = noise(count, 3, 4), bias = noise(width, 4), mu = noise(width, 5);
  const auto in_place = [&](const std::function<void(float *)> &op) {
    Row x = h;
    op(x.data());
    keep(x);
  };
  Row out(count), previous = noise(width, 6);
  const Row w0 = noise(width * width, 7);
  ops.matmul(out.data(), h.data(), {w0.data(), Dtype::f32}, rows, width, width, 0, width), keep(out);
  ops.norm(out.data(), h.data(), mu.data(), bias.data(), rows, width, 1, 1e-5f), keep(out);
  ops.norm(out.data(), h.data(), mu.data(), bias.data(), rows, width, heads, 64e-5f), keep(out);
  Row delta(count);
  ops.token_shift(delta.data(), previous.data(), h.data(), rows, width), keep(delta), keep(previous);
  ops.mix(out.data(), h.data(), delta.data(), mu.data(), rows, width), keep(out);
  in_place([&](float *x) { ops.add(x, delta.data(), count); });
  in_place([&](float *x) { ops.multiply(x, delta.data(), count); });
  in_place([&](float *x) { ops.tanh(x, count); });
  in_place([&](float *x) { ops.sigmoid(x, count); });
  in_place([&](float *x) { ops.silu(x, count); });
  in_place([&](float *x) { ops.relu_squared(x, count); });
  in_place([&](float *x) { ops.sigmoid_bias(x, bias.data(), rows, width); });
  in_place([&](float *x) { ops.decay6(x, bias.data(), rows, width); });
  in_place([&](float *x) { ops.residual_value(x, delta.data(), out.data(), count); });
  Row w = h, a = h, k = noise(count, 8), minus_kk(count), b(count), s = noise(width * size, 9), y(count);
  ops.decay7(w.data(), bias.data(), rows, width), keep(w);
  ops.sigmoid(a.data(), count);
  ops.keys7(k.data(), minus_kk.data(), b.data(), a.data(), mu.data(), bias.data(), rows, heads, size);
  keep(k), keep(minus_kk), keep(b);
  const Row r = noise(count, 10), v = noise(count, 11);
  for (size_t at = 0; at < count; at += width) {
    ops.wkv7(s.data(), y.data() + at, r.data() + at, w.data() + at, k.data() + at, v.data() + at,
             minus_kk.data() + at, b.data() + at, heads, size);
  }
  keep(s), keep(y);
  ops.bonus7(y.data(), r.data(), k.data(), v.data(), mu.data(), a.data(), rows, heads, size), keep(y);
  ops.wkv6(s.data(), y.data(), r.data(), w.data(), k.data(), v.data(), bias.data(), heads, size), keep(s), keep(y);
  return all;
}

void keys_have_length_one(const Ops &ops) {
  Row k = noise(128, 1), minus_kk(128), b(128);
  const Row ones(128, 1), a(128, .5f);
  ops.keys7(k.data(), minus_kk.data(), b.data(), a.data(), ones.data(), ones.data(), 1, 2, 64);
  for (int head = 0; head < 2; ++head) {
    double length = 0;
    for (int j = 0; j < 64; ++j) length += double{minus_kk[head * 64 + j]} * minus_kk[head * 64 + j];
    CHECK_NEAR(length, 1, 1e-5);
  }
  Row zero(64); // a zero key stays zero instead of becoming NaN
  ops.keys7(zero.data(), minus_kk.data(), b.data(), a.data(), ones.data(), ones.data(), 1, 1, 64);
  CHECK(std::isfinite(minus_kk[0]) && minus_kk[0] == 0);
}

} // namespace

int main() {
  exponential();
  const CpuTables found = cpu_tables();
  CHECK(found.count >= 1);
  CHECK(std::string(found.tables[0]->name) == "plain");
  CHECK(&cpu_ops() == found.tables[found.count - 1]);
  const Row plain = everything(*found.tables[0]);
  for (const float value : plain) CHECK(std::isfinite(value));
  for (size_t i = 0; i < found.count; ++i) {
    const Ops &ops = *found.tables[i];
    toy(ops);
    matmul_is_right(ops);
    keys_have_length_one(ops);
    CHECK(same_bits(everything(ops), plain));
    std::printf("table %s: same bits as plain\n", ops.name);
  }
  return report("ops");
}
