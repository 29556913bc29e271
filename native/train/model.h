// What a kind of model is to the trainer: it names the parameters it needs and makes a loss of a batch. Must not know the
// C boundary, optimizers or files.
#pragma once

#include <torch/torch.h>

#include <map>
#include <memory>
#include <string>

#include "language_net.h"

namespace rwkv_train {

using Numbers = std::map<std::string, double>;
// By name; float32, int64 (inputs of int32 arrive widened) or uint8.
using Inputs = std::unordered_map<std::string, torch::Tensor>;
// By name, detached, float32.
using Outputs = std::unordered_map<std::string, torch::Tensor>;

class Model {
 public:
  virtual ~Model() = default;
  // Settings it understands beside the optimizer's, with their defaults.
  virtual Numbers numbers() const = 0;
  // Throws c10::Error, whose sentence names the tensor or the input.
  virtual torch::Tensor loss(const Tensors &parameters, const Inputs &inputs, const Numbers &numbers,
                             Outputs &outputs) = 0;
  virtual void evaluate(const Tensors &parameters, const Inputs &inputs, const Numbers &numbers, Outputs &outputs) = 0;
  // What lives on between batches, rows first; undefined when nothing does.
  virtual torch::Tensor carried() const { return {}; }
  virtual void set_carried(const torch::Tensor &) { TORCH_CHECK(false, "this kind of model carries nothing"); }
};

std::unique_ptr<Model> make_language_model(); // language_model.cc
std::unique_ptr<Model> make_tower_model();    // tower_model.cc

} // namespace rwkv_train
