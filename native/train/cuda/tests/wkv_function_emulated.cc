// The recurrences' CUDA functions of tensors, with emulated kernels, against the CPU ones: outputs and every gradient, of
// inputs that are not contiguous and of narrower types, with unused outputs.
#include "../wkv_function_cuda.h"

#include "../../../tests/check.h"

using namespace rwkv_train;
using torch::Tensor;

namespace {

void close(const char *name, const Tensor &x, const Tensor &wanted, double error_max) {
  const double size = wanted.norm().item<double>();
  const double error = (x.to(torch::kFloat64) - wanted.to(torch::kFloat64)).norm().item<double>() / (size > 0 ? size : 1);
  CHECK(error < error_max && x.sizes() == wanted.sizes());
  if (!(error < error_max)) std::fprintf(stderr, "  %s: normalised error %.3g\n", name, error);
}

// [batch, time, heads, 64] that lies in memory as [batch, heads, time, 64].
Tensor sequence(int64_t batch, int64_t time, int64_t heads, double low, double high, torch::Dtype type) {
  return (torch::rand({batch, heads, time, 64}) * (high - low) + low).to(type).transpose(1, 2);
}

std::vector<Tensor> leaves(const std::vector<Tensor> &of) {
  std::vector<Tensor> out;
  for (const Tensor &x : of) out.push_back(x.detach().clone().requires_grad_(true));
  return out;
}

enum Uses { both, output, state };

template <class OnDevice, class OnCpu>
void compare(const std::vector<Tensor> &inputs, Uses uses, double error_max, const OnDevice &on_device, const OnCpu &on_cpu) {
  const std::vector<Tensor> mine = leaves(inputs), theirs = leaves(inputs);
  const WkvResult x = on_device(mine), wanted = on_cpu(theirs);
  close("y", x.y, wanted.y, error_max);
  close("state", x.state, wanted.state, error_max);
  const Tensor dy = torch::randn(x.y.sizes()), dstate = torch::randn(x.state.sizes());
  const auto loss = [&](const WkvResult &of) {
    if (uses == output) return (of.y * dy).sum();
    if (uses == state) return (of.state * dstate).sum();
    return (of.y * dy).sum() + (of.state * dstate).sum();
  };
  loss(x).backward();
  loss(wanted).backward();
  for (size_t index = 0; index < inputs.size(); ++index) {
    CHECK(mine[index].grad().defined() && mine[index].grad().dtype() == inputs[index].dtype());
    const std::string name = "gradient " + std::to_string(index);
    close(name.c_str(), mine[index].grad(), theirs[index].grad(), error_max);
  }
}

void both_versions(int64_t batch, int64_t time, int64_t heads, Uses uses, torch::Dtype type) {
  // Narrow gradients are rounded once, from float32 sums that agree.
  const double error_max = type == torch::kFloat32 ? 3e-6 : 3e-3;
  const auto pick = [&](double low, double high) { return sequence(batch, time, heads, low, high, type); };
  const Tensor first = torch::randn({batch, heads, 64, 64});
  compare({pick(-1, 1), pick(0.55, 1), pick(-1, 1), pick(-1, 1), pick(-0.12, 0.12), pick(-0.12, 0.12), first}, uses, error_max,
          [](const auto &x) { return wkv7_on_cuda(x[0], x[1], x[2], x[3], x[4], x[5], x[6]); },
          [](const auto &x) {
            const auto wide = [&](size_t index) { return x[index].to(torch::kFloat32); };
            return wkv7(wide(0), wide(1), wide(2), wide(3), wide(4), wide(5), wide(6));
          });
  compare({pick(-1, 1), pick(0, 1), pick(-1, 1), pick(-1, 1), torch::randn({heads, 64}).to(type), first}, uses, error_max,
          [](const auto &x) { return wkv6_on_cuda(x[0], x[1], x[2], x[3], x[4], x[5]); },
          [](const auto &x) {
            const auto wide = [&](size_t index) { return x[index].to(torch::kFloat32); };
            return wkv6(wide(0), wide(1), wide(2), wide(3), wide(4), wide(5));
          });
}

} // namespace

int main() {
  both_versions(2, 21, 2, both, torch::kFloat32);
  both_versions(1, 5, 3, output, torch::kFloat32);
  both_versions(1, 33, 1, state, torch::kFloat32);
  both_versions(2, 17, 1, both, torch::kBFloat16);
  return report("wkv_function_emulated");
}
