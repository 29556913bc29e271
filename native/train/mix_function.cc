#include "mix_function.h"

#include "mix_loops.h"

#include <ATen/Parallel.h>

namespace rwkv_train {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

MixShape shape_of(const Tensor &h, size_t mixes) { return {size_t(h.size(1)), size_t(h.size(2)), mixes}; }

// From `first` on.
template <class Real, class Pointer = Real>
MixPointers<Pointer> pointers(const variable_list &tensors, size_t first, size_t count) {
  MixPointers<Pointer> out{};
  for (size_t index = 0; index < count; ++index) out.of[index] = tensors[first + index].template data_ptr<Real>();
  return out;
}

struct ShiftMix : torch::autograd::Function<ShiftMix> {
  // arguments: h, previous, each μ.
  static variable_list forward(AutogradContext *context, at::TensorList list) {
    variable_list arguments = list.vec();
    for (Tensor &argument : arguments) argument = argument.contiguous();
    const size_t mixes = arguments.size() - 2;
    const Tensor &h = arguments[0];
    variable_list out;
    for (size_t mix = 0; mix < mixes; ++mix) out.push_back(torch::empty_like(h));
    AT_DISPATCH_FLOATING_TYPES(h.scalar_type(), "shift_mix", [&] {
      const auto mu = pointers<scalar_t, const scalar_t>(arguments, 2, mixes);
      const auto to = pointers<scalar_t>(out, 0, mixes);
      at::parallel_for(0, h.size(0), 1, [&](int64_t first, int64_t last) {
        mix_forward<scalar_t>(shape_of(h, mixes), h.data_ptr<scalar_t>(), arguments[1].data_ptr<scalar_t>(), mu, to,
                              size_t(first), size_t(last));
      });
    });
    context->save_for_backward(arguments);
    return out;
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    const variable_list in = context->get_saved_variables();
    const Tensor &h = in[0];
    const size_t mixes = in.size() - 2;
    for (Tensor &gradient : gradients) gradient = gradient.defined() ? gradient.contiguous() : torch::zeros_like(h);
    variable_list out{torch::empty_like(h), torch::empty_like(in[1])};
    const Tensor shares = torch::empty({h.size(0), int64_t(mixes), h.size(2)}, h.options());
    AT_DISPATCH_FLOATING_TYPES(h.scalar_type(), "shift_mix backward", [&] {
      const auto mu = pointers<scalar_t, const scalar_t>(in, 2, mixes);
      const auto from = pointers<scalar_t, const scalar_t>(gradients, 0, mixes);
      at::parallel_for(0, h.size(0), 1, [&](int64_t first, int64_t last) {
        mix_backward<scalar_t>(shape_of(h, mixes), h.data_ptr<scalar_t>(), in[1].data_ptr<scalar_t>(), mu, from,
                               out[0].data_ptr<scalar_t>(), out[1].data_ptr<scalar_t>(), shares.data_ptr<scalar_t>(),
                               size_t(first), size_t(last));
      });
    });
    for (const Tensor &one : shares.sum(0).unbind(0)) out.push_back(one);
    return out;
  }
};

} // namespace

std::vector<Tensor> shift_mix(const Tensor &h, const Tensor &previous, const std::vector<Tensor> &mu) {
  TORCH_CHECK(!mu.empty() && mu.size() <= mixes_max && previous.sizes() == h.select(1, 0).sizes(),
              "a shift has one to six mixes, and a vector before each sequence");
  for (const Tensor &one : mu) TORCH_CHECK(one.numel() == h.size(2), "a mix has ", one.numel(), " shares, not ", h.size(2));
  if (!h.is_cpu()) {
    const Tensor delta = torch::cat({previous.unsqueeze(1), h.slice(1, 0, h.size(1) - 1)}, 1) - h;
    std::vector<Tensor> out;
    for (const Tensor &one : mu) out.push_back(torch::addcmul(h, delta, one));
    return out;
  }
  variable_list arguments{h, previous};
  arguments.insert(arguments.end(), mu.begin(), mu.end());
  return ShiftMix::apply(at::TensorList(arguments)); // only this type of list is looked into for tensors
}

} // namespace rwkv_train
