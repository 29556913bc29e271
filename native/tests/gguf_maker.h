// A writer of GGUF files, good and bad, after the published format, and of the tiny models under the names and in the
// shapes that llama.cpp gives them. Shares nothing with the library.
#pragma once

#include "gguf_blocks.h"
#include "tiny_model.h"

#include <algorithm>

namespace gguf {

template <typename Number>
std::string raw(Number number) {
  return {reinterpret_cast<const char *>(&number), sizeof number};
}
inline std::string text(const std::string &words) { return raw<uint64_t>(words.size()) + words; }

// Values of the header, with their type before them.
inline std::string value_u32(uint32_t value) { return raw<uint32_t>(4) + raw(value); }
inline std::string value_f32(float value) { return raw<uint32_t>(6) + raw(value); }
inline std::string value_text(const std::string &words) { return raw<uint32_t>(8) + text(words); }

struct Stored {
  std::string name;
  std::vector<uint64_t> shape; // innermost first, as it is written
  uint32_t type;
  std::string data;
  uint64_t offset = UINT64_MAX; // this: where it comes to stand
};

struct File {
  std::string mark = "GGUF";
  uint32_t version = 3;
  uint64_t alignment = 32;
  std::vector<std::pair<std::string, std::string>> values; // key, value
  std::vector<Stored> tensors;
  uint64_t tensor_count = UINT64_MAX, value_count = UINT64_MAX; // this: as many as there are

  Stored &tensor(const std::string &name) {
    return *std::find_if(tensors.begin(), tensors.end(), [&](const Stored &each) { return each.name == name; });
  }
  void set(const std::string &key, const std::string &value) {
    for (auto &[each, old] : values) {
      if (each == key) return void(old = value);
    }
    values.emplace_back(key, value);
  }
  uint64_t aligned(uint64_t at) const { return (at + alignment - 1) / alignment * alignment; }
};

inline std::string header_of(const File &file) {
  std::string out = file.mark + raw(file.version);
  out += raw<uint64_t>(file.tensor_count == UINT64_MAX ? file.tensors.size() : file.tensor_count);
  out += raw<uint64_t>(file.value_count == UINT64_MAX ? file.values.size() : file.value_count);
  for (const auto &[key, value] : file.values) out += text(key) + value;
  uint64_t at = 0;
  for (const Stored &tensor : file.tensors) {
    out += text(tensor.name) + raw(static_cast<uint32_t>(tensor.shape.size()));
    for (const uint64_t size : tensor.shape) out += raw(size);
    out += raw(tensor.type) + raw(tensor.offset == UINT64_MAX ? at : tensor.offset);
    at = file.aligned(at + tensor.data.size());
  }
  out.resize(file.aligned(out.size()), '\0');
  return out;
}

inline std::string bytes_of(const File &file) {
  std::string out = header_of(file);
  const size_t start = out.size();
  for (const Stored &tensor : file.tensors) {
    out.resize(start + file.aligned(out.size() - start), '\0');
    out += tensor.data;
  }
  return out;
}

// The name inside a block that llama.cpp gives to an official one; the low-rank matrices are turned, too.
inline const std::map<std::string, std::string> &block_names(int generation) {
  static const std::map<std::string, std::string> both = {
      {"ln1.weight", "attn_norm.weight"}, {"ln1.bias", "attn_norm.bias"},
      {"ln2.weight", "attn_norm_2.weight"}, {"ln2.bias", "attn_norm_2.bias"},
      {"att.ln_x.weight", "time_mix_ln.weight"}, {"att.ln_x.bias", "time_mix_ln.bias"},
      {"att.key.weight", "time_mix_key.weight"}, {"att.value.weight", "time_mix_value.weight"},
      {"att.receptance.weight", "time_mix_receptance.weight"}, {"att.output.weight", "time_mix_output.weight"},
      {"ffn.key.weight", "channel_mix_key.weight"}, {"ffn.value.weight", "channel_mix_value.weight"}};
  const auto with = [&](std::map<std::string, std::string> more) {
    more.insert(both.begin(), both.end());
    return more;
  };
  static const auto names7 = with({
      {"att.w0", "time_mix_w0.weight"}, {"att.a0", "time_mix_a0.weight"}, {"att.v0", "time_mix_v0.weight"},
      {"att.w1", "time_mix_w1.weight"}, {"att.w2", "time_mix_w2.weight"}, {"att.a1", "time_mix_a1.weight"},
      {"att.a2", "time_mix_a2.weight"}, {"att.v1", "time_mix_v1.weight"}, {"att.v2", "time_mix_v2.weight"},
      {"att.g1", "time_mix_g1.weight"}, {"att.g2", "time_mix_g2.weight"}, {"att.k_k", "time_mix_k_k.weight"},
      {"att.k_a", "time_mix_k_a.weight"}, {"att.r_k", "time_mix_r_k.weight"},
      {"ffn.x_k", "channel_mix_lerp_k.weight"}});
  static const auto names6 = with({
      {"att.gate.weight", "time_mix_gate.weight"}, {"ffn.receptance.weight", "channel_mix_receptance.weight"},
      {"att.time_maa_x", "time_mix_lerp_x.weight"}, {"att.time_faaaa", "time_mix_first.weight"},
      {"att.time_decay", "time_mix_decay.weight"}, {"att.time_maa_w1", "time_mix_w1.weight"},
      {"att.time_maa_w2", "time_mix_w2.weight"}, {"att.time_decay_w1", "time_mix_decay_w1.weight"},
      {"att.time_decay_w2", "time_mix_decay_w2.weight"}, {"ffn.time_maa_k", "channel_mix_lerp_k.weight"},
      {"ffn.time_maa_r", "channel_mix_lerp_r.weight"}});
  return generation == 7 ? names7 : names6;
}
inline const std::map<std::string, std::string> outer_names = {
    {"emb.weight", "token_embd.weight"},      {"blocks.0.ln0.weight", "token_embd_norm.weight"},
    {"ln_out.weight", "output_norm.weight"},  {"blocks.0.ln0.bias", "token_embd_norm.bias"},
    {"ln_out.bias", "output_norm.bias"},      {"head.weight", "output.weight"}};
// In the order of the fused tensor.
inline std::vector<std::string> mixes(int generation) {
  if (generation == 7) return {"x_r", "x_w", "x_k", "x_v", "x_a", "x_g"};
  return {"time_maa_w", "time_maa_k", "time_maa_v", "time_maa_r", "time_maa_g"};
}

// A low-rank matrix: the only ones with a 1 or a 2 at the end.
inline bool is_turned(const std::string &official) {
  const bool inside = official.find(".att.") != std::string::npos;
  return inside && (official.ends_with("1") || official.ends_with("2"));
}

inline Tensor turned(const Tensor &from) { // the last two dimensions exchanged
  Tensor out = from;
  const size_t n = from.shape.size(), rows = from.shape[n - 2], columns = from.shape[n - 1];
  std::swap(out.shape[n - 2], out.shape[n - 1]);
  for (size_t at = 0; at < from.values.size(); ++at) {
    const size_t matrix = at / (rows * columns), inside = at % (rows * columns);
    out.values[matrix * rows * columns + inside % columns * rows + inside / columns] = from.values[at];
  }
  return out;
}

using TypeOf = std::function<Type(const std::string &)>; // of an official name

inline Stored stored(const std::string &name, Tensor tensor, Type type) {
  std::reverse(tensor.shape.begin(), tensor.shape.end());
  return {name, tensor.shape, static_cast<uint32_t>(type), encoded(type, tensor.values)};
}

// The model as llama.cpp converts it: output matrices of layer n are divided by 2^(n / rescale), 0: they are not.
inline File file_of(const Tensors &model, int generation, const TypeOf &type_of, uint32_t rescale = 0) {
  const std::string architecture = "rwkv" + std::to_string(generation);
  const uint64_t width = model.at("ln_out.weight").shape[0];
  uint32_t layers = 0;
  File out;
  for (const auto &[name, to] : outer_names) out.tensors.push_back(stored(to, model.at(name), type_of(name)));
  for (; model.contains("blocks." + std::to_string(layers) + ".ln1.weight"); ++layers) {
    const std::string from = "blocks." + std::to_string(layers) + ".", start = "blk." + std::to_string(layers) + ".";
    for (const auto &[name, to] : block_names(generation)) {
      if (!model.contains(from + name)) continue; // v0 to v2 of the first layer
      Tensor tensor = model.at(from + name);
      if (is_turned(from + name)) tensor = turned(tensor);
      if (name == "att.r_k") tensor.shape = {width};
      const bool divided = rescale > 0 && (name == "att.output.weight" || name == "ffn.value.weight");
      for (float &value : tensor.values) {
        if (divided) value = std::ldexp(value, -static_cast<int>(layers / rescale));
      }
      out.tensors.push_back(stored(start + to, tensor, type_of(from + name)));
    }
    Tensor fused{{0, 1, 1, width}, {}};
    for (const std::string &mix : mixes(generation)) {
      const auto &values = model.at(from + "att." + mix).values;
      fused.values.insert(fused.values.end(), values.begin(), values.end()), ++fused.shape[0];
    }
    out.tensors.push_back(stored(start + "time_mix_lerp_fused.weight", fused, Type::f32));
  }
  const auto size = [&](const char *key, uint32_t value) { out.set(architecture + "." + key, value_u32(value)); };
  out.set("general.architecture", value_text(architecture));
  out.set("general.name", value_text("tiny"));
  size("block_count", layers), size("embedding_length", static_cast<uint32_t>(width)), size("wkv.head_size", 64);
  size("feed_forward_length", static_cast<uint32_t>(model.at("blocks.0.ffn.key.weight").shape[0]));
  size("rescale_every_n_layers", rescale), size("token_shift_count", 2);
  out.set(architecture + ".attention.layer_norm_epsilon", value_f32(1e-5f));
  std::string words = raw<uint32_t>(9) + raw<uint32_t>(8) + raw<uint64_t>(32); // an array of texts, passed over
  for (int i = 0; i < 32; ++i) words += text("token " + std::to_string(i));
  out.set("tokenizer.ggml.tokens", words);
  return out;
}

} // namespace gguf
