#include "tower_net.h"

#include "tower_ops.h"

#include <cmath>

namespace rwkv_train {
namespace {

using torch::Tensor;

constexpr int64_t head_size = 64, norm_groups = 8, box_numbers = 8, frame_channels = 6;
constexpr double norm_epsilon = 1e-5, max_scale = 100;

Tensor unit(const Tensor &x) { return x / x.norm(2, -1, true).clamp_min(1e-6); }

} // namespace

TowerNet::TowerNet(const Tensors &tensors, torch::ScalarType compute) : tensors_(tensors), compute_(compute) {
  width_ = at("position").size(-1);
  TORCH_CHECK(at("position").dim() == 2 && width_ % head_size == 0, "position must be [cells, a multiple of 64]");
  const auto counted = [&](const std::string &prefix, const char *suffix) {
    int64_t count = 0;
    while (tensors.count(prefix + std::to_string(count) + suffix)) ++count;
    return count;
  };
  stem_blocks_ = counted("stem.", ".weight");
  blocks_ = counted("blocks.", ".norm1.weight");
  int64_t channels = frame_channels;
  at("stem.0.weight");
  for (int64_t index = 0; index < stem_blocks_; ++index) {
    const std::string name = "stem." + std::to_string(index) + ".weight";
    const Tensor &weight = at(name);
    TORCH_CHECK(weight.dim() == 4 && weight.size(1) == channels && weight.size(2) == 3 && weight.size(3) == 3,
                "\"", name, "\" must be [out, ", channels, ", 3, 3]");
    channels = weight.size(0);
  }
  TORCH_CHECK(channels == width_, "the stem ends with ", channels, " channels and position has ", width_);
}

const Tensor &TowerNet::at(const std::string &name) const {
  const auto found = tensors_.find(name);
  TORCH_CHECK(found != tensors_.end(), "the tensor \"", name, "\" is missing");
  return found->second;
}

Tensor TowerNet::linear(const std::string &name, const Tensor &x) const {
  return torch::linear(x, at(name + ".weight").to(compute_), at(name + ".bias").to(compute_));
}

Tensor TowerNet::scale(const std::string &name) const {
  return at(name).reshape(torch::IntArrayRef()).exp().clamp_max(max_scale);
}

Tensor TowerNet::stem(const Tensor &pixels) const {
  Tensor x = frames_input(pixels, compute_);
  for (int64_t index = 0; index < stem_blocks_; ++index) {
    const std::string name = "stem." + std::to_string(index), norm = name + ".norm.weight";
    const Tensor weight = at(name + ".weight").to(compute_);
    const bool residual = weight.size(0) == weight.size(1);
    const Tensor y = torch::conv2d(x, weight, at(name + ".bias").to(compute_), residual ? 1 : 2, 1);
    const Tensor beside = residual ? x : Tensor();
    if (tensors_.count(norm)) x = norm_gelu(y, at(norm), at(name + ".norm.bias"), norm_groups, norm_epsilon, beside);
    else x = residual ? x + gelu_exact(y) : gelu_exact(y);
  }
  return x;
}

Tensor TowerNet::attention(const std::string &block, const Tensor &x) const {
  const int64_t batch = x.size(0), cells = x.size(1), heads = width_ / head_size;
  const Tensor all = linear(block + "attn.qkv", x).view({batch, cells, 3, heads, head_size}).permute({2, 0, 3, 1, 4});
  const auto qkv = all.unbind(0); // not all[0], all[1], ..: on the way back each would fill a tensor as large as all
  const Tensor scores = torch::matmul(qkv[0] * (1 / std::sqrt(double(head_size))), qkv[1].transpose(-2, -1));
  const Tensor mixed = torch::matmul(torch::softmax(scores, -1), qkv[2]);
  return linear(block + "attn.out", mixed.transpose(1, 2).reshape({batch, cells, width_}));
}

Tensor TowerNet::cells(const Tensor &pixels) const {
  Tensor delta = stem(pixels).flatten(2).transpose(1, 2);
  const Tensor &position = at("position");
  TORCH_CHECK(delta.size(1) == position.size(0), "pictures of ", pixels.size(2), " rows and ", pixels.size(3),
              " columns make ", delta.size(1), " cells, and position has ", position.size(0));
  Tensor x = position.expand(delta.sizes());
  const auto add_and_norm = [&](const std::string &name) {
    const Summed both = add_norm(x, delta, at(name + ".weight"), at(name + ".bias"), norm_epsilon);
    x = both.sum;
    return both.normed;
  };
  for (int64_t index = 0; index < blocks_; ++index) {
    const std::string block = "blocks." + std::to_string(index) + ".";
    delta = attention(block, add_and_norm(block + "norm1"));
    delta = linear(block + "mlp.down", gelu_exact(linear(block + "mlp.up", add_and_norm(block + "norm2"))));
  }
  return torch::layer_norm(x + delta, {width_}, at("norm.weight"), at("norm.bias"), norm_epsilon);
}

Tensor TowerNet::text(const Tensor &words) const {
  const Tensor &embedding = at("text.embedding");
  TORCH_CHECK(words.dim() == 2 && words.numel() > 0, "words must be [rows, words of a row]");
  TORCH_CHECK(words.min().item<int64_t>() >= -1 && words.max().item<int64_t>() < embedding.size(0),
              "a word lies outside text.embedding, which has ", embedding.size(0), " rows");
  const Tensor there = words.ge(0).to(embedding.scalar_type()).unsqueeze(-1);
  const Tensor sum = (torch::embedding(embedding, words.clamp_min(0)) * there).sum(1);
  return unit(torch::linear(sum / there.sum(1).clamp_min(1), at("text.out.weight")));
}

Tensor TowerNet::class_logits(const Tensor &cells, const Tensor &classes) const {
  const Tensor prototypes = torch::cat({classes, unit(at("head.background")).unsqueeze(0)}, 0);
  const Tensor vectors = unit(torch::linear(cells, at("head.class.weight")));
  return torch::linear(vectors, prototypes) * scale("head.class.scale");
}

Tensor TowerNet::boxes(const Tensor &cells) const {
  TORCH_CHECK(at("head.box.weight").size(0) == box_numbers, "head.box.weight must have 8 rows");
  return torch::linear(cells, at("head.box.weight"), at("head.box.bias"));
}

Tensor TowerNet::image(const Tensor &cells) const {
  return unit(torch::linear(cells.mean(1), at("head.image.weight")));
}

Tensor TowerNet::image_scale() const { return scale("head.image.scale"); }

} // namespace rwkv_train
