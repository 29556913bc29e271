// A tower small enough for loops written out by hand, inputs for it, and checks that count: what tower_test.cc stands on.
#pragma once

#include "../model.h"
#include "../tower_net.h"
#include "../tower_ops.h"
#include <cmath>
#include <cstdio>

#include <algorithm>
#include <string>
#include <vector>

namespace {

using rwkv_train::Inputs;
using rwkv_train::Numbers;
using rwkv_train::Outputs;
using rwkv_train::Tensors;
using torch::Tensor;

int failures = 0;

void check(bool right, const char *what, double found = 0, double wanted = 0) {
  if (right) return;
  std::printf("FAILED %s: %.10g, wanted %.10g\n", what, found, wanted);
  ++failures;
}

void near(const char *what, double found, double wanted, double tolerance) {
  check(std::abs(found - wanted) <= tolerance * std::max(1.0, std::abs(wanted)), what, found, wanted);
}

constexpr int64_t D = 64, E = 16, words = 12, classes = 5, side = 32, cells = 4;

// A tower of one block: stem 6-8-8-16-32-64, one norm left out.
Tensors parameters_of(torch::ScalarType type) {
  torch::manual_seed(3);
  Tensors out;
  const auto random = [&](const std::string &name, std::vector<int64_t> shape, double spread, double middle = 0) {
    out[name] = (torch::randn(shape, torch::kFloat64) * spread + middle).to(type).requires_grad_(true);
  };
  const auto linear = [&](const std::string &name, int64_t to, int64_t from) {
    random(name + ".weight", {to, from}, 1 / std::sqrt(double(from)));
    random(name + ".bias", {to}, 0.1);
  };
  const auto norm = [&](const std::string &name, int64_t width) {
    random(name + ".weight", {width}, 0.1, 1);
    random(name + ".bias", {width}, 0.1);
  };
  const std::vector<int64_t> widths{6, 8, 8, 16, 32, D};
  for (size_t index = 0; index + 1 < widths.size(); ++index) {
    const std::string name = "stem." + std::to_string(index);
    random(name + ".weight", {widths[index + 1], widths[index], 3, 3}, std::sqrt(2.0 / double(9 * widths[index])));
    random(name + ".bias", {widths[index + 1]}, 0.1);
    if (index + 2 < widths.size()) norm(name + ".norm", widths[index + 1]);
  }
  random("position", {cells, D}, 0.1);
  norm("blocks.0.norm1", D);
  norm("blocks.0.norm2", D);
  linear("blocks.0.attn.qkv", 3 * D, D);
  linear("blocks.0.attn.out", D, D);
  linear("blocks.0.mlp.up", 4 * D, D);
  linear("blocks.0.mlp.down", D, 4 * D);
  norm("norm", D);
  random("head.class.weight", {E, D}, 0.2);
  random("head.class.scale", {}, 0.1, 1.5);
  random("head.background", {E}, 1);
  linear("head.box", 8, D);
  random("head.image.weight", {E, D}, 0.2);
  random("head.image.scale", {}, 0.1, 1.2);
  random("text.embedding", {words, 8}, 1);
  random("text.out.weight", {E, 8}, 0.4);
  return out;
}

Inputs inputs_of(int64_t batch) {
  torch::manual_seed(4);
  Inputs in;
  in["pixels"] = torch::randint(0, 256, {batch, 2, side, side, 3}, torch::kUInt8);
  in["cell_class"] = torch::randint(-1, classes + 1, {batch, cells}, torch::kInt64);
  in["cell_class"][0] = torch::tensor({int(classes), 0, -1, 1}, torch::kInt64); // every kind is there
  in["cell_box"] = torch::cat({torch::randn({batch, cells, 6}) * 0.1, torch::rand({batch, cells, 2})}, 2);
  in["class_tokens"] = torch::tensor({{0, 1}, {2, -1}, {3, 4}, {5, -1}, {1, 6}}, torch::kInt64);
  in["caption_tokens"] = torch::cat({torch::randint(0, words, {batch, 2}, torch::kInt64),
                                     torch::full({batch, 1}, -1, torch::kInt64)}, 1);
  return in;
}

Numbers plain() { return {{"cpu_bf16", 0}}; }

Outputs evaluated(const Tensors &parameters, const Inputs &inputs) {
  Outputs out;
  rwkv_train::make_tower_model()->evaluate(parameters, inputs, plain(), out);
  return out;
}

double value(const Outputs &outputs, const char *name) { return outputs.at(name).item<double>(); }

std::string refusal(const Tensors &parameters, const Inputs &inputs) {
  try {
    Outputs out;
    rwkv_train::make_tower_model()->loss(parameters, inputs, plain(), out);
  } catch (const c10::Error &error) {
    return error.what_without_backtrace();
  }
  return "";
}

} // namespace
