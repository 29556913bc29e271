#include "checkpoint.h"

#include <ATen/autocast_mode.h>

namespace rwkv_train {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;

struct Kept : torch::CustomClassHolder {
  Part part;
  size_t inputs = 0;
  std::vector<bool> wanted;
  bool autocast = false;
};

struct Checkpointed : torch::autograd::Function<Checkpointed> {
  static variable_list forward(AutogradContext *context, c10::intrusive_ptr<Kept> kept, at::TensorList arguments) {
    const variable_list inputs(arguments.begin(), arguments.begin() + long(kept->inputs));
    for (const Tensor &argument : arguments) kept->wanted.push_back(argument.requires_grad());
    kept->autocast = at::autocast::is_enabled();
    context->save_for_backward(arguments.vec());
    variable_list outputs = kept->part(inputs); // without a graph, as everything in here
    context->saved_data["kept"] = c10::IValue::make_capsule(std::move(kept));
    return outputs;
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    const auto capsule = context->saved_data["kept"].toCapsule();
    const Kept &kept = static_cast<const Kept &>(*capsule);
    variable_list arguments = context->get_saved_variables();
    const at::AutoGradMode graph(true);
    variable_list inputs, wanted;
    for (size_t index = 0; index < arguments.size(); ++index) {
      if (index < kept.inputs) inputs.push_back(arguments[index].detach().set_requires_grad(kept.wanted[index]));
      if (kept.wanted[index]) wanted.push_back(index < kept.inputs ? inputs[index] : arguments[index]);
    }
    const bool before = at::autocast::is_enabled();
    at::autocast::set_enabled(kept.autocast);
    const variable_list outputs = kept.part(inputs);
    at::autocast::set_enabled(before);
    variable_list reached, arriving;
    for (size_t index = 0; index < outputs.size(); ++index) {
      if (!gradients[index].defined() || !outputs[index].requires_grad()) continue;
      reached.push_back(outputs[index]);
      arriving.push_back(gradients[index]);
    }
    const variable_list found =
        torch::autograd::grad(reached, wanted, arriving, c10::nullopt, /*create_graph=*/false, /*allow_unused=*/true);
    variable_list all(1 + arguments.size()); // first the argument that is no tensor
    for (size_t index = 0, next = 0; index < arguments.size(); ++index) {
      if (kept.wanted[index]) all[1 + index] = found[next++];
    }
    return all;
  }
};

} // namespace

variable_list checkpointed(Part part, const variable_list &inputs, const variable_list &leaves) {
  auto kept = c10::make_intrusive<Kept>();
  kept->part = std::move(part);
  kept->inputs = inputs.size();
  variable_list arguments = inputs;
  arguments.insert(arguments.end(), leaves.begin(), leaves.end());
  // Only this type of list is looked into for tensors.
  return Checkpointed::apply(std::move(kept), at::TensorList(arguments));
}

} // namespace rwkv_train
