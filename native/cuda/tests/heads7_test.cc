// The heads of RWKV-7 against double arithmetic: one row of many states, many rows of one, both together; and one row at a
// time, which must give the same bits.
#include "../heads7.h"
#include "on_device.h"

#include <algorithm>

using namespace rwkv::cuda;

namespace {

using Doubles = std::vector<double>;
constexpr size_t n = head_size;

struct Inputs {
  Inputs(size_t row_count, size_t head_count, const std::vector<uint32_t> &span_rows, Noise &noise)
      : rows(row_count), heads(head_count), width(heads * n), spans(span_rows) {
    for (auto *block : {&r, &k, &v, &g}) *block = noise.reals(rows * width);
    w = noise.reals(rows * width, .2f, .78f), a = noise.reals(rows * width, .49f, .5f);
    k_k = noise.reals(width, .2f, .8f), k_a = noise.reals(width, .2f, 1), r_k = noise.reals(width, .3f);
    norm_weight = noise.reals(width, .3f, 1), norm_bias = noise.reals(width, .3f);
    if (rows > 0) std::fill_n(k.begin(), n, 0.0f); // a zero key stays zero instead of becoming NaN
    memory = noise.reals(spans.size() * stride());
  }
  size_t stride() const { return offset + width * n; }

  static constexpr size_t offset = 20;
  size_t rows, heads, width;
  std::vector<uint32_t> spans;
  std::vector<float> r, w, k, v, a, g, k_k, k_a, r_k, norm_weight, norm_bias, memory;
};

// One row of one head; s[key][value].
void step(const Inputs &in, size_t row, size_t head, double *s, double *y) {
  const size_t at = row * in.width + head * n, channel = head * n;
  double kk[n], k[n], length = 0, bonus = 0, mean = 0, variance = 0;
  for (size_t j = 0; j < n; ++j) {
    kk[j] = double{in.k[at + j]} * in.k_k[channel + j], length += kk[j] * kk[j];
    k[j] = in.k[at + j] * (1 + (in.a[at + j] - 1.0) * in.k_a[channel + j]);
    bonus += in.r[at + j] * k[j] * in.r_k[channel + j];
  }
  for (double &value : kk) value /= std::max(std::sqrt(length), 1e-12);
  for (size_t i = 0; i < n; ++i) {
    double removed = 0, sum = 0;
    for (size_t j = 0; j < n; ++j) removed -= s[j * n + i] * kk[j];
    for (size_t j = 0; j < n; ++j) {
      s[j * n + i] = s[j * n + i] * in.w[at + j] + removed * kk[j] * in.a[at + j] + in.v[at + i] * k[j];
      sum += s[j * n + i] * in.r[at + j];
    }
    y[at + i] = sum, mean += sum / n;
  }
  for (size_t i = 0; i < n; ++i) variance += (y[at + i] - mean) * (y[at + i] - mean) / n;
  for (size_t i = 0; i < n; ++i) {
    const double normed = (y[at + i] - mean) / std::sqrt(variance + 64e-5);
    y[at + i] = (normed * in.norm_weight[channel + i] + in.norm_bias[channel + i] + bonus * in.v[at + i]) * in.g[at + i];
  }
}

struct Outputs {
  std::vector<float> y, memory;
};

// The rows of each span in launches of at most `rows_max`.
Outputs run(const Inputs &in, uint32_t rows_max) {
  const OnDevice<float> r(in.r), w(in.w), k(in.k), v(in.v), a(in.a), g(in.g), k_k(in.k_k), k_a(in.k_a), r_k(in.r_k);
  const OnDevice<float> weight(in.norm_weight), bias(in.norm_bias), memory(in.memory), y(in.rows * in.width);
  for (uint32_t done = 0;; done += rows_max) {
    std::vector<SpanPlace> spans;
    uint32_t first = 0;
    for (size_t i = 0; i < in.spans.size(); first += in.spans[i++]) {
      if (done < in.spans[i]) {
        spans.push_back({memory + i * in.stride(), first + done, std::min(rows_max, in.spans[i] - done)});
      }
    }
    if (spans.empty()) return {y.get(), memory.get()};
    const OnDevice<SpanPlace> table(spans);
    launch_heads7({r, w, k, v, a, g, k_k, k_a, r_k, weight, bias, table, Inputs::offset, y,
                   static_cast<uint32_t>(spans.size()), static_cast<uint32_t>(in.width)},
                  nullptr);
    check_cuda(cudaDeviceSynchronize());
  }
}

void is_right(size_t heads, const std::vector<uint32_t> &spans, Noise &noise) {
  size_t rows = 0;
  for (const uint32_t count : spans) rows += count;
  const Inputs in(rows, heads, spans, noise);
  Doubles y(rows * in.width), memory(in.memory.begin(), in.memory.end());
  for (size_t span = 0, row = 0; span < spans.size(); row += spans[span++]) {
    for (size_t t = row; t < row + spans[span]; ++t) {
      for (size_t h = 0; h < heads; ++h) step(in, t, h, &memory[span * in.stride() + Inputs::offset + h * n * n], y.data());
    }
  }
  each_schedule([&] {
    const Outputs whole = run(in, 1000);
    CHECK(normalised_error(whole.y, y) < 3e-6);
    CHECK(normalised_error(whole.memory, memory) < 2e-6);
    if (spans != std::vector<uint32_t>{4, 1}) return;
    const Outputs one_by_one = run(in, 1);
    CHECK(same_bits(whole.y, one_by_one.y));
    CHECK(same_bits(whole.memory, one_by_one.memory));
  });
}

} // namespace

int main() {
  Noise noise;
  is_right(1, {1}, noise), is_right(3, {1, 1, 1}, noise), is_right(2, {4, 1}, noise), is_right(2, {19}, noise);
  return report("heads7");
}
