#include "projector.h"

namespace rwkv_train {
namespace {

using torch::Tensor;

constexpr int64_t uhd_inputs = 6400;
constexpr double norm_epsilon = 1e-5;

class Layout {
 public:
  Layout(const Tensors &tensors, int64_t width) : tensors_(tensors), width_(width) {}

  bool has(const char *name) const { return tensors_.count(name) > 0; }
  const Tensor &at(const char *name, std::vector<int64_t> sizes) const {
    const auto found = tensors_.find(name);
    TORCH_CHECK(found != tensors_.end(), "the tensor \"", name, "\" is missing");
    TORCH_CHECK(found->second.sizes() == at::IntArrayRef(sizes), "the tensor \"", name, "\" has the shape ",
                found->second.sizes(), ", not ", at::IntArrayRef(sizes));
    return found->second;
  }

  Tensor run(const Tensor &f) const {
    const int64_t inputs = f.size(1);
    if (has("proj.ln_v.weight")) {
      const Tensor gated = f * torch::sigmoid(torch::linear(f, at("proj.gate.weight", {inputs, inputs})));
      return torch::layer_norm(torch::linear(gated, at("proj.o_proj.weight", {width_, inputs})), {width_},
                               at("proj.ln_v.weight", {width_}), at("proj.ln_v.bias", {width_}), norm_epsilon);
    }
    if (has("proj.proj.weight")) {
      const Tensor p = torch::linear(f, at("proj.proj.weight", {width_, inputs}));
      const bool gate = has("proj.gate.weight") && inputs != uhd_inputs;
      const Tensor inner = gate ? p * torch::sigmoid(torch::linear(p, at("proj.gate.weight", {width_, width_})))
                                : torch::relu(p);
      return torch::linear(inner, at("proj.o_proj.weight", {width_, width_}));
    }
    if (has("proj.weight")) {
      const Tensor &weight = at("proj.weight", {width_, inputs});
      return has("proj.bias") ? torch::linear(f, weight, at("proj.bias", {width_})) : torch::linear(f, weight);
    }
    TORCH_CHECK(inputs == width_, "the input \"vectors\" is ", inputs, " wide and there is no projector; the model needs ",
                width_);
    return f;
  }

 private:
  const Tensors &tensors_;
  int64_t width_;
};

} // namespace

Tensor project(const Tensors &tensors, const Tensor &vectors, int64_t width) {
  return Layout(tensors, width).run(vectors);
}

} // namespace rwkv_train
