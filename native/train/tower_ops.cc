#include "tower_ops.h"

#include "tower_loops.h"

#include <ATen/Parallel.h>

#include <vector>

namespace rwkv_train {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

constexpr FrameScale frame_scale{0.45f, 0.225f, 4};
constexpr int64_t max_groups = 64;             // of tower_loops.cc
constexpr int64_t gelu_grain = int64_t(1) << 14; // elements: below it another thread is not worth waking
constexpr int64_t norm_lanes = 16;            // of tower_loops.cc

bool in_loops(const Tensor &x) {
  return x.is_cpu() && (x.scalar_type() == torch::kFloat32 || x.scalar_type() == torch::kBFloat16);
}

Tensor channels_last(const Tensor &x) { return x.contiguous(torch::MemoryFormat::ChannelsLast); }

// run(zero of the element type): the loops take bfloat16 as uint16_t.
template <class Run>
void by_element(const Tensor &x, const Run &run) {
  if (x.scalar_type() == torch::kBFloat16) run(uint16_t{});
  else run(float{});
}

template <class Element>
Element *elements(const Tensor &x) {
  return x.defined() ? static_cast<Element *>(x.data_ptr()) : nullptr;
}

struct NormGeluFunction : torch::autograd::Function<NormGeluFunction> {
  static Tensor forward(AutogradContext *context, const Tensor &input, const Tensor &weight, const Tensor &bias,
                        int64_t groups, double epsilon, const c10::optional<Tensor> &residual) {
    const Tensor x = channels_last(input), beside = residual ? channels_last(*residual) : Tensor();
    const Tensor w = weight.contiguous(), b = bias.contiguous();
    const Tensor out = torch::empty_like(x), statistics = torch::empty({x.size(0), 2, groups}, w.options());
    const int64_t channels = x.size(1), places = x.size(2) * x.size(3);
    by_element(x, [&](auto zero) {
      using Element = decltype(zero);
      at::parallel_for(0, x.size(0), 1, [&](int64_t first, int64_t last) {
        std::vector<float> scratch(static_cast<size_t>(2 * channels));
        for (int64_t row = first; row < last; ++row) {
          const int64_t offset = row * places * channels;
          const Element *const next = elements<Element>(beside);
          norm_gelu(shape_of(x, w, b, statistics, row, epsilon), elements<Element>(x) + offset,
                    next ? next + offset : nullptr, elements<Element>(out) + offset, scratch.data());
        }
      });
    });
    context->save_for_backward({x, w, b, statistics});
    context->saved_data["epsilon"] = epsilon;
    context->saved_data["residual"] = residual.has_value();
    return out;
  }

  static tensor_list backward(AutogradContext *context, tensor_list gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &w = saved[1], &b = saved[2], &statistics = saved[3];
    const Tensor dy = channels_last(gradients[0]), dx = torch::empty_like(x);
    const int64_t channels = x.size(1), places = x.size(2) * x.size(3);
    const double epsilon = context->saved_data["epsilon"].toDouble();
    const Tensor dnorm = torch::empty({2, x.size(0), channels}, w.options()); // weight, bias; summed over rows below
    by_element(x, [&](auto zero) {
      using Element = decltype(zero);
      at::parallel_for(0, x.size(0), 1, [&](int64_t first, int64_t last) {
        std::vector<float> scratch(static_cast<size_t>((places + 4) * channels));
        for (int64_t row = first; row < last; ++row) {
          const int64_t offset = row * places * channels;
          norm_gelu_back(shape_of(x, w, b, statistics, row, epsilon), elements<Element>(x) + offset,
                         elements<Element>(dy) + offset, elements<Element>(dx) + offset,
                         elements<float>(dnorm) + row * channels,
                         elements<float>(dnorm) + (x.size(0) + row) * channels, scratch.data());
        }
      });
    });
    const Tensor sums = dnorm.sum(1);
    const Tensor beside = context->saved_data["residual"].toBool() ? gradients[0] : Tensor();
    return {dx, sums[0], sums[1], Tensor(), Tensor(), beside};
  }

 private:
  static NormGelu shape_of(const Tensor &x, const Tensor &w, const Tensor &b, const Tensor &statistics, int64_t row,
                           double epsilon) {
    const int64_t groups = statistics.size(2);
    float *const mean = elements<float>(statistics) + row * 2 * groups;
    return {size_t(x.size(2) * x.size(3)), size_t(x.size(1)), size_t(groups), elements<float>(w), elements<float>(b),
            float(epsilon), mean, mean + groups};
  }
};

struct AddNormFunction : torch::autograd::Function<AddNormFunction> {
  static tensor_list forward(AutogradContext *context, const Tensor &input, const Tensor &added, const Tensor &weight,
                             const Tensor &bias, double epsilon) {
    const Tensor x = input.contiguous(), delta = added.contiguous(), w = weight.contiguous(), b = bias.contiguous();
    const Tensor sum = torch::empty_like(x), out = torch::empty_like(delta);
    const Tensor statistics = torch::empty({x.size(0), 2, x.size(1)}, x.options());
    const int64_t per_picture = x.size(1) * x.size(2);
    by_element(delta, [&](auto zero) {
      using Element = decltype(zero);
      at::parallel_for(0, x.size(0), 1, [&](int64_t first, int64_t last) {
        for (int64_t row = first; row < last; ++row) {
          const int64_t offset = row * per_picture;
          add_norm(shape_of(sum, w, b, statistics, row, epsilon), elements<float>(x) + offset,
                   elements<Element>(delta) + offset, elements<float>(sum) + offset, elements<Element>(out) + offset);
        }
      });
    });
    context->save_for_backward({sum, w, b, statistics});
    context->saved_data["epsilon"] = epsilon;
    return {sum, out};
  }

  static tensor_list backward(AutogradContext *context, tensor_list gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &sum = saved[0], &w = saved[1], &b = saved[2], &statistics = saved[3];
    const Tensor dsum = gradients[0].contiguous(), dout = gradients[1].contiguous();
    const Tensor dx = torch::empty_like(dsum), ddelta = torch::empty_like(dout);
    const Tensor dnorm = torch::empty({2, sum.size(0), sum.size(2)}, w.options());
    const double epsilon = context->saved_data["epsilon"].toDouble();
    const int64_t width = sum.size(2), per_picture = sum.size(1) * width;
    by_element(dout, [&](auto zero) {
      using Element = decltype(zero);
      at::parallel_for(0, sum.size(0), 1, [&](int64_t first, int64_t last) {
        for (int64_t row = first; row < last; ++row) {
          const int64_t offset = row * per_picture;
          add_norm_back(shape_of(sum, w, b, statistics, row, epsilon), elements<float>(sum) + offset,
                        elements<float>(dsum) + offset, elements<Element>(dout) + offset, elements<float>(dx) + offset,
                        elements<Element>(ddelta) + offset, elements<float>(dnorm) + row * width,
                        elements<float>(dnorm) + (sum.size(0) + row) * width);
        }
      });
    });
    const Tensor sums = dnorm.sum(1);
    return {dx, ddelta, sums[0], sums[1], Tensor()};
  }

 private:
  static AddNorm shape_of(const Tensor &sum, const Tensor &w, const Tensor &b, const Tensor &statistics, int64_t row,
                          double epsilon) {
    float *const mean = elements<float>(statistics) + row * 2 * sum.size(1);
    return {size_t(sum.size(1)), size_t(sum.size(2)), elements<float>(w), elements<float>(b), float(epsilon), mean,
            mean + sum.size(1)};
  }
};

struct GeluFunction : torch::autograd::Function<GeluFunction> {
  static Tensor forward(AutogradContext *context, const Tensor &input) {
    const Tensor x = input.contiguous(), y = torch::empty_like(x);
    by_element(x, [&](auto zero) {
      using Element = decltype(zero);
      at::parallel_for(0, x.numel(), gelu_grain, [&](int64_t first, int64_t last) {
        gelu(elements<Element>(x) + first, elements<Element>(y) + first, size_t(last - first));
      });
    });
    context->save_for_backward({x});
    return y;
  }

  static tensor_list backward(AutogradContext *context, tensor_list gradients) {
    const Tensor x = context->get_saved_variables()[0], dy = gradients[0].contiguous(), dx = torch::empty_like(x);
    by_element(x, [&](auto zero) {
      using Element = decltype(zero);
      at::parallel_for(0, x.numel(), gelu_grain, [&](int64_t first, int64_t last) {
        gelu_back(elements<Element>(x) + first, elements<Element>(dy) + first, elements<Element>(dx) + first,
                  size_t(last - first));
      });
    });
    return {dx};
  }
};

} // namespace

bool fast_bf16() {
#if defined(__x86_64__) && defined(__GNUC__)
  return at::hasMKLDNN() && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

Tensor frames_input(const Tensor &pixels, torch::ScalarType type) {
  TORCH_CHECK(pixels.dim() == 5 && pixels.size(1) == 2 && pixels.size(4) == 3 && pixels.scalar_type() == torch::kUInt8,
              "the input \"pixels\" must be bytes, [batch, 2, height, width, 3]");
  const int64_t batch = pixels.size(0), height = pixels.size(2), width = pixels.size(3), places = height * width;
  if (pixels.is_cpu() && (type == torch::kFloat32 || type == torch::kBFloat16)) {
    const Tensor bytes = pixels.contiguous();
    const Tensor out = torch::empty({batch, height, width, 6}, torch::TensorOptions(type));
    by_element(out, [&](auto zero) {
      using Element = decltype(zero);
      at::parallel_for(0, batch, 1, [&](int64_t first, int64_t last) {
        for (int64_t row = first; row < last; ++row) {
          const uint8_t *const before = bytes.data_ptr<uint8_t>() + row * 2 * places * 3;
          frames(frame_scale, before, before + places * 3, size_t(places), elements<Element>(out) + row * places * 6);
        }
      });
    });
    return out.permute({0, 3, 1, 2});
  }
  const Tensor light = pixels.to(type == torch::kBFloat16 ? torch::kFloat32 : type).div(255);
  const Tensor before = light.select(1, 0), now = light.select(1, 1);
  const Tensor both =
      torch::cat({(now - frame_scale.mean) / frame_scale.spread, (now - before) * frame_scale.gain}, -1);
  return both.permute({0, 3, 1, 2}).to(type);
}

Tensor norm_gelu(const Tensor &x, const Tensor &weight, const Tensor &bias, int64_t groups, double epsilon,
                 const Tensor &residual) {
  TORCH_CHECK(x.size(1) % groups == 0, "a norm of ", groups, " groups cannot divide ", x.size(1), " channels");
  if (in_loops(x) && groups <= max_groups && weight.scalar_type() == torch::kFloat32) {
    return NormGeluFunction::apply(x, weight, bias, groups, epsilon,
                                   residual.defined() ? c10::make_optional(residual) : c10::nullopt);
  }
  const auto type = x.scalar_type();
  const Tensor y = torch::gelu(torch::group_norm(x, groups, weight.to(type), bias.to(type), epsilon));
  return residual.defined() ? residual + y : y;
}

Summed add_norm(const Tensor &x, const Tensor &delta, const Tensor &weight, const Tensor &bias, double epsilon) {
  const bool single = x.scalar_type() == torch::kFloat32 && weight.scalar_type() == torch::kFloat32;
  if (in_loops(delta) && single && x.size(2) % norm_lanes == 0) {
    const tensor_list both = AddNormFunction::apply(x, delta, weight, bias, epsilon);
    return {both[0], both[1]};
  }
  const Tensor sum = x + delta;
  return {sum, torch::layer_norm(sum, {sum.size(2)}, weight, bias, epsilon).to(delta.scalar_type())};
}

Tensor gelu_exact(const Tensor &x) { return in_loops(x) ? GeluFunction::apply(x) : torch::gelu(x); }

} // namespace rwkv_train
