// The product kernels against exact sums of the numbers that src/tiles.h reads from the same tiles: every format, odd
// sizes, every ending, and a row's bits whatever the rows beside it.
// Sources: product_rows.cu product_tensor.cu pack.cc ../src/tiles.cc
#include "../../src/tiles.h"
#include "../product.h"
#include "on_device.h"

#include <algorithm>
#include <memory>

using namespace rwkv;
using namespace rwkv::cuda;

namespace {

constexpr const char *names[] = {"f32", "f16", "bf16", "q8", "q6", "q4"};

// A random matrix in host tiles, its exact numbers, and its tiles on the device.
struct TestMatrix {
  TestMatrix(Format format, size_t rows, size_t columns, Noise &noise)
      : tiles(matrix_bytes(format, rows, columns) + 64), host{line(), format, rows, columns} {
    clear_tiles(line(), format, rows, columns);
    const size_t block = row_block(format).columns, padded = (columns + block - 1) / block * block;
    for (size_t row = 0; row < rows; ++row) {
      const auto numbers = random_row(format, padded, noise);
      put_row(line(), format, rows, padded, row, numbers.data(), 0, padded);
    }
    host.columns = padded;
    std::vector<uint8_t> packed(device_bytes(format, rows, padded));
    const size_t tile = device_tile_bytes(format, padded);
    for (size_t i = 0; i < tile_count(rows); ++i) pack_tile(packed.data() + i * tile, host, i);
    device = std::make_unique<OnDevice<uint8_t>>(packed);
  }
  uint8_t *line() { return tiles.data() + (64 - reinterpret_cast<uintptr_t>(tiles.data()) % 64) % 64; }

  // Bytes as files hold them. Scales are small halves, all else is any bits.
  static std::vector<uint8_t> random_row(Format format, size_t columns, Noise &noise) {
    std::vector<uint8_t> out(row_bytes(format, columns));
    const auto half_at = [&](size_t at) {
      const uint16_t bits = static_cast<uint16_t>(0x2000 + noise.below(0x800)); // 2^-7 to 2^-5
      std::memcpy(&out[at], &bits, 2);
    };
    if (format == Format::f32) {
      const auto values = noise.reals(columns);
      std::memcpy(out.data(), values.data(), out.size());
    } else if (format == Format::f16 || format == Format::bf16) {
      for (size_t i = 0; i < columns; ++i) {
        const uint32_t sign = noise.below(2) << 15;
        const uint32_t bits = sign | (format == Format::f16 ? 0x3000 + noise.below(0x0c00) : 0x3e00 + noise.below(0x180));
        std::memcpy(&out[2 * i], &bits, 2);
      }
    } else {
      for (uint8_t &byte : out) byte = static_cast<uint8_t>(noise.below(256));
      const size_t block = row_block(format).bytes;
      for (size_t at = 0; at < out.size(); at += block) {
        if (format == Format::q8) half_at(at);
        if (format == Format::q6) half_at(at + 208);
        if (format == Format::q4) half_at(at), half_at(at + 2);
      }
    }
    return out;
  }

  std::vector<uint8_t> tiles;
  Matrix host;
  std::unique_ptr<OnDevice<uint8_t>> device;
};

std::vector<double> exact(const Matrix &w, const std::vector<float> &x, size_t rows) {
  std::vector<double> out(rows * w.rows);
  std::vector<float> numbers(w.columns);
  for (size_t m = 0; m < w.rows; ++m) {
    read_row(numbers.data(), w, m);
    for (size_t t = 0; t < rows; ++t) {
      for (size_t i = 0; i < w.columns; ++i) out[t * w.rows + m] += double{x[t * w.columns + i]} * numbers[i];
    }
  }
  return out;
}

Product product_of(const TestMatrix &w, const float *x, float *out) {
  Product product;
  product.tiles = *w.device, product.format = w.host.format;
  product.out_width = static_cast<uint32_t>(w.host.rows), product.columns = static_cast<uint32_t>(w.host.columns);
  product.tile_bytes = device_tile_bytes(w.host.format, w.host.columns);
  product.x = x, product.out = out;
  return product;
}

using Launch = void (*)(const ProductGroup &, cudaStream_t);

std::vector<float> run(Launch launch, const TestMatrix &w, const std::vector<float> &x, size_t rows) {
  const OnDevice<float> input(x), out(rows * w.host.rows);
  ProductGroup group;
  group.rows = static_cast<uint32_t>(rows);
  group.put(product_of(w, input, out));
  launch(group, nullptr);
  return out.get();
}

void is_right(Launch launch, Format format, size_t out_width, size_t columns, double tolerance, Noise &noise) {
  const TestMatrix w(format, out_width, columns, noise);
  const size_t most = 70;
  const auto x = noise.reals(most * w.host.columns, 2);
  const auto part = [&](size_t first, size_t rows) {
    const auto from = x.begin() + static_cast<ptrdiff_t>(first * w.host.columns);
    return std::vector<float>(from, from + static_cast<ptrdiff_t>(rows * w.host.columns));
  };
  const auto all = run(launch, w, x, most);
  const double error = normalised_error(all, exact(w.host, x, most));
  CHECK(error < tolerance);
  if (error >= tolerance) std::fprintf(stderr, "%s %zux%zu: %g\n", names[int(format)], out_width, columns, error);
  for (const size_t rows : {1, 2, 3, 7, 9, 17, 33}) { // the last `rows` rows, alone
    const auto few = run(launch, w, part(most - rows, rows), rows);
    CHECK(same_bits(few, std::vector<float>(all.end() - static_cast<ptrdiff_t>(rows * out_width), all.end())));
  }
}

// Several products in one launch, one with each ending, against the same sums ended here.
void endings_and_groups(Launch launch, Format format, Noise &noise) {
  constexpr Ending endings[] = {Ending::store, Ending::tanh,         Ending::sigmoid,    Ending::relu_squared,
                                Ending::add,   Ending::sigmoid_bias, Ending::decay_bias, Ending::mix_value};
  const size_t rows = 3;
  std::vector<std::unique_ptr<TestMatrix>> matrices;
  std::vector<std::vector<float>> inputs, befores, biases, firsts;
  std::vector<std::vector<double>> wanted;
  for (size_t i = 0; i < 8; ++i) {
    const size_t width = 5 + 13 * i;
    matrices.push_back(std::make_unique<TestMatrix>(format, width, 40 + 3 * i, noise));
    inputs.push_back(noise.reals(rows * matrices[i]->host.columns, .2f));
    befores.push_back(noise.reals(rows * width)), firsts.push_back(noise.reals(rows * width));
    biases.push_back(noise.reals(width));
    wanted.push_back(exact(matrices[i]->host, inputs[i], rows));
    for (size_t at = 0; at < rows * width; ++at) {
      const double sum = wanted[i][at], biased = sum + biases[i][at % width], before = befores[i][at];
      const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
      const double values[] = {sum, std::tanh(sum), sigmoid(sum), sum > 0 ? sum * sum : 0, before + sum,
                               sigmoid(biased), std::exp(-std::exp(-.5) * sigmoid(biased)),
                               before + (firsts[i][at] - before) * sigmoid(biased)};
      wanted[i][at] = values[i];
    }
  }
  each_schedule([&] {
    std::vector<std::unique_ptr<OnDevice<float>>> held;
    const auto on_device = [&](const std::vector<float> &values) -> float * {
      return *held.emplace_back(std::make_unique<OnDevice<float>>(values));
    };
    const OnDevice<uint32_t> row_max(std::vector<uint32_t>(rows, 0));
    ProductGroup group;
    group.rows = rows;
    float *outs[8];
    for (size_t i = 0; i < 8; ++i) {
      Product product = product_of(*matrices[i], on_device(inputs[i]), outs[i] = on_device(befores[i]));
      product.ending = endings[i];
      product.bias = on_device(biases[i]), product.first = on_device(firsts[i]);
      if (endings[i] == Ending::relu_squared) product.max_out = row_max;
      group.put(product);
    }
    launch(group, nullptr);
    for (size_t i = 0; i < 8; ++i) {
      std::vector<float> got(wanted[i].size());
      check_cuda(cudaMemcpy(got.data(), outs[i], got.size() * 4, cudaMemcpyDeviceToHost));
      CHECK(normalised_error(got, wanted[i]) < (format == Format::f32 ? 2e-6 : 2e-3));
      if (endings[i] != Ending::relu_squared) continue;
      const auto greatest = row_max.get();
      for (size_t t = 0; t < rows; ++t) {
        const auto from = got.begin() + static_cast<ptrdiff_t>(t * got.size() / rows);
        float value;
        std::memcpy(&value, &greatest[t], 4);
        CHECK(value == *std::max_element(from, from + static_cast<ptrdiff_t>(got.size() / rows)));
      }
    }
  });
}

// Rows far beyond the range of fp16 are right when their largest number is known.
void large_rows(Noise &noise) {
  const size_t rows = 2;
  const TestMatrix w(Format::f16, 33, 96, noise);
  auto x = noise.reals(rows * 96);
  std::vector<uint32_t> greatest(rows, 0);
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] = std::fabs(x[i]) * (i < 96 ? 3e9f : 1.0f);
    uint32_t bits;
    std::memcpy(&bits, &x[i], 4);
    greatest[i / 96] = std::max(greatest[i / 96], bits);
  }
  const OnDevice<float> input(x), out(rows * 33);
  const OnDevice<uint32_t> row_max(greatest);
  ProductGroup group;
  group.rows = rows;
  group.put(product_of(w, input, out));
  group.products[0].max_in = row_max;
  launch_tensor(group, nullptr);
  const auto got = out.get();
  const auto wanted = exact(w.host, x, rows);
  for (size_t t = 0; t < rows; ++t) {
    const auto at = static_cast<ptrdiff_t>(t * 33);
    CHECK(normalised_error({got.begin() + at, got.begin() + at + 33}, {wanted.begin() + at, wanted.begin() + at + 33}) < 1e-3);
  }
}

} // namespace

int main() {
  Noise noise;
  for (const Format format : {Format::f32, Format::f16, Format::bf16, Format::q8, Format::q6, Format::q4}) {
    for (const auto &[rows, columns] : {std::pair<size_t, size_t>{1, 1}, {33, 97}, {50, 290}}) {
      if (emu::under_tsan) break; // every thread is a real one, which would take minutes; the groups below have every kernel
      is_right(launch_rows, format, rows, columns, 1e-6, noise);
      if (format != Format::f32) is_right(launch_tensor, format, rows, columns, 1e-3, noise);
    }
    endings_and_groups(launch_rows, format, noise);
    if (format != Format::f32) endings_and_groups(launch_tensor, format, noise);
  }
  large_rows(noise);
  return report("products");
}
