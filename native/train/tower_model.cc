// The tower's losses and outputs: cells against the classes' names, boxes, pictures against captions. Must not know how
// the tower works inside, nor the C boundary.
#include "model.h"

#include "tower_net.h"
#include "tower_ops.h"

namespace rwkv_train {
namespace {

using torch::Tensor;

// Motion is small against places: both sides of the loss are multiplied by it, and so is what the head gives.
constexpr double motion_scale = 20;
constexpr double box_beta = 0.1; // behind it the smooth L1 is straight; of the numbers as scaled
constexpr int64_t box_places = 6, box_new = 6, box_visible = 7, box_numbers = 8;

const Tensor *input(const Inputs &inputs, const char *name) {
  const auto found = inputs.find(name);
  return found == inputs.end() ? nullptr : &found->second;
}

double number(const Numbers &numbers, const char *name, double otherwise) {
  const auto found = numbers.find(name);
  return found == numbers.end() ? otherwise : found->second;
}

struct Labels {
  Tensor cell_class; // [B * cells]
  int64_t background = 0;
};

Tensor class_loss(const Tensor &logits, const Labels &labels, double background_weight, double smoothing) {
  const Tensor &wanted = labels.cell_class;
  const Tensor weight = wanted.ge(0).to(logits.scalar_type()) *
                        torch::where(wanted.eq(labels.background), background_weight, 1.0).to(logits.scalar_type());
  const Tensor log_p = torch::log_softmax(logits.flatten(0, 1), -1);
  Tensor each = -log_p.gather(1, wanted.clamp_min(0).unsqueeze(1)).squeeze(1);
  if (smoothing > 0) each = each * (1 - smoothing) - log_p.mean(1) * smoothing;
  return (each * weight).sum() / weight.sum().clamp_min(1e-6);
}

// Per object the sum over its eight numbers; then the mean over objects.
Tensor box_loss(const Tensor &found_boxes, const Tensor &wanted_boxes, const Labels &labels) {
  const Tensor &wanted = labels.cell_class;
  const Tensor objects = (wanted.ge(0) & wanted.lt(labels.background)).nonzero().squeeze(1);
  const Tensor found = found_boxes.flatten(0, 1).index_select(0, objects);
  const Tensor target = wanted_boxes.to(found.scalar_type()).flatten(0, 1).index_select(0, objects);
  const Tensor place_scale = torch::tensor({1.0, 1.0, 1.0, motion_scale, motion_scale, motion_scale}, found.options());
  const Tensor goal = target.slice(1, 0, box_places) * place_scale, truth = target.slice(1, box_new).clamp(0, 1);
  const Tensor places = torch::smooth_l1_loss(found.slice(1, 0, box_places), goal, at::Reduction::Sum, box_beta);
  const Tensor shares = torch::binary_cross_entropy_with_logits(found.slice(1, box_new), truth, {}, {},
                                                                at::Reduction::Sum);
  return (places + shares) / std::max<int64_t>(1, objects.size(0));
}

// Each picture finds its caption among those of the batch and each caption its picture. Equal captions say nothing
// about each other; a picture without a caption takes no part.
Tensor clip_loss(const Tensor &scores, const Tensor &captions) {
  const Tensor there = captions.ge(0).any(1).nonzero().squeeze(1);
  if (there.size(0) < 2) return scores.sum() * 0;
  const Tensor words = captions.index_select(0, there);
  const Tensor same = words.unsqueeze(0).eq(words.unsqueeze(1)).all(-1);
  const Tensor other = torch::eye(words.size(0), same.options()).logical_not();
  const Tensor kept = scores.index_select(0, there).index_select(1, there).masked_fill(same & other, -1e9);
  return -(torch::log_softmax(kept, 1).diagonal().mean() + torch::log_softmax(kept, 0).diagonal().mean()) / 2;
}

class TowerModel : public Model {
 public:
  // "bf16" is CUDA's; "cpu_bf16": convolutions and matrix products in bfloat16 on the CPU. On where that is faster.
  Numbers numbers() const override {
    return {{"class_weight", 1},    {"box_weight", 0.5},    {"clip_weight", 0.3}, {"background_weight", 0.3},
            {"label_smoothing", 0}, {"bf16", 0},            {"cpu_bf16", fast_bf16() ? 1 : 0}};
  }

  Tensor loss(const Tensors &parameters, const Inputs &inputs, const Numbers &numbers, Outputs &outputs) override {
    const TowerNet net(parameters, compute(parameters, numbers));
    const Tensor cells = net.cells(pixels(inputs));
    const Tensor *cell_class = input(inputs, "cell_class"), *cell_box = input(inputs, "cell_box");
    const Tensor *class_tokens = input(inputs, "class_tokens"), *captions = input(inputs, "caption_tokens");
    Tensor total;
    const auto add = [&](const char *name, double weight, const Tensor &part) {
      outputs[name] = part.detach().to(torch::kFloat32);
      total = total.defined() ? total + part * weight : part * weight;
    };
    if (cell_class && class_tokens) {
      const Labels labels = labels_of(*cell_class, class_tokens->size(0), cells);
      add("loss_class", number(numbers, "class_weight", 1),
          class_loss(net.class_logits(cells, class_vectors(net, *class_tokens)), labels,
                     number(numbers, "background_weight", 0.3), number(numbers, "label_smoothing", 0)));
      if (cell_box) {
        TORCH_CHECK(cell_box->dim() == 3 && cell_box->size(0) == cells.size(0) && cell_box->size(1) == cells.size(1) &&
                        cell_box->size(2) == box_numbers,
                    "the input \"cell_box\" must be [", cells.size(0), ", ", cells.size(1), ", 8]");
        add("loss_box", number(numbers, "box_weight", 0.5), box_loss(net.boxes(cells), *cell_box, labels));
      }
    }
    if (captions) {
      TORCH_CHECK(captions->dim() == 2 && captions->size(0) == cells.size(0), "the input \"caption_tokens\" must have ",
                  cells.size(0), " rows");
      add("loss_clip", number(numbers, "clip_weight", 0.3), clip_loss(image_text(net, cells, *captions), *captions));
    }
    TORCH_CHECK(total.defined(), "no loss is left: the inputs \"cell_class\" with \"class_tokens\", or "
                                 "\"caption_tokens\", are missing");
    outputs["loss"] = total.detach().to(torch::kFloat32);
    return total;
  }

  void evaluate(const Tensors &parameters, const Inputs &inputs, const Numbers &numbers, Outputs &outputs) override {
    const torch::NoGradGuard guard;
    const TowerNet net(parameters, compute(parameters, numbers));
    const Tensor cells = net.cells(pixels(inputs));
    const auto leave = [&](const char *name, const Tensor &value) {
      outputs[name] = value.to(torch::kFloat32).contiguous();
    };
    leave("cell_box", net.boxes(cells));
    if (const Tensor *classes = input(inputs, "class_tokens")) {
      leave("cell_logits", net.class_logits(cells, class_vectors(net, *classes)));
    }
    if (const Tensor *captions = input(inputs, "caption_tokens")) {
      leave("image_text", image_text(net, cells, *captions));
    }
  }

 private:
  static torch::ScalarType compute(const Tensors &parameters, const Numbers &numbers) {
    const auto position = parameters.find("position");
    if (position == parameters.end()) return torch::kFloat32; // the net says which tensor is missing
    const Tensor &any = position->second;
    const bool half = any.is_cpu() && any.scalar_type() == torch::kFloat32 && number(numbers, "cpu_bf16", 0) != 0;
    return half ? torch::kBFloat16 : any.scalar_type();
  }

  static const Tensor &pixels(const Inputs &inputs) {
    const Tensor *found = input(inputs, "pixels");
    TORCH_CHECK(found, "the input \"pixels\" is missing");
    return *found;
  }

  static Labels labels_of(const Tensor &cell_class, int64_t classes, const Tensor &cells) {
    TORCH_CHECK(cell_class.dim() == 2 && cell_class.size(0) == cells.size(0) && cell_class.size(1) == cells.size(1),
                "the input \"cell_class\" must be [", cells.size(0), ", ", cells.size(1), "]");
    TORCH_CHECK(cell_class.min().item<int64_t>() >= -1 && cell_class.max().item<int64_t>() <= classes,
                "the input \"cell_class\" must lie between -1 and ", classes, ", the background");
    return {cell_class.flatten(), classes};
  }

  static Tensor class_vectors(const TowerNet &net, const Tensor &words) {
    TORCH_CHECK(words.dim() == 2 && words.size(0) > 0, "the input \"class_tokens\" must be [classes, words]");
    TORCH_CHECK(words.ge(0).any(1).all().item<bool>(), "a class of the input \"class_tokens\" has no words");
    return net.text(words);
  }

  static Tensor image_text(const TowerNet &net, const Tensor &cells, const Tensor &captions) {
    return torch::matmul(net.image(cells), net.text(captions).t()) * net.image_scale();
  }
};

} // namespace

std::unique_ptr<Model> make_tower_model() { return std::make_unique<TowerModel>(); }

} // namespace rwkv_train
