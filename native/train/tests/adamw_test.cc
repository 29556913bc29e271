// AdamW over the C boundary against its formula in double: bias correction, decoupled decay, clipping, frozen tensors and
// tensors that no loss reaches.
#include "rig.h"

#include <algorithm>

namespace {

constexpr double beta1 = 0.9, beta2 = 0.98, eps = 1e-8, rate = 2e-3, clip = 0.25;

struct Expected {
  std::vector<double> value, moment1, moment2;
};

void step(Expected &of, const std::vector<float> &gradient, double scale, double lr, double decay, int t) {
  for (size_t i = 0; i < gradient.size(); ++i) {
    const double g = gradient[i] * scale;
    of.moment1[i] = beta1 * of.moment1[i] + (1 - beta1) * g;
    of.moment2[i] = beta2 * of.moment2[i] + (1 - beta2) * g * g;
    const double m = of.moment1[i] / (1 - std::pow(beta1, t)), v = of.moment2[i] / (1 - std::pow(beta2, t));
    of.value[i] = of.value[i] - lr * decay * of.value[i] - lr * m / (std::sqrt(v) + eps);
  }
}

struct Group {
  double lr_scale, weight_decay;
};
Group group_of(const std::string &name) {
  if (name.find("ln") != std::string::npos) return {0, 0.1};
  if (name.find("att.w0") != std::string::npos) return {2, 0};
  return {1, 0.05};
}

double largest_difference(const std::vector<float> &found, const std::vector<double> &wanted) {
  double largest = 0;
  for (size_t i = 0; i < found.size(); ++i) largest = std::max(largest, std::fabs(found[i] - wanted[i]));
  return largest;
}

} // namespace

int main() {
  Tensors tensors = tiny_rwkv7();
  tensors["nobody.asks"] = {{3}, {1, 2, 3}};
  const Rig rig(tensors);
  rig.set("lr", rate), rig.set("beta2", beta2), rig.set("clip", clip);
  std::map<std::string, Expected> expected;
  for (const auto &[name, tensor] : tensors) {
    const Group group = group_of(name);
    rig.group(name, group.lr_scale, group.weight_decay);
    const size_t count = tensor.values.size();
    expected[name] = {{tensor.values.begin(), tensor.values.end()}, std::vector<double>(count), std::vector<double>(count)};
    CHECK(size_of(rig.read(name, count, RWKV_TRAIN_MOMENT1)) == 0);
  }
  double smallest = HUGE_VAL;
  for (int t = 1; t <= 4; ++t) {
    rig.ints("tokens", {2, 12}, some_tokens(24, uint32_t(t)));
    rig.ints("targets", {2, 12}, some_tokens(24, uint32_t(10 + t)));
    rig.accumulate();
    if (t == 4) rig.set("clip", 0);
    std::map<std::string, std::vector<float>> gradients;
    double sum = 0;
    for (const auto &[name, tensor] : tensors) {
      gradients[name] = rig.read(name, tensor.values.size(), RWKV_TRAIN_GRADIENT);
      const double size = size_of(gradients[name]);
      if (group_of(name).lr_scale == 0) CHECK(size == 0);
      sum += size * size;
    }
    const double norm = std::sqrt(sum);
    smallest = std::min(smallest, norm);
    rig.apply();
    CHECK_NEAR(rig.scalar("grad_norm"), norm, 1e-5 * norm);
    for (const auto &[name, tensor] : tensors) {
      const Group group = group_of(name);
      Expected &of = expected[name];
      if (group.lr_scale > 0 && name != "nobody.asks") {
        step(of, gradients[name], t == 4 ? 1 : std::min(1.0, clip / norm), rate * group.lr_scale, group.weight_decay, t);
      }
      const size_t count = tensor.values.size();
      CHECK(largest_difference(rig.read(name, count), of.value) < 2e-6);
      CHECK(largest_difference(rig.read(name, count, RWKV_TRAIN_MOMENT1), of.moment1) < 1e-6);
      CHECK(largest_difference(rig.read(name, count, RWKV_TRAIN_MOMENT2), of.moment2) < 1e-6);
      CHECK(size_of(rig.read(name, count, RWKV_TRAIN_GRADIENT)) == 0);
    }
  }
  CHECK(smallest > clip); // else nothing was clipped
  return report("adamw");
}
