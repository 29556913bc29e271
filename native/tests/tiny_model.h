// The tiny models of the specification (appendix A.4) and a writer of safetensors files.
// Deterministic pseudo-weights: V 32, D 128, L 2, heads of 64.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <unistd.h>
#include <vector>

struct Tensor {
  std::vector<uint64_t> shape;
  std::vector<float> values;
};
using Tensors = std::map<std::string, Tensor>; // sorted by name, as the generator wants

struct TensorSpec {
  std::vector<uint64_t> shape;
  double scale, offset;
};

// The n-th tensor, in ASCII order of names, is a stream of a linear congruential generator seeded with n.
inline Tensors generate(const std::map<std::string, TensorSpec> &specs) {
  Tensors out;
  uint32_t n = 0;
  for (const auto &[name, spec] : specs) {
    size_t count = 1;
    for (const uint64_t size : spec.shape) count *= size;
    Tensor tensor{spec.shape, std::vector<float>(count)};
    uint32_t x = ++n * 2654435761u;
    for (float &value : tensor.values) {
      x = 1664525u * x + 1013904223u;
      value = static_cast<float>(spec.offset + spec.scale * (x / 2147483648.0 - 1.0));
    }
    out.emplace(name, std::move(tensor));
  }
  return out;
}

// d is the width; the golden numbers are those of 128 and two layers.
inline std::map<std::string, TensorSpec> frame_spec(uint64_t d, int layers) {
  std::map<std::string, TensorSpec> s;
  s["emb.weight"] = {{32, d}, 1, 0}, s["head.weight"] = {{32, d}, .1, 0};
  const auto norm = [&](const std::string &name) {
    s[name + ".weight"] = {{d}, .1, 1}, s[name + ".bias"] = {{d}, .1, 0};
  };
  norm("ln_out"), norm("blocks.0.ln0");
  for (int layer = 0; layer < layers; ++layer) {
    for (const char *name : {".ln1", ".ln2", ".att.ln_x"}) norm("blocks." + std::to_string(layer) + name);
  }
  return s;
}

inline std::map<std::string, TensorSpec> rwkv7_spec(uint64_t d = 128, int layers = 2) {
  auto s = frame_spec(d, layers);
  for (int layer = 0; layer < layers; ++layer) {
    const std::string block = "blocks." + std::to_string(layer) + ".", att = block + "att.", ffn = block + "ffn.";
    for (const char *x : {"x_r", "x_w", "x_k", "x_v", "x_a", "x_g"}) s[att + x] = {{d}, .5, .5};
    s[att + "w0"] = {{d}, 3, -2}, s[att + "a0"] = {{d}, 1, 0};
    s[att + "k_k"] = {{d}, .2, .8}, s[att + "k_a"] = {{d}, .2, 1}, s[att + "r_k"] = {{d / 64, 64}, .1, 0};
    const auto low_rank = [&](const std::string &name, uint64_t rank) {
      s[att + name + "1"] = {{d, rank}, .2, 0}, s[att + name + "2"] = {{rank, d}, .2, 0};
    };
    low_rank("w", 16), low_rank("a", 16), low_rank("g", 24);
    if (layer > 0) low_rank("v", 8), s[att + "v0"] = {{d}, 1, 0};
    for (const char *m : {"receptance", "key", "value", "output"}) s[att + m + ".weight"] = {{d, d}, .15, 0};
    s[ffn + "x_k"] = {{d}, .5, .5};
    s[ffn + "key.weight"] = {{4 * d, d}, .15, 0}, s[ffn + "value.weight"] = {{d, 4 * d}, .05, 0};
  }
  return s;
}

// What 5 and 6 share.
inline std::map<std::string, TensorSpec> gated_spec(uint64_t d, int layers) {
  auto s = frame_spec(d, layers);
  for (int layer = 0; layer < layers; ++layer) {
    const std::string block = "blocks." + std::to_string(layer) + ".", att = block + "att.", ffn = block + "ffn.";
    s[att + "time_faaaa"] = {{d / 64, 64}, .5, .2};
    for (const char *m : {"receptance", "key", "value", "gate", "output"}) {
      s[att + m + ".weight"] = {{d, d}, .15, 0};
    }
    s[ffn + "key.weight"] = {{d / 2 * 7, d}, .15, 0}, s[ffn + "value.weight"] = {{d, d / 2 * 7}, .05, 0};
    s[ffn + "receptance.weight"] = {{d, d}, .15, 0};
  }
  return s;
}

inline std::map<std::string, TensorSpec> rwkv6_spec(uint64_t d = 128, int layers = 2) {
  auto s = gated_spec(d, layers);
  for (int layer = 0; layer < layers; ++layer) {
    const std::string block = "blocks." + std::to_string(layer) + ".", att = block + "att.", ffn = block + "ffn.";
    for (const char *x : {"x", "w", "k", "v", "r", "g"}) s[att + "time_maa_" + x] = {{d}, .5, .5};
    s[att + "time_maa_w1"] = {{d, 40}, .2, 0}, s[att + "time_maa_w2"] = {{5, 8, d}, .2, 0};
    s[att + "time_decay"] = {{d}, 2.5, -3};
    s[att + "time_decay_w1"] = {{d, 16}, .2, 0}, s[att + "time_decay_w2"] = {{16, d}, .2, 0};
    s[ffn + "time_maa_k"] = {{d}, .5, .5}, s[ffn + "time_maa_r"] = {{d}, .5, .5};
  }
  return s;
}

inline std::map<std::string, TensorSpec> rwkv5_spec(uint64_t d = 128, int layers = 2) {
  auto s = gated_spec(d, layers);
  for (int layer = 0; layer < layers; ++layer) {
    const std::string block = "blocks." + std::to_string(layer) + ".", att = block + "att.", ffn = block + "ffn.";
    for (const char *x : {"k", "v", "r", "g"}) s[att + "time_mix_" + x] = {{d}, .5, .5};
    s[att + "time_decay"] = {{d / 64, 64}, 2.5, -3};
    s[ffn + "time_mix_k"] = {{d}, .5, .5}, s[ffn + "time_mix_r"] = {{d}, .5, .5};
  }
  return s;
}

inline Tensors tiny_rwkv7() { return generate(rwkv7_spec()); }
inline Tensors tiny_rwkv6() { return generate(rwkv6_spec()); }
inline Tensors tiny_rwkv5() { return generate(rwkv5_spec()); }

enum class Type { f32, bf16, f16 };

// Cut to what the type holds, so that files of different types hold the same numbers.
inline float cut_to(Type type, float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  if (type == Type::bf16) bits &= 0xffff0000;
  if (type == Type::f16) {
    if (std::fabs(value) < 0x1p-14f) return std::trunc(value * 0x1p24f) * 0x1p-24f; // subnormal
    bits &= 0xffffe000;
  }
  std::memcpy(&value, &bits, 4);
  return value;
}

inline Tensors cut_to(Type type, Tensors tensors) {
  for (auto &[name, tensor] : tensors) {
    for (float &value : tensor.values) value = cut_to(type, value);
  }
  return tensors;
}

// The bytes of a value that the type holds exactly.
inline void append(std::string &data, Type type, float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  if (type == Type::f32) {
    data.append(reinterpret_cast<const char *>(&bits), 4);
    return;
  }
  uint32_t half = bits >> 16;
  if (type == Type::f16) {
    const float magnitude = std::fabs(value);
    half = bits >> 16 & 0x8000;
    if (magnitude < 0x1p-14f) half |= static_cast<uint32_t>(magnitude * 0x1p24f);
    else half |= (bits >> 13 & 0x3ffff) - (112u << 10);
  }
  data.append(reinterpret_cast<const char *>(&half), 2);
}

using TypeOf = std::function<Type(const std::string &)>;
inline Type all_f32(const std::string &) { return Type::f32; }

// The header, with offsets that follow each other.
inline std::string header_of(const Tensors &tensors, const std::string &prefix = "", const TypeOf &type_of = all_f32) {
  constexpr const char *names[] = {"F32", "BF16", "F16"};
  std::string json = "{";
  uint64_t at = 0;
  for (const auto &[name, tensor] : tensors) {
    std::string shape;
    for (const uint64_t size : tensor.shape) {
      if (!shape.empty()) shape += ',';
      shape += std::to_string(size);
    }
    const Type type = type_of(name);
    const uint64_t end = at + (type == Type::f32 ? 4 : 2) * tensor.values.size();
    if (json.size() > 1) json += ',';
    json += '"';
    json += prefix + name + "\":{\"dtype\":\"" + names[static_cast<int>(type)] + "\",\"shape\":[" + shape +
            "],\"data_offsets\":[" + std::to_string(at) + "," + std::to_string(end) + "]}";
    at = end;
  }
  return json + "}";
}

inline std::string data_of(const Tensors &tensors, const TypeOf &type_of = all_f32) {
  std::string data;
  for (const auto &[name, tensor] : tensors) {
    const Type type = type_of(name);
    for (const float value : tensor.values) append(data, type, value);
  }
  return data;
}

inline std::string file_of(const std::string &header, const std::string &data) {
  const uint64_t bytes = header.size();
  std::string out(8, '\0');
  std::memcpy(out.data(), &bytes, 8);
  return out + header + data;
}

// A file in the temporary folder that goes away with its owner.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string &bytes) {
    static int serial = 0;
    const auto name = "rwkv_test_" + std::to_string(reinterpret_cast<uintptr_t>(this)) + "_" +
                      std::to_string(::getpid()) + "_" + std::to_string(serial++) + ".safetensors";
    path_ = (std::filesystem::temp_directory_path() / name).string();
    std::FILE *file = std::fopen(path_.c_str(), "wb");
    std::fwrite(bytes.data(), 1, bytes.size(), file);
    std::fclose(file);
  }
  TemporaryFile(const TemporaryFile &) = delete;
  ~TemporaryFile() { std::remove(path_.c_str()); }
  const std::string &path() const { return path_; }

 private:
  std::string path_;
};

inline std::string bytes_of(const Tensors &tensors, const TypeOf &type_of = all_f32, const std::string &prefix = "") {
  return file_of(header_of(tensors, prefix, type_of), data_of(tensors, type_of));
}
