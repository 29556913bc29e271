#include "l2wrap.h"

#include <tuple>

namespace rwkv_train {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct L2Wrap : torch::autograd::Function<L2Wrap> {
  static Tensor forward(AutogradContext *context, Tensor loss, Tensor logits, double factor) {
    context->save_for_backward({logits});
    context->saved_data["factor"] = factor;
    return loss.clone();
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    const Tensor logits = context->get_saved_variables()[0];
    const double factor = context->saved_data["factor"].toDouble();
    const auto [largest, index] = logits.max(-1, true);
    const Tensor pull = torch::zeros_like(logits).scatter_(-1, index, largest * (factor / double(logits.size(0))));
    return {gradients[0], pull, Tensor()};
  }
};

} // namespace

Tensor l2wrap(const Tensor &loss, const Tensor &logits, double factor) { return L2Wrap::apply(loss, logits, factor); }

} // namespace rwkv_train
