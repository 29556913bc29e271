#include "parameters.h"

#include "adamw_loops.h"
#include "failure.h"

#include <ATen/Parallel.h>

#include <cmath>
#include <sstream>

namespace rwkv_train {
namespace {

using torch::Tensor;

constexpr int64_t share = 1 << 14; // elements of one job of a thread; sums are per share, so threads do not change them

double squares_of(const Tensor &gradient) {
  if (!gradient.is_cpu()) return gradient.to(torch::kFloat64).square().sum().item<double>();
  const Tensor flat = gradient.contiguous();
  const float *const data = flat.data_ptr<float>();
  std::vector<double> sums(static_cast<size_t>((flat.numel() + share - 1) / share));
  at::parallel_for(0, int64_t(sums.size()), 1, [&](int64_t first, int64_t last) {
    for (int64_t index = first; index < last; ++index) {
      const int64_t from = index * share, count = std::min(share, flat.numel() - from);
      sums[size_t(index)] = square_sum(data + from, size_t(count));
    }
  });
  double sum = 0;
  for (const double one : sums) sum += one;
  return sum;
}

void adamw_step(const AdamwNumbers &numbers, const Tensor &gradient, Tensor value, Tensor &moment1, Tensor &moment2) {
  if (!value.is_cpu()) { // the same formula, in as many passes as it has operators
    const Tensor g = gradient * numbers.gradient_scale;
    moment1.mul_(numbers.beta1).add_(g, 1 - numbers.beta1);
    moment2.mul_(numbers.beta2).addcmul_(g, g, 1 - numbers.beta2);
    value.mul_(numbers.keep).addcdiv_(moment1, moment2.sqrt().mul_(numbers.root_scale).add_(numbers.eps), -numbers.step);
    return;
  }
  const Tensor flat = gradient.contiguous();
  const float *const g = flat.data_ptr<float>();
  float *const x = value.data_ptr<float>(), *const m = moment1.data_ptr<float>(), *const v = moment2.data_ptr<float>();
  at::parallel_for(0, value.numel(), share, [&](int64_t first, int64_t last) {
    adamw_loop(numbers, g + first, x + first, m + first, v + first, size_t(last - first));
  });
}

} // namespace

const Tensor &Parameters::value(const std::string &name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) fail(RWKV_TRAIN_FORMAT, "Cannot find the tensor " + in_quotes(name) + ": it was not put");
  return found->second;
}

void Parameters::put(const std::string &name, uint32_t what, const Tensor &data) {
  const torch::NoGradGuard guard;
  if (what == RWKV_TRAIN_VALUE && !values_.count(name)) {
    Tensor fresh = data.to(device_, torch::kFloat32, false, true).contiguous();
    fresh.set_requires_grad(true);
    trainings_.emplace(name, Training{});
    values_.emplace(name, fresh);
    return;
  }
  Tensor there = value(name);
  if (there.sizes() != data.sizes()) {
    std::ostringstream sentence;
    sentence << "Cannot put " << in_quotes(name) << ": it has the shape " << there.sizes() << ", not " << data.sizes();
    fail(RWKV_TRAIN_FORMAT, sentence.str());
  }
  if (what == RWKV_TRAIN_VALUE) {
    there.copy_(data);
    return;
  }
  Training &training = trainings_.at(name);
  (what == RWKV_TRAIN_MOMENT1 ? training.moment1 : training.moment2) =
      data.to(device_, torch::kFloat32, false, true).contiguous();
}

Tensor Parameters::part(const std::string &name, uint32_t what) const {
  const Tensor &there = value(name);
  const Training &training = trainings_.at(name);
  Tensor out = there.detach();
  if (what == RWKV_TRAIN_MOMENT1) out = training.moment1;
  if (what == RWKV_TRAIN_MOMENT2) out = training.moment2;
  if (what == RWKV_TRAIN_GRADIENT) out = there.grad();
  return out.defined() ? out : torch::zeros(there.sizes(), torch::kFloat32);
}

void Parameters::set_group(const std::string &name, double lr_scale, double weight_decay) {
  Tensor there = value(name);
  Training &training = trainings_.at(name);
  training.lr_scale = lr_scale;
  training.weight_decay = weight_decay;
  there.set_requires_grad(lr_scale > 0);
  if (lr_scale == 0) there.mutable_grad() = Tensor();
}

bool Parameters::has_gradients() const {
  for (const auto &[name, tensor] : values_) {
    if (tensor.grad().defined()) return true;
  }
  return false;
}

void Parameters::drop_gradients() {
  for (auto &[name, tensor] : values_) tensor.mutable_grad() = Tensor();
}

double Parameters::norm() const {
  double sum = 0;
  for (const auto &[name, training] : trainings_) {
    const Tensor gradient = values_.at(name).grad();
    if (gradient.defined()) sum += squares_of(gradient);
  }
  return std::sqrt(sum);
}

double Parameters::apply(Optimizer &optimizer) {
  const torch::NoGradGuard guard;
  const double norm = this->norm();
  if (!std::isfinite(norm)) {
    drop_gradients();
    fail(RWKV_TRAIN_NUMBER, "Cannot apply: the gradients are not finite; they were dropped");
  }
  // Everything that allocates comes before the first change.
  for (auto &[name, training] : trainings_) {
    const Tensor &tensor = values_.at(name);
    if (!tensor.grad().defined()) continue;
    if (!training.moment1.defined()) training.moment1 = torch::zeros_like(tensor);
    if (!training.moment2.defined()) training.moment2 = torch::zeros_like(tensor);
  }
  const double step = optimizer.step + 1;
  AdamwNumbers numbers{};
  numbers.beta1 = float(optimizer.beta1), numbers.beta2 = float(optimizer.beta2), numbers.eps = float(optimizer.eps);
  numbers.root_scale = float(1 / std::sqrt(1 - std::pow(optimizer.beta2, step)));
  numbers.gradient_scale = optimizer.clip > 0 && norm > optimizer.clip ? float(optimizer.clip / norm) : 1;
  for (auto &[name, training] : trainings_) {
    const Tensor &tensor = values_.at(name);
    if (!tensor.grad().defined()) continue;
    const double rate = optimizer.lr * training.lr_scale;
    numbers.keep = float(1 - rate * training.weight_decay);
    numbers.step = float(rate / (1 - std::pow(optimizer.beta1, step)));
    adamw_step(numbers, tensor.grad(), tensor.detach(), training.moment1, training.moment2);
  }
  drop_gradients();
  optimizer.step = step;
  return norm;
}

} // namespace rwkv_train
