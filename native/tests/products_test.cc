// The products of every target of this machine, in every format, against sums in fp64 of the exact weights. The bound
// of a number is what its target does to inputs, worst case, and rounding. Nothing depends on who else is computed.
#include "../src/ops/ops.h"
#include "check.h"
#include "format_rows.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

namespace {

using namespace rwkv;
using Row = std::vector<float>;

constexpr size_t most_rows = 100;

const char *name_of(Format format) { return format_names[static_cast<size_t>(format)]; }
bool is_integer(Format format) { return format >= Format::q8; }
size_t tiles_of(const Matrix &w) { return tile_count(w.rows); }

// Relative error of an input of these formats once prepared. Integers: see input_errors.
double rounding_of_inputs(const std::string &target, Format format) {
  if (format != Format::bf16) return 0;
  if (target == "vnni") return 0x1p-8; // a bf16 number
  return target == "amx" ? 0x1p-16 : 0; // two of them
}

// What a target may do to each number of a row of inputs.
std::vector<double> input_errors(const std::string &target, Format format, const float *x, size_t columns) {
  std::vector<double> errors(columns);
  for (size_t i = 0; i < columns; ++i) errors[i] = rounding_of_inputs(target, format) * std::fabs(x[i]);
  if (!is_integer(format) || target == "plain") return errors;
  for (size_t first = 0; first < columns; first += 32) { // half a step of 254 between the least and the most
    float most = 0;
    for (size_t i = first; i < first + 32; ++i) most = std::fmax(most, std::fabs(x[i]));
    for (size_t i = first; i < first + 32; ++i) errors[i] = most / 254 * 1.00001;
  }
  return errors;
}

// Rows of a product, computed in one go or only some of its tiles. `out` is written there and nowhere else.
Row product(const Ops &ops, const float *x, const Matrix &w, size_t rows, size_t first, size_t last) {
  const Products &products = ops.products;
  const size_t bytes = products.input_bytes(w.format, rows, w.columns);
  CHECK(bytes > 0 && bytes % 64 == 0);
  const Bytes64 input(bytes);
  std::memset(input.data(), 0xff, bytes);
  products.prepare(input.data(), x, w.format, rows, w.columns);
  constexpr float untouched = -12345;
  Row out(rows * w.rows, untouched);
  products.matmul(out.data(), input.data(), w, rows, first, last);
  size_t wrong = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    const size_t tile = i % w.rows / tile_rows;
    wrong += (out[i] != untouched) != (tile >= first && tile < last);
  }
  CHECK(wrong == 0);
  return out;
}

bool same_bits(const float *a, const float *b, size_t count) { return std::memcmp(a, b, count * sizeof(float)) == 0; }

struct Worst {
  double of_bound = 0;   // of the bound of a number
  double normalised = 0; // sqrt(Σ error² / Σ exact²)
};

void check_against(const FormatRows &weights, const std::string &target, const float *x, size_t rows, const Row &got,
                   Worst &worst, double rounding = 1e-6) {
  double errors = 0, sizes = 0;
  size_t wrong = 0;
  for (size_t t = 0; t < rows; ++t) {
    const float *row = x + t * weights.columns;
    const std::vector<double> of_input = input_errors(target, weights.format, row, weights.columns);
    for (size_t m = 0; m < weights.rows; ++m) {
      const double *w = weights.values.data() + m * weights.columns;
      double exact = 0, bound = 1e-30;
      for (size_t i = 0; i < weights.columns; ++i) {
        exact += w[i] * row[i];
        bound += std::fabs(w[i]) * (of_input[i] + rounding * std::fabs(row[i]));
        // q4: Σ nibbles and Σ mins are rounded by themselves.
        if (weights.format == Format::q4) bound += rounding * std::fabs(row[i]);
      }
      const double error = std::fabs(got[t * weights.rows + m] - exact);
      wrong += !(error <= bound);
      worst.of_bound = std::fmax(worst.of_bound, error / bound);
      errors += error * error, sizes += exact * exact;
    }
  }
  CHECK(wrong == 0);
  if (wrong) std::fprintf(stderr, "%s %s: %zu out of bounds\n", target.c_str(), name_of(weights.format), wrong);
  if (sizes > 0) worst.normalised = std::fmax(worst.normalised, std::sqrt(errors / sizes));
}

Row noise(size_t count, uint32_t seed, float scale = 1) {
  Random random{seed};
  Row out(count);
  for (float &value : out) value = scale * random.number();
  return out;
}

void a_row_is_the_same_in_any_batch(const Ops &ops, const Row &x, const Matrix &w, const Row &all) {
  for (size_t rows = 0; rows < most_rows; ++rows) {
    CHECK(same_bits(product(ops, &x[rows * w.columns], w, 1, 0, tiles_of(w)).data(), &all[rows * w.rows], w.rows));
  }
  for (const size_t rows : {2, 3, 4, 5, 7, 8, 11, 12, 13, 16, 17, 31, 33, 64}) {
    const size_t first = most_rows - rows;
    const Row some = product(ops, &x[first * w.columns], w, rows, 0, tiles_of(w));
    CHECK(same_bits(some.data(), &all[first * w.rows], some.size()));
  }
}

void a_tile_is_the_same_in_any_part(const Ops &ops, const Row &x, const Matrix &w, const Row &all) {
  for (const size_t rows : {1, 5, 33}) {
    std::vector<std::pair<size_t, size_t>> parts{{0, tiles_of(w) / 2}, {tiles_of(w) / 2, tiles_of(w)}};
    for (size_t tile = 0; tile < tiles_of(w); ++tile) parts.push_back({tile, tile + 1});
    for (const auto &[first, last] : parts) {
      const Row some = product(ops, x.data(), w, rows, first, last);
      const size_t from = first * tile_rows, to = std::min(w.rows, last * tile_rows);
      for (size_t t = 0; t < rows && to > from; ++t) {
        CHECK(same_bits(&some[t * w.rows + from], &all[t * w.rows + from], to - from));
      }
    }
  }
}

void strange_inputs(const Ops &ops, const FormatRows &weights, const Matrix &w) {
  const size_t columns = w.columns;
  Row x = noise(4 * columns, 77);
  for (size_t i = 0; i < columns; ++i) {
    x[i] = 0;
    x[columns + i] = i % 2 ? 1e30f : -1e30f;
    x[2 * columns + i] *= i == columns / 3 ? 1e6f : 1;
    x[3 * columns + i] *= 1e-20f;
  }
  Worst worst;
  const Row got = product(ops, x.data(), w, 4, 0, tiles_of(w));
  for (size_t m = 0; m < w.rows; ++m) CHECK(got[m] == 0);
  check_against(weights, ops.name, x.data(), 4, got, worst, 4e-6); // all sums behind the large one are rounded like it
  // What is not finite stays in its row, and never becomes finite.
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Row y = noise(3 * columns, 78);
    const Row good = product(ops, y.data(), w, 3, 0, tiles_of(w));
    y[columns + columns / 2] = bad;
    const Row with_bad = product(ops, y.data(), w, 3, 0, tiles_of(w));
    CHECK(same_bits(good.data(), with_bad.data(), w.rows));
    CHECK(same_bits(&good[2 * w.rows], &with_bad[2 * w.rows], w.rows));
    for (size_t m = 0; m < w.rows; ++m) CHECK(!std::isfinite(with_bad[w.rows + m]));
  }
}

void format_of(const Ops &ops, Format format, const std::vector<size_t> &widths) {
  Worst worst;
  for (const size_t columns : widths) {
    if (columns % row_block(format).columns) continue;
    for (const size_t rows_of_w : {1, 16, 40, 129}) {
      const FormatRows weights = random_rows(format, rows_of_w, columns, static_cast<uint32_t>(columns + rows_of_w));
      const Packed packed(weights);
      const Matrix &w = packed.matrix;
      const Row x = noise(most_rows * columns, 9, 3);
      const Row all = product(ops, x.data(), w, most_rows, 0, tiles_of(w));
      check_against(weights, ops.name, x.data(), most_rows, all, worst);
      a_row_is_the_same_in_any_batch(ops, x, w, all);
      a_tile_is_the_same_in_any_part(ops, x, w, all);
      if (rows_of_w != 1) strange_inputs(ops, weights, w);
    }
  }
  // As whole matrices: fp32 products stay fp32 products.
  const double bound = is_integer(format) && std::string(ops.name) != "plain" ? 0.006
                       : std::fmax(1e-6, rounding_of_inputs(ops.name, format));
  CHECK(worst.normalised <= bound);
  std::printf("%s %s: normalised error %.1e, at most %.2f of the bound of a number\n", ops.name,
              name_of(format), worst.normalised, worst.of_bound);
}

void targets_are_picked_by_name() {
  const CpuTables found = cpu_tables();
  CHECK(found.count >= 1 && std::string(found.tables[0]->name) == "plain");
  CHECK(cpu_ops() == found.tables[found.count - 1]);
  CHECK(cpu_ops("sse9") == nullptr && cpu_ops("") == nullptr);
  for (size_t i = 0; i < found.count; ++i) {
    CHECK(cpu_ops(found.tables[i]->name) == found.tables[i]);
    for (size_t j = 0; j < i; ++j) { // each has products of its own
      CHECK(found.tables[i]->products.matmul != found.tables[j]->products.matmul);
    }
  }
#if defined(__aarch64__)
  CHECK(cpu_ops("neon") && std::string(cpu_ops()->name) == "neon");
#endif
}

} // namespace

// Without arguments every target and all widths; or one target, then perhaps "short" for the small widths alone.
int main(int count, char **arguments) {
  targets_are_picked_by_name();
  std::vector<size_t> widths{1, 33, 64, 96, 200, 256};
  if (count < 3 || std::string(arguments[2]) != "short") widths.push_back(768);
  CHECK(count < 2 || cpu_ops(arguments[1]));
  const CpuTables found = cpu_tables();
  for (size_t i = 0; i < found.count; ++i) {
    if (count > 1 && std::string(arguments[1]) != found.tables[i]->name) continue;
    for (const Format format : all_formats) format_of(*found.tables[i], format, widths);
  }
  return report("products");
}
