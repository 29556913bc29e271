// Loss and gradients of the tiny models against the specification (appendix A.4), the recurrences against central
// differences, and a clip in pieces against the whole. All in float64; float32 is compared with it.
#include "../language_net.h"
#include "../wkv_function.h"

// Behind libtorch: it has a Tensor of its own at the top.
#include "../../tests/tiny_model.h"

#include <cmath>
#include <cstdio>

namespace golden {

using torch::Tensor;
int failures = 0;

void check(bool right, const char *what, double found, double wanted) {
  if (right) return;
  std::printf("FAILED %s: %.10g, wanted %.10g\n", what, found, wanted);
  ++failures;
}

rwkv_train::Tensors tensors_of(const std::map<std::string, TensorSpec> &spec, torch::ScalarType type) {
  rwkv_train::Tensors out;
  for (const auto &[name, tensor] : generate(spec)) {
    std::vector<int64_t> shape(tensor.shape.begin(), tensor.shape.end());
    const Tensor values = torch::from_blob(const_cast<float *>(tensor.values.data()), shape, torch::kFloat32);
    out.emplace(name, values.to(type, false, true).clone().requires_grad_(true));
  }
  return out;
}

double element(const Tensor &tensor, std::initializer_list<int64_t> index) {
  Tensor at = tensor;
  for (const int64_t one : index) at = at[one];
  return at.item<double>();
}

struct Expected {
  const char *name;
  std::vector<int64_t> index;
  double gradient;
};

Tensor loss_of(const rwkv_train::LanguageNet &net, rwkv_train::NetState &state) {
  const Tensor tokens = torch::tensor({{1, 5, 9, 3, 7}}, torch::kInt64);
  const Tensor logits = net.logits(net.forward(net.embed(tokens), state))[0];
  // Labels −100 −100 9 3 7: positions 1, 2 and 3 predict.
  return torch::nn::functional::cross_entropy(logits.slice(0, 1, 4), torch::tensor({9, 3, 7}, torch::kInt64));
}

void check_golden(const char *name, const std::map<std::string, TensorSpec> &spec, double wanted_loss,
                  const std::vector<Expected> &wanted) {
  const auto tensors = tensors_of(spec, torch::kFloat64);
  const rwkv_train::LanguageNet net(tensors);
  rwkv_train::NetState state;
  const Tensor loss = loss_of(net, state);
  // The tiny weights are rounded to float32 here, the printed numbers are not: seven digits remain.
  check(std::abs(loss.item<double>() - wanted_loss) < 1e-6, name, loss.item<double>(), wanted_loss);
  loss.backward();
  for (const Expected &one : wanted) {
    Tensor at = tensors.at(one.name).grad();
    for (const int64_t index : one.index) at = at[index];
    const double found = at.item<double>();
    check(std::abs(found - one.gradient) < 1e-9 + 2e-5 * std::abs(one.gradient), one.name, found, one.gradient);
  }
  const auto single = tensors_of(spec, torch::kFloat32);
  const rwkv_train::LanguageNet single_net(single);
  rwkv_train::NetState single_state;
  const Tensor single_loss = loss_of(single_net, single_state);
  single_loss.backward();
  for (const auto &[tensor_name, tensor] : tensors) {
    const Tensor other = single.at(tensor_name).grad();
    if (!tensor.grad().defined() || !other.defined()) continue;
    const double error = (tensor.grad() - other.to(torch::kFloat64)).norm().item<double>();
    const double size = tensor.grad().norm().item<double>();
    check(error <= 1e-4 * size + 1e-9, (tensor_name + " in float32").c_str(), error, 1e-4 * size);
  }
}

// d(loss)/d(x) by central differences at a few places of every input, against backward.
template <class Run>
void check_differences(const char *name, std::vector<Tensor> inputs, const Run &run) {
  for (Tensor &input : inputs) input.requires_grad_(true);
  run(inputs).backward();
  for (size_t which = 0; which < inputs.size(); ++which) {
    const Tensor gradient = inputs[which].grad().flatten();
    torch::NoGradGuard guard;
    Tensor flat = inputs[which].flatten();
    for (int place = 0; place < 12; ++place) {
      const int64_t at = (place * 7919 + 13) % flat.size(0);
      double *const value = inputs[which].data_ptr<double>() + at;
      const double kept = *value, step = 1e-4;
      const auto at_offset = [&](double offset) {
        *value = kept + offset;
        const double result = run(inputs).template item<double>();
        *value = kept;
        return result;
      };
      // Fourth order: the error is far below a millionth.
      const double difference = (8 * (at_offset(step) - at_offset(-step)) - (at_offset(2 * step) - at_offset(-2 * step))) /
                                (12 * step);
      const double found = gradient[at].item<double>();
      const double scale = gradient.abs().mean().item<double>();
      check(std::abs(found - difference) <= 1e-6 * std::max(std::abs(difference), scale), name, found, difference);
    }
  }
}

Tensor sequence(double from, double to, int64_t time = 37) {
  return (torch::rand({2, time, 2, 64}, torch::kFloat64) * (to - from) + from).detach();
}

void check_wkv() {
  torch::manual_seed(5);
  const Tensor weight_y = torch::randn({2, 37, 2, 64}, torch::kFloat64);
  const Tensor weight_s = torch::randn({2, 2, 64, 64}, torch::kFloat64);
  const Tensor state = torch::randn({2, 2, 64, 64}, torch::kFloat64) * 0.3;
  const Tensor kk = sequence(-1, 1) / 5;
  check_differences("wkv7", {sequence(-1, 1), sequence(0.55, 0.99), sequence(-1, 1), sequence(-1, 1), -kk, kk.clone() * 0.4, state.clone()},
                    [&](const std::vector<Tensor> &x) {
                      const auto out = rwkv_train::wkv7(x[0], x[1], x[2], x[3], x[4], x[5], x[6]);
                      return (out.y * weight_y).sum() + (out.state * weight_s).sum();
                    });
  const Tensor u = torch::randn({2, 64}, torch::kFloat64);
  check_differences("wkv6", {sequence(-1, 1), sequence(0.05, 0.99), sequence(-1, 1), sequence(-1, 1), u, state.clone()},
                    [&](const std::vector<Tensor> &x) {
                      const auto out = rwkv_train::wkv6(x[0], x[1], x[2], x[3], x[4], x[5]);
                      return (out.y * weight_y).sum() + (out.state * weight_s).sum();
                    });
}

// A clip cut into pieces, states handed over, is the clip: values and gradients.
void check_pieces(const char *name, const std::map<std::string, TensorSpec> &spec) {
  const auto tensors = tensors_of(spec, torch::kFloat64);
  const rwkv_train::LanguageNet net(tensors);
  torch::manual_seed(6);
  const Tensor x = torch::randn({3, 40, 128}, torch::kFloat64), weight = torch::randn({3, 40, 128}, torch::kFloat64);
  const auto gradient = [&](const std::vector<int64_t> &cuts) {
    for (const auto &[key, tensor] : tensors) tensor.mutable_grad() = Tensor();
    rwkv_train::NetState state;
    Tensor total = torch::zeros({}, torch::kFloat64);
    for (size_t piece = 0; piece + 1 < cuts.size(); ++piece) {
      const Tensor y = net.forward(x.slice(1, cuts[piece], cuts[piece + 1]), state);
      total = total + (y * weight.slice(1, cuts[piece], cuts[piece + 1])).sum();
    }
    total.backward();
    return std::pair{total.item<double>(), tensors.at("blocks.0.att.key.weight").grad().clone()};
  };
  const auto [whole, whole_gradient] = gradient({0, 40});
  const auto [parts, parts_gradient] = gradient({0, 1, 17, 33, 40});
  check(std::abs(whole - parts) < 1e-9 * std::abs(whole), name, parts, whole);
  const double error = (whole_gradient - parts_gradient).norm().item<double>();
  check(error < 1e-9 * whole_gradient.norm().item<double>(), name, error, 0);
}

} // namespace golden

int main() {
  using namespace golden;
  check_golden("RWKV-7 loss", rwkv7_spec(), 3.7681756539,
               {{"emb.weight", {1, 0}, 1.038265e-2},
                {"blocks.0.ln0.weight", {7}, 6.075050e-2},
                {"blocks.0.att.w0", {0}, -4.59546e-6},
                {"blocks.0.att.x_a", {9}, 1.556085e-3},
                {"blocks.0.att.k_k", {5}, -5.02289e-6},
                {"blocks.0.att.k_a", {6}, -5.082922e-3},
                {"blocks.1.att.r_k", {1, 2}, 6.974680e-3},
                {"blocks.1.att.v0", {3}, -5.804156e-4},
                {"blocks.1.att.w1", {2, 3}, 1.065781e-4},
                {"blocks.0.att.a2", {4, 5}, 1.064218e-3},
                {"blocks.1.att.g1", {6, 7}, -2.079449e-3},
                {"blocks.0.att.value.weight", {8, 9}, 2.034593e-4},
                {"blocks.0.att.ln_x.weight", {70}, 9.738911e-3},
                {"blocks.0.ffn.key.weight", {3, 4}, 3.644410e-3},
                {"head.weight", {9, 11}, 3.161371e-1}});
  check_golden("RWKV-6 loss", rwkv6_spec(), 3.6806555630,
               {{"emb.weight", {1, 0}, 6.621278e-2},
                {"blocks.0.att.time_decay", {0}, -5.23046e-6},
                {"blocks.0.att.time_faaaa", {1, 2}, 5.654385e-2},
                {"blocks.0.att.time_maa_x", {9}, 1.857363e-2},
                {"blocks.0.att.time_maa_w2", {2, 3, 4}, 1.157768e-2},
                {"blocks.1.att.time_decay_w1", {2, 3}, -1.429229e-4},
                {"blocks.0.att.value.weight", {8, 9}, -2.970602e-2},
                {"blocks.0.att.gate.weight", {1, 1}, 1.706807e-3},
                {"blocks.0.ffn.receptance.weight", {3, 4}, -9.598679e-4},
                {"head.weight", {9, 11}, -3.409912e-1}});
  check_wkv();
  check_pieces("RWKV-7 in pieces", rwkv7_spec());
  check_pieces("RWKV-6 in pieces", rwkv6_spec());
  if (failures == 0) std::printf("ok\n");
  return failures == 0 ? 0 : 1;
}
