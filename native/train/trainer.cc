#include "trainer.h"

#include "failure.h"
#include "threads.h"

#include <ATen/autocast_mode.h>

#include <cmath>

namespace rwkv_train {
namespace {

using torch::Tensor;

torch::Device open_device(uint32_t device) {
  require(device == RWKV_TRAIN_DEVICE_CPU || device == RWKV_TRAIN_DEVICE_CUDA, RWKV_TRAIN_MISUSE,
          "Cannot make a trainer: there is no device of that number");
  if (device == RWKV_TRAIN_DEVICE_CPU) return torch::kCPU;
  require(torch::cuda::is_available(), RWKV_TRAIN_NO_DEVICE, "Cannot train on CUDA: this libtorch finds no such device");
  return torch::kCUDA;
}

std::unique_ptr<Model> make_model(uint32_t kind) {
  if (kind == RWKV_TRAIN_LANGUAGE) return make_language_model();
  require(kind == RWKV_TRAIN_TOWER, RWKV_TRAIN_MISUSE, "Cannot make a trainer: there is no kind of that number");
  return make_tower_model();
}

// Half the bits where it is asked for; nothing otherwise.
class Autocast {
 public:
  explicit Autocast(bool on) : on_(on) {
    if (!on_) return;
    at::autocast::set_autocast_gpu_dtype(torch::kBFloat16);
    at::autocast::set_enabled(true);
  }
  ~Autocast() {
    if (!on_) return;
    at::autocast::clear_cache();
    at::autocast::set_enabled(false);
  }
  Autocast(const Autocast &) = delete;
  Autocast &operator=(const Autocast &) = delete;

 private:
  bool on_;
};

bool asks(const Numbers &numbers, const char *name) {
  const auto found = numbers.find(name);
  return found != numbers.end() && found->second != 0;
}

struct Range {
  double Optimizer::*field;
  double from, below;
};

const std::map<std::string, Range> optimizer_numbers{
    {"lr", {&Optimizer::lr, 0, HUGE_VAL}},   {"beta1", {&Optimizer::beta1, 0, 1}},
    {"beta2", {&Optimizer::beta2, 0, 1}},    {"eps", {&Optimizer::eps, 1e-30, HUGE_VAL}},
    {"clip", {&Optimizer::clip, 0, HUGE_VAL}}, {"step", {&Optimizer::step, 0, 1e15}},
};

} // namespace

Trainer::Trainer(uint32_t kind, uint32_t device, uint32_t threads)
    : device_(open_device(device)), threads_(int(threads)), parameters_(device_), model_(make_model(kind)),
      numbers_(model_->numbers()) {
  set_threads(threads_);
}

void Trainer::set_number(const std::string &name, double value) {
  const auto out_of_range = [&] { fail(RWKV_TRAIN_MISUSE, "Cannot set " + in_quotes(name) + ": it is out of range"); };
  if (const auto known = optimizer_numbers.find(name); known != optimizer_numbers.end()) {
    if (!(value >= known->second.from && value < known->second.below)) out_of_range();
    if (name == "step" && value != std::floor(value)) out_of_range();
    optimizer_.*known->second.field = value;
    return;
  }
  const auto known = numbers_.find(name);
  if (known == numbers_.end()) fail(RWKV_TRAIN_MISUSE, "Cannot set " + in_quotes(name) + ": there is no such number");
  const bool yes_or_no = name == "carry" || name == "grad_checkpoint" || name == "bf16";
  if (!std::isfinite(value) || (yes_or_no && value != 0 && value != 1) || (name == "l2wrap" && value < 0)) out_of_range();
  if (name == "bf16" && value != 0 && device_.is_cpu()) fail(RWKV_TRAIN_MISUSE, "Cannot set \"bf16\": it needs CUDA");
  known->second = value;
}

void Trainer::put_input(const std::string &name, const Tensor &data) {
  const auto type = data.scalar_type() == torch::kInt32 ? torch::kInt64 : data.scalar_type();
  inputs_[name] = data.to(device_, type, false, true);
}

void Trainer::accumulate() {
  join_threads();
  Outputs outputs;
  Tensor loss;
  try {
    const Autocast autocast(asks(numbers_, "bf16"));
    loss = model_->loss(parameters_.values(), inputs_, numbers_, outputs);
  } catch (...) {
    parameters_.drop_gradients();
    throw;
  }
  const double value = loss.item<double>();
  if (!std::isfinite(value)) {
    parameters_.drop_gradients();
    fail(RWKV_TRAIN_NUMBER, "Cannot learn from the batch: the loss is not finite; the gradients of this step were dropped");
  }
  require(loss.requires_grad(), RWKV_TRAIN_MISUSE, "Cannot learn from the batch: every tensor it reaches is frozen");
  try {
    loss.backward();
  } catch (...) { // what was added so far is part of a batch
    parameters_.drop_gradients();
    throw;
  }
  outputs["loss"] = loss;
  keep_outputs(std::move(outputs));
}

void Trainer::apply() {
  join_threads();
  require(parameters_.has_gradients(), RWKV_TRAIN_MISUSE, "Cannot apply: nothing was accumulated");
  const double norm = parameters_.apply(optimizer_);
  outputs_["grad_norm"] = torch::tensor(norm, torch::kFloat32);
}

void Trainer::evaluate() {
  join_threads();
  const torch::NoGradGuard guard;
  const Autocast autocast(asks(numbers_, "bf16"));
  Outputs outputs;
  model_->evaluate(parameters_.values(), inputs_, numbers_, outputs);
  keep_outputs(std::move(outputs));
}

void Trainer::keep_outputs(Outputs &&outputs) {
  for (auto &[name, tensor] : outputs) tensor = tensor.detach().to(torch::kCPU, torch::kFloat32).contiguous();
  outputs_ = std::move(outputs);
}

const Tensor &Trainer::output(const std::string &name) const {
  const auto found = outputs_.find(name);
  if (found == outputs_.end()) fail(RWKV_TRAIN_MISUSE, "Cannot read " + in_quotes(name) + ": there is no such output");
  return found->second;
}

Tensor Trainer::carried() const {
  const Tensor rows = model_->carried();
  return rows.defined() ? rows.to(torch::kCPU, torch::kFloat32).contiguous() : Tensor();
}

void Trainer::put_carried(const Tensor &rows) { model_->set_carried(rows.to(device_, torch::kFloat32, false, true)); }

} // namespace rwkv_train
