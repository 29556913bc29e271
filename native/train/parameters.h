// The parameters of a trainer by name: values, moments, and how each is trained. Steps them by AdamW. Must not know
// models, batches or the boundary.
#pragma once

#include "language_net.h"

#include <map>
#include <string>

namespace rwkv_train {

struct Optimizer {
  double lr = 0, beta1 = 0.9, beta2 = 0.99, eps = 1e-8;
  double clip = 1; // of the global norm; 0: none
  double step = 0; // applies done so far
};

class Parameters {
 public:
  explicit Parameters(torch::Device device) : device_(device) {}

  // What a model reads. Those that are trained require a gradient.
  const Tensors &values() const { return values_; }

  // `data` is float32 on the CPU and copied.
  void put(const std::string &name, uint32_t what, const torch::Tensor &data);
  torch::Tensor part(const std::string &name, uint32_t what) const;
  void set_group(const std::string &name, double lr_scale, double weight_decay);

  bool has_gradients() const;
  void drop_gradients();
  // Clips, steps, and drops the gradients. Answers their norm before clipping; throws Failure when it is not finite,
  // with values and moments as before. A parameter that no loss reached is left as it is.
  double apply(Optimizer &optimizer);

 private:
  struct Training {
    torch::Tensor moment1, moment2; // undefined until the first step: zeros
    double lr_scale = 1, weight_decay = 0;
  };
  const torch::Tensor &value(const std::string &name) const;
  double norm() const;

  torch::Device device_;
  Tensors values_;
  std::map<std::string, Training> trainings_; // sorted: sums go in one order
};

} // namespace rwkv_train
