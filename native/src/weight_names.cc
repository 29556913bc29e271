// What llama.cpp stores otherwise: low-rank matrices turned, six (five) mixes in one tensor, output matrices of later
// layers divided for the range of fp16, r_k flat.
#include "weight_names.h"

#include "failure.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <string_view>

namespace rwkv {
namespace {

// Of VisualRWKV checkpoints: the language model, and the encoder that shortens a picture (spec 2.9).
constexpr std::string_view prefixes[] = {"rwkv.", "vtc."};

struct Rename {
  std::string_view from, to;
};

constexpr Rename outer[] = {{"token_embd.weight", "emb.weight"},
                            {"token_embd_norm.weight", "blocks.0.ln0.weight"},
                            {"token_embd_norm.bias", "blocks.0.ln0.bias"},
                            {"output_norm.weight", "ln_out.weight"},
                            {"output_norm.bias", "ln_out.bias"},
                            {"output.weight", "head.weight"}};

// Inside a block; the ending ".weight" or ".bias" stays.
constexpr Rename shared[] = {{"attn_norm", "ln1"},
                             {"attn_norm_2", "ln2"},
                             {"time_mix_ln", "att.ln_x"},
                             {"time_mix_key", "att.key"},
                             {"time_mix_value", "att.value"},
                             {"time_mix_receptance", "att.receptance"},
                             {"time_mix_output", "att.output"},
                             {"channel_mix_key", "ffn.key"},
                             {"channel_mix_value", "ffn.value"}};
constexpr Rename gated[] = {{"time_mix_gate", "att.gate"}, {"channel_mix_receptance", "ffn.receptance"}};

// Without ".weight" in their official names.
constexpr Rename plain7[] = {{"time_mix_w0", "att.w0"},   {"time_mix_a0", "att.a0"},   {"time_mix_v0", "att.v0"},
                             {"time_mix_k_k", "att.k_k"}, {"time_mix_k_a", "att.k_a"}, {"time_mix_r_k", "att.r_k"},
                             {"channel_mix_lerp_k", "ffn.x_k"}};
constexpr Rename plain6[] = {{"time_mix_lerp_x", "att.time_maa_x"},    {"time_mix_lerp_w", "att.time_maa_w"},
                             {"time_mix_lerp_k", "att.time_maa_k"},    {"time_mix_lerp_v", "att.time_maa_v"},
                             {"time_mix_lerp_r", "att.time_maa_r"},    {"time_mix_lerp_g", "att.time_maa_g"},
                             {"time_mix_first", "att.time_faaaa"},     {"time_mix_decay", "att.time_decay"},
                             {"channel_mix_lerp_k", "ffn.time_maa_k"}, {"channel_mix_lerp_r", "ffn.time_maa_r"}};
constexpr Rename turned7[] = {{"time_mix_w1", "att.w1"}, {"time_mix_w2", "att.w2"}, {"time_mix_a1", "att.a1"},
                              {"time_mix_a2", "att.a2"}, {"time_mix_v1", "att.v1"}, {"time_mix_v2", "att.v2"},
                              {"time_mix_g1", "att.g1"}, {"time_mix_g2", "att.g2"}};
constexpr Rename turned6[] = {{"time_mix_w1", "att.time_maa_w1"},
                              {"time_mix_w2", "att.time_maa_w2"},
                              {"time_mix_decay_w1", "att.time_decay_w1"},
                              {"time_mix_decay_w2", "att.time_decay_w2"}};
constexpr std::string_view fused7[] = {"x_r", "x_w", "x_k", "x_v", "x_a", "x_g"};
constexpr std::string_view fused6[] = {"time_maa_w", "time_maa_k", "time_maa_v", "time_maa_r", "time_maa_g"};

// "" when it is not among them.
std::string_view found(std::span<const Rename> names, std::string_view name) {
  for (const auto &[from, to] : names) {
    if (from == name) return to;
  }
  return {};
}

struct BlockName {
  std::string start; // "blocks.N."
  uint64_t layer = 0;
  std::string_view stem, ending;
};

// "blk.N.stem.ending"; false for other names.
bool split(std::string_view name, BlockName &out) {
  constexpr std::string_view start = "blk.";
  if (!name.starts_with(start)) return false;
  name.remove_prefix(start.size());
  const auto [stop, problem] = std::from_chars(name.data(), name.data() + name.size(), out.layer);
  const size_t digits = static_cast<size_t>(stop - name.data());
  const size_t dot = name.rfind('.');
  if (problem != std::errc() || digits >= dot || dot == std::string_view::npos || name[digits] != '.') return false;
  out.start = "blocks." + std::string(name.substr(0, digits)) + ".";
  out.stem = name.substr(digits + 1, dot - digits - 1), out.ending = name.substr(dot + 1);
  return true;
}

NamedTensor whole(const TensorEntry &entry, size_t index, std::string name) {
  return {std::move(name), entry.shape, index, 0, entry.element_count, false, 0};
}

// Not by any name of safetensors: those would say nothing of what is turned.
[[noreturn]] void refuse_unknown(const TensorEntry &entry) {
  fail(RWKV_FORMAT, "tensor " + in_quotes(entry.name) + " is unknown");
}

void add_block_tensor(std::vector<NamedTensor> &out, const Gguf &file, size_t index) {
  const TensorEntry &entry = file.tensors[index];
  NamedTensor tensor = whole(entry, index, entry.name);
  const bool is7 = file.architecture == GgufArchitecture::rwkv7;
  BlockName name;
  std::string_view to;
  if (!split(entry.name, name)) refuse_unknown(entry);
  const auto official = [&](std::string_view text) { return name.start + std::string(text); };
  if (to = found(shared, name.stem); !to.empty()) {
    tensor.name = official(to) + "." + std::string(name.ending);
    const bool divided = name.stem == "time_mix_output" || name.stem == "channel_mix_value";
    if (divided && file.rescale_every > 0) {
      tensor.power = static_cast<int>(std::min(name.layer / file.rescale_every, uint64_t{255}));
    }
  } else if (name.ending != "weight") {
    refuse_unknown(entry);
  } else if (to = found(gated, name.stem); !to.empty() && !is7) {
    tensor.name = official(to) + ".weight";
  } else if (to = is7 ? found(plain7, name.stem) : found(plain6, name.stem); !to.empty()) {
    tensor.name = official(to);
    const bool by_heads = name.stem == "time_mix_r_k" || name.stem == "time_mix_first";
    if (by_heads && entry.element_count % 64 == 0) tensor.shape = {entry.element_count / 64, 64};
  } else if (to = is7 ? found(turned7, name.stem) : found(turned6, name.stem); !to.empty()) {
    tensor.name = official(to);
    tensor.turned = true;
    if (tensor.shape.size() >= 2) std::swap(tensor.shape.back(), tensor.shape[tensor.shape.size() - 2]);
  } else if (name.stem == "time_mix_lerp_fused") {
    using Names = std::span<const std::string_view>;
    const Names parts = is7 ? Names(fused7) : Names(fused6);
    const uint64_t width = entry.shape.empty() ? 0 : entry.shape.back();
    if (width == 0 || entry.element_count / width != parts.size()) {
      fail(RWKV_FORMAT,
           "tensor " + in_quotes(entry.name) + " does not hold " + std::to_string(parts.size()) + " mixes");
    }
    for (size_t part = 0; part < parts.size(); ++part) {
      out.push_back({official("att.") + std::string(parts[part]), {width}, index, part * width, width, false, 0});
    }
    return;
  } else {
    refuse_unknown(entry);
  }
  out.push_back(std::move(tensor));
}

void compare(const char *key, uint64_t stated, uint64_t is) {
  if (stated == 0 || stated == is) return;
  fail(RWKV_FORMAT, std::string("the header states ") + key + " " + std::to_string(stated) + "; the tensors have " +
                        std::to_string(is));
}

void compare_sizes(const Gguf &file, const std::vector<NamedTensor> &tensors) {
  uint64_t layers = 0;
  for (const NamedTensor &tensor : tensors) {
    BlockName name;
    if (split(file.tensors[tensor.entry].name, name)) layers = std::max(layers, name.layer + 1);
    const bool matrix = tensor.shape.size() == 2;
    if (tensor.name == "emb.weight" && matrix) compare("embedding_length", file.embedding_length, tensor.shape[1]);
    if (tensor.name == "blocks.0.ffn.key.weight" && matrix) {
      compare("feed_forward_length", file.feed_forward_length, tensor.shape[0]);
    }
  }
  compare("block_count", file.block_count, layers);
}

} // namespace

std::vector<NamedTensor> official_names(const std::vector<TensorEntry> &entries) {
  std::vector<NamedTensor> out;
  out.reserve(entries.size());
  for (size_t i = 0; i < entries.size(); ++i) {
    std::string_view name = entries[i].name;
    for (const std::string_view prefix : prefixes) {
      if (!name.starts_with(prefix)) continue;
      name.remove_prefix(prefix.size());
      break;
    }
    out.push_back(whole(entries[i], i, std::string(name)));
  }
  return out;
}

std::vector<NamedTensor> official_names(const Gguf &file) {
  std::vector<NamedTensor> out;
  for (size_t i = 0; i < file.tensors.size(); ++i) {
    const std::string_view to = found(outer, file.tensors[i].name);
    if (!to.empty()) out.push_back(whole(file.tensors[i], i, std::string(to)));
    else add_block_tensor(out, file, i);
  }
  compare_sizes(file, out);
  return out;
}

} // namespace rwkv
