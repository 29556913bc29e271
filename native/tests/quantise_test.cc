// fp32 to blocks: the values that come back are as near as the format allows, extremes are cut and not broken, halves
// round as IEEE says. Bounds are relative errors of normal numbers, a little above what the published k-quants reach.
#include "../src/quantise.h"

#include "../src/half.h"
#include "../src/tiles.h"
#include "../src/weights_types.h"
#include "check.h"

#include <cstring>
#include <vector>

using namespace rwkv;

namespace {

struct Case {
  Format format;
  Stored stored;
  double bound; // of sqrt(Σ error² / Σ x²)
};
constexpr Case cases[] = {{Format::f16, Stored::f16, 3e-4},   {Format::bf16, Stored::bf16, 2.5e-3},
                          {Format::q8, Stored::q8_0, 7e-3},   {Format::q6, Stored::q6_k, 2.2e-2},
                          {Format::q4, Stored::q4_k, 8.2e-2}};

// About normal: a sum of twelve uniform numbers.
std::vector<float> normal(size_t count, float scale, float middle, uint32_t seed) {
  std::vector<float> out(count);
  for (float &value : out) {
    float sum = -6.0f;
    for (int i = 0; i < 12; ++i) sum += static_cast<float>((seed = seed * 1664525u + 1013904223u) >> 8) / 16777216.0f;
    value = sum * scale + middle;
  }
  return out;
}

std::vector<float> there_and_back(const Case &format, const std::vector<float> &x) {
  std::vector<uint8_t> blocks(row_bytes(format.format, x.size()));
  quantise(blocks.data(), format.format, x.data(), x.size());
  CHECK(all_finite(blocks.data(), x.size(), format.stored));
  std::vector<float> out(x.size());
  widen(out.data(), blocks.data(), x.size(), format.stored);
  return out;
}

double error(const std::vector<float> &x, const std::vector<float> &y) {
  double off = 0, all = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    off += (double{x[i]} - y[i]) * (double{x[i]} - y[i]), all += double{x[i]} * x[i];
  }
  return std::sqrt(off / all);
}

void errors_are_small() {
  for (const Case &format : cases) {
    for (const float scale : {1e-3f, 0.05f, 1.0f, 100.0f}) {
      const auto x = normal(256 * 40, scale, 0.0f, 5);
      const double found = error(x, there_and_back(format, x));
      if (found > format.bound) std::fprintf(stderr, "format %d scale %g: %g\n", int(format.format), scale, found);
      CHECK(found <= format.bound);
      CHECK(found > format.bound / 8); // the bound means something
    }
    const auto moved = normal(256 * 8, 0.1f, 1.0f, 9); // all of one sign
    CHECK(error(moved, there_and_back(format, moved)) <= format.bound);
  }
}

void extremes() {
  for (const Case &format : cases) {
    const std::vector<float> zeros(512);
    CHECK(there_and_back(format, zeros) == zeros);
    std::vector<float> one(512);
    one[300] = -3.0f;
    CHECK_NEAR(there_and_back(format, one)[300], -3.0, 0.02);
    if (format.format <= Format::bf16) continue;
    for (const float large : {1e-42f, 1e-30f, 1e-7f, 60000.0f, 1e9f, 3e38f}) { // finite blocks, whatever comes
      auto x = normal(512, 0.25f, 0.0f, 3);
      for (float &value : x) value *= large;
      there_and_back(format, x);
    }
  }
}

void q8_is_exact_for_its_own_numbers() {
  std::vector<float> x(64);
  for (size_t i = 0; i < x.size(); ++i) x[i] = 0.25f * (static_cast<float>(i * 37 % 255) - 127.0f);
  x[0] = x[32] = -31.75f; // the largest of each block: d is 0.25
  CHECK(there_and_back(cases[2], x) == x);
}

void halves() {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = from_half(half);
    if (std::isnan(value)) {
      CHECK(std::isnan(from_half(to_half(value))));
      continue;
    }
    if (to_half(value) != half) CHECK(to_half(value) == half);
    if ((bits & 0x7fff) >= 0x7bff) continue;
    const float next = from_half(static_cast<uint16_t>(bits + 1)), between = (value + next) / 2;
    const auto even = static_cast<uint16_t>(bits + (bits & 1));
    if (to_half(between) != even) CHECK(to_half(between) == even);
    const float nearer = std::nextafter(between, value);
    if (to_half(nearer) != half) CHECK(to_half(nearer) == half);
  }
  CHECK(to_half(65519.0f) == 0x7bff && to_half(65520.0f) == 0x7c00 && to_half(-1e30f) == 0xfc00);
}

} // namespace

int main() {
  errors_are_small();
  extremes();
  q8_is_exact_for_its_own_numbers();
  halves();
  return report("quantise");
}
