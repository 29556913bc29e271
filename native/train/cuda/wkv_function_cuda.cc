// See wkv_function_cuda.h. Owns what a recurrence keeps from forward to backward, on the device; kernels run on libtorch's
// current stream. With RWKV_TRAIN_EMULATION the kernels are the emulated ones and the tensors lie on the CPU: a test.
#include "wkv_function_cuda.h"

#include "wkv_cuda.h"

#if !defined(RWKV_TRAIN_EMULATION)
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#endif

namespace rwkv_train {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The device of a tensor made current, and its stream.
#if defined(RWKV_TRAIN_EMULATION)
struct Place {
  explicit Place(const Tensor &) {}
  void *stream() const { return nullptr; }
};
#else
struct Place {
  explicit Place(const Tensor &on) : guard(on.device()) {}
  void *stream() const { return c10::cuda::getCurrentCUDAStream().stream(); }
  c10::cuda::CUDAGuard guard;
};
#endif

void good(int error, const char *what) {
  TORCH_CHECK(error == 0, "Cannot run ", what, " on CUDA: error ", error);
}

WkvShape shape_of(const Tensor &r) {
  TORCH_CHECK(r.dim() == 4 && r.size(3) == int64_t{head}, "a sequence is [batch, time, heads, 64]");
  return {size_t(r.size(0)), size_t(r.size(1)), size_t(r.size(2))};
}

Tensor room(size_t count, const Tensor &like) { return torch::empty({int64_t(count)}, like.options().requires_grad(false)); }

Tensor gradient_or_zero(const Tensor &gradient, const Tensor &like) {
  return gradient.defined() ? gradient.contiguous() : torch::zeros_like(like);
}

float *data(const Tensor &x) { return x.data_ptr<float>(); }

Wkv7Inputs<float> inputs7(const variable_list &x) {
  return {data(x[0]), data(x[1]), data(x[2]), data(x[3]), data(x[4]), data(x[5]), data(x[6])};
}
Wkv6Inputs<float> inputs6(const variable_list &x) {
  return {data(x[0]), data(x[1]), data(x[2]), data(x[3]), data(x[4]), data(x[5])};
}

struct Wkv7 : torch::autograd::Function<Wkv7> {
  static variable_list forward(AutogradContext *context, Tensor r, Tensor w, Tensor k, Tensor v, Tensor a, Tensor b,
                               Tensor state) {
    const WkvShape shape = shape_of(r);
    const Place place(r);
    variable_list in{r.contiguous(), w.contiguous(), k.contiguous(), v.contiguous(),
                     a.contiguous(), b.contiguous(), state.contiguous()};
    const Tensor y = torch::empty_like(in[0]), after = torch::empty_like(in[6]), sa = torch::empty_like(in[0]);
    const Tensor checkpoints = room(shape.checkpoints(), r);
    good(wkv7_forward_cuda(shape, inputs7(in), data(y), data(after), data(checkpoints), data(sa), place.stream()), "wkv7");
    in.push_back(checkpoints), in.push_back(sa);
    context->save_for_backward(in);
    return {y, after};
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    const variable_list in = context->get_saved_variables();
    const WkvShape shape = shape_of(in[0]);
    const Place place(in[0]);
    const Tensor dy = gradient_or_zero(gradients[0], in[0]), dstate = gradient_or_zero(gradients[1], in[6]);
    const Tensor scratch = room(wkv_scratch(shape), in[0]);
    variable_list out;
    for (size_t index = 0; index < 7; ++index) out.push_back(torch::empty_like(in[index]));
    const Wkv7Gradients<float> to{data(out[0]), data(out[1]), data(out[2]), data(out[3]),
                                  data(out[4]), data(out[5]), data(out[6])};
    good(wkv7_backward_cuda(shape, inputs7(in), data(in[7]), data(in[8]), data(dy), data(dstate), to, data(scratch),
                            place.stream()),
         "the gradient of wkv7");
    return out;
  }
};

struct Wkv6 : torch::autograd::Function<Wkv6> {
  static variable_list forward(AutogradContext *context, Tensor r, Tensor w, Tensor k, Tensor v, Tensor u,
                               Tensor state) {
    const WkvShape shape = shape_of(r);
    const Place place(r);
    variable_list in{r.contiguous(), w.contiguous(), k.contiguous(), v.contiguous(), u.contiguous(),
                     state.contiguous()};
    const Tensor y = torch::empty_like(in[0]), after = torch::empty_like(in[5]);
    const Tensor checkpoints = room(shape.checkpoints(), r);
    good(wkv6_forward_cuda(shape, inputs6(in), data(y), data(after), data(checkpoints), place.stream()), "wkv6");
    in.push_back(checkpoints);
    context->save_for_backward(in);
    return {y, after};
  }

  static variable_list backward(AutogradContext *context, variable_list gradients) {
    const variable_list in = context->get_saved_variables();
    const WkvShape shape = shape_of(in[0]);
    const Place place(in[0]);
    const Tensor dy = gradient_or_zero(gradients[0], in[0]), dstate = gradient_or_zero(gradients[1], in[5]);
    const Tensor scratch = room(wkv_scratch(shape), in[0]);
    variable_list out;
    for (size_t index : {0, 1, 2, 3}) out.push_back(torch::empty_like(in[index]));
    const Tensor du = torch::empty({int64_t(shape.batch), int64_t(shape.heads), int64_t{head}}, in[4].options());
    const Tensor dstate_in = torch::empty_like(in[5]);
    const Wkv6Gradients<float> to{data(out[0]), data(out[1]), data(out[2]), data(out[3]), data(du), data(dstate_in)};
    good(wkv6_backward_cuda(shape, inputs6(in), data(in[6]), data(dy), data(dstate), to, data(scratch), place.stream()),
         "the gradient of wkv6");
    out.push_back(du.sum(0)), out.push_back(dstate_in);
    return out;
  }
};

Tensor wide(const Tensor &x) { return x.to(torch::kFloat32); }

} // namespace

WkvResult wkv7_on_cuda(const Tensor &r, const Tensor &w, const Tensor &k, const Tensor &v, const Tensor &a, const Tensor &b,
                       const Tensor &state) {
  const auto out = Wkv7::apply(wide(r), wide(w), wide(k), wide(v), wide(a), wide(b), wide(state));
  return {out[0], out[1]};
}

WkvResult wkv6_on_cuda(const Tensor &r, const Tensor &w, const Tensor &k, const Tensor &v, const Tensor &u,
                       const Tensor &state) {
  const auto out = Wkv6::apply(wide(r), wide(w), wide(k), wide(v), wide(u), wide(state));
  return {out[0], out[1]};
}

} // namespace rwkv_train
