// One trainer: parameters, the next batch, the model and the optimizer. Must not know the C boundary.
#pragma once

#include "model.h"
#include "parameters.h"

#include <string>

namespace rwkv_train {

class Trainer {
 public:
  // Throws Failure: NO_DEVICE, or MISUSE for an unknown kind.
  Trainer(uint32_t kind, uint32_t device, uint32_t threads);

  Parameters &parameters() { return parameters_; }
  void set_number(const std::string &name, double value);
  void put_input(const std::string &name, const torch::Tensor &data); // copied
  void clear_inputs() { inputs_.clear(); }

  void accumulate();
  void apply();
  void evaluate();

  const torch::Tensor &output(const std::string &name) const; // on the CPU, contiguous
  torch::Tensor carried() const;                              // [rows, floats] on the CPU, or undefined
  void put_carried(const torch::Tensor &rows);

 private:
  void keep_outputs(Outputs &&outputs);

  torch::Device device_;
  int threads_;
  Parameters parameters_;
  std::unique_ptr<Model> model_;
  Optimizer optimizer_;
  Numbers numbers_; // the model's
  Inputs inputs_;
  Outputs outputs_;
};

} // namespace rwkv_train
