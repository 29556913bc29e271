// Norms, shift and mixes against double arithmetic: several spans in one launch, odd widths, and the memory that the next
// wave reads.
#include "../rows.h"
#include "on_device.h"

#include <memory>

using namespace rwkv::cuda;

namespace {

using Doubles = std::vector<double>;

Doubles norm(const float *x, const std::vector<float> &weight, const std::vector<float> &bias) {
  const size_t width = weight.size();
  double mean = 0, variance = 0;
  for (size_t i = 0; i < width; ++i) mean += x[i];
  mean /= static_cast<double>(width);
  for (size_t i = 0; i < width; ++i) variance += (x[i] - mean) * (x[i] - mean);
  const double scale = 1 / std::sqrt(variance / static_cast<double>(width) + 1e-5);
  Doubles out(width);
  for (size_t i = 0; i < width; ++i) out[i] = (x[i] - mean) * scale * weight[i] + bias[i];
  return out;
}

void shift_mix(uint32_t width, uint32_t mixes, Noise &noise) {
  const std::vector<uint32_t> spans{1, 5, 2};
  const uint32_t rows = 8, offset = 12;
  const auto x = noise.reals(size_t{rows} * width, 3), weight = noise.reals(width, .2f, 1), bias = noise.reals(width);
  const auto before = noise.reals(spans.size() * (offset + width));
  std::vector<std::vector<float>> mu;
  for (uint32_t m = 0; m < mixes; ++m) mu.push_back(noise.reals(width));
  Doubles wanted(size_t{mixes} * rows * width), wanted_memory(before.begin(), before.end());
  uint32_t row = 0;
  for (size_t span = 0; span < spans.size(); ++span) {
    double *const memory = wanted_memory.data() + span * (offset + width) + offset;
    for (uint32_t end = row + spans[span]; row < end; ++row) {
      const Doubles h = norm(x.data() + size_t{row} * width, weight, bias);
      for (uint32_t i = 0; i < width; ++i) {
        for (uint32_t m = 0; m < mixes; ++m) {
          wanted[(size_t{m} * rows + row) * width + i] = h[i] + (memory[i] - h[i]) * mu[m][i];
        }
        memory[i] = h[i];
      }
    }
  }
  each_schedule([&] {
    const OnDevice<float> dx(x), dw(weight), db(bias), out(wanted.size()), memory(before);
    const OnDevice<uint32_t> row_max(std::vector<uint32_t>(rows, 7));
    std::vector<RowPlace> places;
    for (size_t span = 0; span < spans.size(); ++span) {
      const auto first = static_cast<uint32_t>(places.size());
      for (uint32_t i = 0; i < spans[span]; ++i) {
        places.push_back({memory + span * (offset + width), first, first + spans[span] - 1});
      }
    }
    const OnDevice<RowPlace> table(places);
    std::vector<std::unique_ptr<OnDevice<float>>> mus;
    ShiftMix mix{dx, dw, db, table, offset, out, {}, row_max, mixes, rows, width};
    for (uint32_t m = 0; m < mixes; ++m) mix.mu[m] = *mus.emplace_back(std::make_unique<OnDevice<float>>(mu[m]));
    launch_shift_mix(mix, nullptr);
    CHECK(normalised_error(out.get(), wanted) < 1e-6);
    CHECK(normalised_error(memory.get(), wanted_memory) < 1e-6);
    CHECK(row_max.get() == std::vector<uint32_t>(rows, 0));
  });
}

void norm_rows(uint32_t width, Noise &noise) {
  const uint32_t rows = 3;
  const auto x = noise.reals(size_t{rows} * width, 3, 1), weight = noise.reals(width, .2f, 1), bias = noise.reals(width);
  Doubles wanted;
  for (uint32_t row = 0; row < rows; ++row) {
    const Doubles one = norm(x.data() + size_t{row} * width, weight, bias);
    wanted.insert(wanted.end(), one.begin(), one.end());
  }
  each_schedule([&] {
    const OnDevice<float> dx(x), dw(weight), db(bias);
    launch_norm(dx, dw, db, rows, width, nullptr);
    CHECK(normalised_error(dx.get(), wanted) < 1e-6);
  });
}

} // namespace

int main() {
  Noise noise;
  for (const uint32_t width : {1u, 64u, 192u, 331u}) {
    shift_mix(width, 6, noise), shift_mix(width, 1, noise);
    norm_rows(width, noise);
  }
  return report("rows");
}
