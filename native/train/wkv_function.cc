#include "wkv_function.h"

#include "wkv.h"

#if defined(RWKV_TRAIN_CUDA)
#include "cuda/wkv_function_cuda.h"
#endif

#include <ATen/Parallel.h>

namespace rwkv_train {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

WkvShape shape_of(const Tensor &r) {
  TORCH_CHECK(r.dim() == 4 && r.size(3) == int64_t{head}, "a sequence is [batch, time, heads, 64]");
  return {size_t(r.size(0)), size_t(r.size(1)), size_t(r.size(2))};
}

// One share of the heads per thread.
template <class Job>
void each_share(const WkvShape &shape, const Job &job) {
  at::parallel_for(0, int64_t(shape.batch * shape.heads), 1,
                   [&](int64_t first, int64_t last) { job(size_t(first), size_t(last)); });
}

Tensor checkpoints_for(const WkvShape &shape, const Tensor &like) {
  return torch::empty({int64_t(shape.checkpoints())}, like.options().requires_grad(false));
}

// dy and the gradient of the final state; what nobody used is zero.
Tensor gradient_or_zero(const Tensor &gradient, const Tensor &like) {
  return gradient.defined() ? gradient.contiguous() : torch::zeros_like(like);
}

template <class Real>
Wkv7Inputs<Real> inputs7(const variable_list &x) {
  const auto at = [&](size_t index) { return x[index].template data_ptr<Real>(); };
  return {at(0), at(1), at(2), at(3), at(4), at(5), at(6)};
}

template <class Real>
Wkv6Inputs<Real> inputs6(const variable_list &x) {
  const auto at = [&](size_t index) { return x[index].template data_ptr<Real>(); };
  return {at(0), at(1), at(2), at(3), at(4), at(5)};
}

struct Wkv7 : torch::autograd::Function<Wkv7> {
  static variable_list forward(AutogradContext *context, Tensor r, Tensor w, Tensor k, Tensor v, Tensor a, Tensor b,
                               Tensor state) {
    const WkvShape shape = shape_of(r);
    variable_list in{r.contiguous(), w.contiguous(), k.contiguous(), v.contiguous(),
                     a.contiguous(), b.contiguous(), state.contiguous()};
    Tensor y = torch::empty_like(in[0]), after = torch::empty_like(in[6]);
    const Tensor checkpoints = checkpoints_for(shape, r);
    AT_DISPATCH_FLOATING_TYPES(r.scalar_type(), "wkv7", [&] {
      const auto inputs = inputs7<scalar_t>(in);
      each_share(shape, [&](size_t first, size_t last) {
        wkv7_forward<scalar_t>(shape, inputs, y.data_ptr<scalar_t>(), after.data_ptr<scalar_t>(),
                               checkpoints.data_ptr<scalar_t>(), first, last);
      });
    });
    in.push_back(checkpoints);
    context->save_for_backward(in);
    return {y, after};
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    const variable_list in = context->get_saved_variables();
    const WkvShape shape = shape_of(in[0]);
    const Tensor dy = gradient_or_zero(gradients[0], in[0]), dstate = gradient_or_zero(gradients[1], in[6]);
    variable_list out;
    for (size_t index = 0; index < 7; ++index) out.push_back(torch::empty_like(in[index]));
    AT_DISPATCH_FLOATING_TYPES(in[0].scalar_type(), "wkv7 backward", [&] {
      const auto inputs = inputs7<scalar_t>(in);
      const auto at = [&](size_t index) { return out[index].data_ptr<scalar_t>(); };
      const Wkv7Gradients<scalar_t> to{at(0), at(1), at(2), at(3), at(4), at(5), at(6)};
      each_share(shape, [&](size_t first, size_t last) {
        wkv7_backward<scalar_t>(shape, inputs, in[7].data_ptr<scalar_t>(), dy.data_ptr<scalar_t>(),
                                dstate.data_ptr<scalar_t>(), to, first, last);
      });
    });
    return out;
  }
};

struct Wkv6 : torch::autograd::Function<Wkv6> {
  static variable_list forward(AutogradContext *context, Tensor r, Tensor w, Tensor k, Tensor v, Tensor u,
                               Tensor state) {
    const WkvShape shape = shape_of(r);
    variable_list in{r.contiguous(), w.contiguous(), k.contiguous(), v.contiguous(), u.contiguous(),
                     state.contiguous()};
    Tensor y = torch::empty_like(in[0]), after = torch::empty_like(in[5]);
    const Tensor checkpoints = checkpoints_for(shape, r);
    AT_DISPATCH_FLOATING_TYPES(r.scalar_type(), "wkv6", [&] {
      const auto inputs = inputs6<scalar_t>(in);
      each_share(shape, [&](size_t first, size_t last) {
        wkv6_forward<scalar_t>(shape, inputs, y.data_ptr<scalar_t>(), after.data_ptr<scalar_t>(),
                               checkpoints.data_ptr<scalar_t>(), first, last);
      });
    });
    in.push_back(checkpoints);
    context->save_for_backward(in);
    return {y, after};
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    const variable_list in = context->get_saved_variables();
    const WkvShape shape = shape_of(in[0]);
    const Tensor dy = gradient_or_zero(gradients[0], in[0]), dstate = gradient_or_zero(gradients[1], in[5]);
    variable_list out;
    for (size_t index : {0, 1, 2, 3}) out.push_back(torch::empty_like(in[index]));
    // One share of du per sequence: threads never add to the same numbers.
    const auto batch = int64_t(shape.batch), heads = int64_t(shape.heads);
    Tensor du = torch::empty({batch, heads, int64_t{head}}, in[4].options());
    Tensor dstate_in = torch::empty_like(in[5]);
    AT_DISPATCH_FLOATING_TYPES(in[0].scalar_type(), "wkv6 backward", [&] {
      const auto inputs = inputs6<scalar_t>(in);
      const auto at = [&](size_t index) { return out[index].data_ptr<scalar_t>(); };
      const Wkv6Gradients<scalar_t> to{at(0), at(1), at(2), at(3), du.data_ptr<scalar_t>(),
                                       dstate_in.data_ptr<scalar_t>()};
      each_share(shape, [&](size_t first, size_t last) {
        wkv6_backward<scalar_t>(shape, inputs, in[6].data_ptr<scalar_t>(), dy.data_ptr<scalar_t>(),
                                dstate.data_ptr<scalar_t>(), to, first, last);
      });
    });
    out.push_back(du.sum(0));
    out.push_back(dstate_in);
    return out;
  }
};

} // namespace

namespace {

// Without kernels for it the recurrence runs on the CPU, whatever device its inputs are on, and in float32 at least.
Tensor for_loops(const Tensor &x) {
  return x.is_cpu() ? x : x.to(torch::kCPU, torch::kFloat32);
}

WkvResult result_of(const variable_list &out, const Tensor &like) {
  return {out[0].to(like.device()), out[1].to(like.device())};
}

} // namespace

WkvResult wkv7(const Tensor &r, const Tensor &w, const Tensor &k, const Tensor &v, const Tensor &a, const Tensor &b,
               const Tensor &state) {
#if defined(RWKV_TRAIN_CUDA)
  if (r.is_cuda()) return wkv7_on_cuda(r, w, k, v, a, b, state);
#endif
  return result_of(Wkv7::apply(for_loops(r), for_loops(w), for_loops(k), for_loops(v), for_loops(a), for_loops(b),
                               for_loops(state)),
                   r);
}

WkvResult wkv6(const Tensor &r, const Tensor &w, const Tensor &k, const Tensor &v, const Tensor &u,
               const Tensor &state) {
#if defined(RWKV_TRAIN_CUDA)
  if (r.is_cuda()) return wkv6_on_cuda(r, w, k, v, u, state);
#endif
  return result_of(Wkv6::apply(for_loops(r), for_loops(w), for_loops(k), for_loops(v), for_loops(u), for_loops(state)),
                   r);
}

} // namespace rwkv_train
