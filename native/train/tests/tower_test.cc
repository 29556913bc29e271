// The tower: shapes and names, the losses against loops written out by hand, gradients against central differences, our
// loops against libtorch, and that it learns.
#include "tower_rig.h"

namespace {

void check_shapes() {
  const Tensors parameters = parameters_of(torch::kFloat32);
  const Inputs inputs = inputs_of(3);
  const Outputs out = evaluated(parameters, inputs);
  check(out.at("cell_logits").sizes() == torch::IntArrayRef({3, cells, classes + 1}), "shape of cell_logits");
  check(out.at("cell_box").sizes() == torch::IntArrayRef({3, cells, 8}), "shape of cell_box");
  check(out.at("image_text").sizes() == torch::IntArrayRef({3, 3}), "shape of image_text");
  const double highest = out.at("cell_logits").abs().max().item<double>();
  check(highest <= parameters.at("head.class.scale").exp().item<double>() + 1e-4, "cosines times scale", highest);
  for (const auto &[name, tensor] : parameters) {
    Tensors fewer = parameters;
    fewer.erase(name);
    if (name.find("stem") == 0 && name != "stem.0.weight" && name != "stem.4.bias") continue; // another stem then
    if (name == "blocks.0.norm1.weight") continue;                  // a tower without blocks
    check(refusal(fewer, inputs).find("\"" + name + "\"") != std::string::npos, ("a missing " + name).c_str());
  }
  check(refusal(parameters, {}).find("\"pixels\"") != std::string::npos, "missing pixels");
  const Inputs unlabelled{{"pixels", inputs.at("pixels")}};
  check(refusal(parameters, unlabelled).find("\"cell_class\"") != std::string::npos, "no labels");
  Inputs large = inputs;
  large["pixels"] = torch::zeros({3, 2, 64, 32, 3}, torch::kUInt8);
  check(refusal(parameters, large).find("8 cells") != std::string::npos, "pictures of another size");
  Inputs wild = inputs;
  wild["class_tokens"] = inputs.at("class_tokens") + words;
  check(refusal(parameters, wild).find("text.embedding") != std::string::npos, "words that are not there");
  wild = inputs;
  wild["cell_class"] = inputs.at("cell_class") + 2;
  check(refusal(parameters, wild).find("\"cell_class\"") != std::string::npos, "classes that are not there");
}

// The losses from the outputs of evaluate, with loops.
void check_losses() {
  const Tensors parameters = parameters_of(torch::kFloat64);
  Inputs inputs = inputs_of(4);
  inputs["caption_tokens"] = torch::tensor({{1, 2, -1}, {3, 4, 5}, {1, 2, -1}, {-1, -1, -1}}, torch::kInt64);
  const Outputs seen = evaluated(parameters, inputs);
  Outputs out;
  Numbers numbers = plain();
  numbers["class_weight"] = 0.7, numbers["background_weight"] = 0.4, numbers["label_smoothing"] = 0.1;
  const double total = rwkv_train::make_tower_model()->loss(parameters, inputs, numbers, out).item<double>();

  const auto wanted = inputs.at("cell_class");
  double sum = 0, weights = 0, boxes = 0;
  int objects = 0;
  for (int64_t row = 0; row < 4; ++row) {
    for (int64_t cell = 0; cell < cells; ++cell) {
      const int64_t label = wanted[row][cell].item<int64_t>();
      if (label < 0) continue;
      const Tensor logits = seen.at("cell_logits")[row][cell];
      double partition = 0, mean = 0;
      for (int64_t one = 0; one <= classes; ++one) partition += std::exp(logits[one].item<double>());
      for (int64_t one = 0; one <= classes; ++one) {
        mean += (logits[one].item<double>() - std::log(partition)) / (classes + 1);
      }
      const double weight = label == classes ? 0.4 : 1;
      sum -= weight * (0.9 * (logits[label].item<double>() - std::log(partition)) + 0.1 * mean);
      weights += weight;
      if (label == classes) continue;
      ++objects;
      for (int64_t number = 0; number < 8; ++number) {
        const double found = seen.at("cell_box")[row][cell][number].item<double>();
        const double scale = number >= 3 && number < 6 ? 20 : 1;
        const double target = inputs.at("cell_box")[row][cell][number].item<double>() * scale;
        const double gap = std::abs(found - target), p = 1 / (1 + std::exp(-found));
        if (number >= 6) boxes -= target * std::log(p) + (1 - target) * std::log(1 - p);
        else boxes += gap < 0.1 ? gap * gap / 0.2 : gap - 0.05;
      }
    }
  }
  near("class loss", value(out, "loss_class"), sum / weights, 1e-5);
  near("box loss", value(out, "loss_box"), boxes / objects, 1e-5);

  // Rows 0 and 2 have the same caption, row 3 has none.
  const bool negative[3][3] = {{true, true, false}, {true, true, true}, {false, true, true}};
  double clip = 0;
  for (int64_t row = 0; row < 3; ++row) {
    double across = 0, down = 0;
    for (int64_t other = 0; other < 3; ++other) {
      if (!negative[row][other]) continue;
      across += std::exp(seen.at("image_text")[row][other].item<double>());
      down += std::exp(seen.at("image_text")[other][row].item<double>());
    }
    const double own = seen.at("image_text")[row][row].item<double>();
    clip -= (own - std::log(across) + own - std::log(down)) / 6;
  }
  near("clip loss", value(out, "loss_clip"), clip, 1e-5);
  near("sum of losses", total,
       0.7 * value(out, "loss_class") + 0.5 * value(out, "loss_box") + 0.3 * value(out, "loss_clip"), 1e-5);

  const auto parts = [&](std::initializer_list<const char *> names) {
    Inputs some;
    for (const char *name : names) some[name] = inputs.at(name);
    Outputs left;
    rwkv_train::make_tower_model()->loss(parameters, some, plain(), left);
    return left.count("loss_class") * 100 + left.count("loss_box") * 10 + left.count("loss_clip");
  };
  check(parts({"pixels", "caption_tokens"}) == 1, "captions alone");
  check(parts({"pixels", "cell_class", "class_tokens"}) == 100, "classes alone");
  check(parts({"pixels", "cell_class", "class_tokens", "cell_box"}) == 110, "classes and boxes");
}

void check_gradients() {
  const Tensors parameters = parameters_of(torch::kFloat64);
  const Inputs inputs = inputs_of(3);
  const auto run = [&] {
    Outputs out;
    return rwkv_train::make_tower_model()->loss(parameters, inputs, plain(), out);
  };
  run().backward();
  const torch::NoGradGuard guard;
  for (const auto &[name, tensor] : parameters) {
    const double scale = tensor.grad().abs().mean().item<double>();
    for (int place = 0; place < 2; ++place) {
      const int64_t at = (place * 7919 + 5) % tensor.numel();
      double *const place_of = tensor.data_ptr<double>() + at;
      const double kept = *place_of, step = 1e-5;
      *place_of = kept + step;
      const double above = run().item<double>();
      *place_of = kept - step;
      const double below = run().item<double>();
      *place_of = kept;
      const double difference = (above - below) / (2 * step), found = tensor.grad().flatten()[at].item<double>();
      check(std::abs(found - difference) <= 1e-5 * std::max(std::abs(difference), scale) + 1e-9,
            ("gradient of " + name).c_str(), found, difference);
    }
  }
}

// float32 (our loops) and bfloat16 against float64 (libtorch's functions): values and gradients.
void check_types() {
  const Inputs inputs = inputs_of(3);
  const auto run = [&](const Tensors &parameters, double half) {
    Outputs out;
    const Tensor loss = rwkv_train::make_tower_model()->loss(parameters, inputs, {{"cpu_bf16", half}}, out);
    loss.backward();
    return loss.item<double>();
  };
  const Tensors exact = parameters_of(torch::kFloat64), single = parameters_of(torch::kFloat32);
  const Tensors half = parameters_of(torch::kFloat32);
  const double wanted = run(exact, 0);
  near("loss in float32", run(single, 0), wanted, 1e-5);
  near("loss in bfloat16", run(half, 1), wanted, 3e-2);
  double gap = 0, size = 0;
  for (const auto &[name, tensor] : exact) {
    const double error = (tensor.grad() - single.at(name).grad().to(torch::kFloat64)).norm().item<double>();
    check(error <= 1e-4 * tensor.grad().norm().item<double>() + 1e-6, (name + " in float32").c_str(), error);
    gap += (tensor.grad() - half.at(name).grad().to(torch::kFloat64)).pow(2).sum().item<double>();
    size += tensor.grad().pow(2).sum().item<double>();
  }
  check(gap < 0.05 * 0.05 * size, "gradients in bfloat16", std::sqrt(gap / size), 0.05);
}

void check_loops() {
  torch::manual_seed(8);
  // Far out too, where the exponential ends.
  const Tensor x = torch::cat({torch::randn(1000) * 3,
                               torch::tensor({0.f, -0.f, 14.f, -14.f, 40.f, -40.f, 1e20f, -1e20f})});
  const Tensor ours = x.clone().requires_grad_(true), exact = x.to(torch::kFloat64).requires_grad_(true);
  const Tensor found = rwkv_train::gelu_exact(ours), wanted = torch::gelu(exact);
  found.sum().backward();
  wanted.sum().backward();
  near("gelu", ((found - wanted).abs() / (1 + wanted.abs())).max().item<double>(), 0, 1e-6);
  near("slope of gelu", (ours.grad() - exact.grad()).abs().max().item<double>(), 0, 1e-6);
  const Tensor broken = rwkv_train::gelu_exact(torch::full({3}, NAN));
  check(broken.isnan().all().item<bool>(), "gelu of not a number");

  // A mean far from zero, a number of places that is no multiple of a block, and a shortcut.
  const auto run = [](const Tensor &values, const Tensor &beside, const Tensor &weight, const Tensor &bias) {
    return rwkv_train::norm_gelu(values, weight, bias, 8, 1e-5, beside);
  };
  const auto inputs = [](torch::ScalarType type) {
    torch::manual_seed(9);
    std::vector<Tensor> out{torch::randn({3, 24, 11, 13}) * 2 + 5, torch::randn({3, 24, 11, 13}), torch::randn({24}),
                            torch::randn({24})};
    for (Tensor &one : out) one = one.to(type).requires_grad_(true);
    return out;
  };
  const auto single = inputs(torch::kFloat32), twice = inputs(torch::kFloat64);
  const Tensor a = run(single[0], single[1], single[2], single[3]), b = run(twice[0], twice[1], twice[2], twice[3]);
  near("norm and gelu", (a - b).abs().max().item<double>(), 0, 2e-5);
  (a * a.detach().cos()).sum().backward();
  (b * b.detach().cos()).sum().backward();
  for (size_t index = 0; index < single.size(); ++index) {
    const double error = (single[index].grad() - twice[index].grad()).norm().item<double>();
    check(error <= 1e-4 * twice[index].grad().norm().item<double>(), "gradient of norm and gelu", error, double(index));
  }
}

void check_still() {
  const Tensors parameters = parameters_of(torch::kFloat32);
  const Tensor picture = torch::randint(0, 256, {1, 1, side, side, 3}, torch::kUInt8);
  const Tensor x = rwkv_train::frames_input(torch::cat({picture, picture}, 1), torch::kFloat32);
  check(x.slice(1, 3).abs().max().item<double>() == 0, "a still picture has no motion");
  near("light", x[0][2][7][9].item<double>(), (picture[0][0][7][9][2].item<double>() / 255 - 0.45) / 0.225, 1e-5);
  const Tensor other = torch::randint(0, 256, {2, 2, side, side, 3}, torch::kUInt8);
  const Tensor ours = rwkv_train::frames_input(other, torch::kFloat32);
  const Tensor wanted = rwkv_train::frames_input(other, torch::kFloat64);
  near("frames", (ours - wanted).abs().max().item<double>(), 0, 1e-5);
}

// Eight random pictures, learned by heart with plain Adam.
void check_learns(double half) {
  const Tensors parameters = parameters_of(torch::kFloat32);
  Inputs inputs = inputs_of(8);
  inputs["caption_tokens"] = torch::arange(8, torch::kInt64).unsqueeze(1);
  std::vector<Tensor> all;
  for (const auto &[name, tensor] : parameters) all.push_back(tensor);
  torch::optim::AdamW optimizer(all, torch::optim::AdamWOptions(3e-3).weight_decay(0));
  const auto model = rwkv_train::make_tower_model();
  Outputs out;
  double first = 0, last = 0;
  for (int step = 0; step < 150; ++step) {
    optimizer.zero_grad();
    const Tensor loss = model->loss(parameters, inputs, {{"cpu_bf16", half}}, out);
    loss.backward();
    optimizer.step();
    last = loss.item<double>();
    if (step == 0) first = last;
  }
  check(value(out, "loss_class") < 0.05, "class loss of pictures known by heart", value(out, "loss_class"), first);
  check(value(out, "loss_clip") < 0.3, "clip loss of pictures known by heart", value(out, "loss_clip"), last);
  const Outputs seen = evaluated(parameters, inputs);
  const Tensor known = inputs.at("cell_class").ge(0);
  const Tensor right = seen.at("cell_logits").argmax(-1).eq(inputs.at("cell_class"));
  check(right.masked_select(known).all().item<bool>(), "classes of pictures known by heart");
}

} // namespace

int main() {
  torch::set_num_threads(1);
  check_shapes();
  check_losses();
  check_gradients();
  check_types();
  check_loops();
  check_still();
  check_learns(0);
  if (rwkv_train::fast_bf16()) check_learns(1);
  if (failures == 0) std::printf("ok\n");
  return failures == 0 ? 0 : 1;
}
