// The tiny models of the specification (appendix A.4) and a writer of safetensors files.
// Deterministic pseudo-weights: V 32, D 128, L 2, heads of 64.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
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

inline std::map<std::string, TensorSpec> frame_spec() {
  std::map<std::string, TensorSpec> s;
  s["emb.weight"] = {{32, 128}, 1, 0}, s["head.weight"] = {{32, 128}, .1, 0};
  for (const char *norm : {"ln_out", "blocks.0.ln0", "blocks.0.ln1", "blocks.0.ln2", "blocks.1.ln1",
                           "blocks.1.ln2", "blocks.0.att.ln_x", "blocks.1.att.ln_x"}) {
    s[std::string(norm) + ".weight"] = {{128}, .1, 1}, s[std::string(norm) + ".bias"] = {{128}, .1, 0};
  }
  return s;
}

inline std::map<std::string, TensorSpec> rwkv7_spec() {
  auto s = frame_spec();
  for (int layer = 0; layer < 2; ++layer) {
    const std::string block = "blocks." + std::to_string(layer) + ".", att = block + "att.", ffn = block + "ffn.";
    for (const char *x : {"x_r", "x_w", "x_k", "x_v", "x_a", "x_g"}) s[att + x] = {{128}, .5, .5};
    s[att + "w0"] = {{128}, 3, -2}, s[att + "a0"] = {{128}, 1, 0};
    s[att + "k_k"] = {{128}, .2, .8}, s[att + "k_a"] = {{128}, .2, 1}, s[att + "r_k"] = {{2, 64}, .1, 0};
    const auto low_rank = [&](const std::string &name, uint64_t rank) {
      s[att + name + "1"] = {{128, rank}, .2, 0}, s[att + name + "2"] = {{rank, 128}, .2, 0};
    };
    low_rank("w", 16), low_rank("a", 16), low_rank("g", 24);
    if (layer > 0) low_rank("v", 8), s[att + "v0"] = {{128}, 1, 0};
    for (const char *m : {"receptance", "key", "value", "output"}) s[att + m + ".weight"] = {{128, 128}, .15, 0};
    s[ffn + "x_k"] = {{128}, .5, .5};
    s[ffn + "key.weight"] = {{512, 128}, .15, 0}, s[ffn + "value.weight"] = {{128, 512}, .05, 0};
  }
  return s;
}

inline std::map<std::string, TensorSpec> rwkv6_spec() {
  auto s = frame_spec();
  for (int layer = 0; layer < 2; ++layer) {
    const std::string block = "blocks." + std::to_string(layer) + ".", att = block + "att.", ffn = block + "ffn.";
    for (const char *x : {"x", "w", "k", "v", "r", "g"}) s[att + "time_maa_" + x] = {{128}, .5, .5};
    s[att + "time_maa_w1"] = {{128, 40}, .2, 0}, s[att + "time_maa_w2"] = {{5, 8, 128}, .2, 0};
    s[att + "time_decay"] = {{128}, 2.5, -3}, s[att + "time_faaaa"] = {{2, 64}, .5, .2};
    s[att + "time_decay_w1"] = {{128, 16}, .2, 0}, s[att + "time_decay_w2"] = {{16, 128}, .2, 0};
    for (const char *m : {"receptance", "key", "value", "gate", "output"}) {
      s[att + m + ".weight"] = {{128, 128}, .15, 0};
    }
    s[ffn + "time_maa_k"] = {{128}, .5, .5}, s[ffn + "time_maa_r"] = {{128}, .5, .5};
    s[ffn + "key.weight"] = {{448, 128}, .15, 0}, s[ffn + "value.weight"] = {{128, 448}, .05, 0};
    s[ffn + "receptance.weight"] = {{128, 128}, .15, 0};
  }
  return s;
}

inline Tensors tiny_rwkv7() { return generate(rwkv7_spec()); }
inline Tensors tiny_rwkv6() { return generate(rwkv6_spec()); }

// The header, with offsets that follow each other.
inline std::string header_of(const Tensors &tensors, const std::string &prefix = "") {
  std::string json = "{";
  uint64_t at = 0;
  for (const auto &[name, tensor] : tensors) {
    std::string shape;
    for (const uint64_t size : tensor.shape) shape += (shape.empty() ? "" : ",") + std::to_string(size);
    const uint64_t end = at + 4 * tensor.values.size();
    json += std::string(json.size() > 1 ? "," : "") + "\"" + prefix + name + "\":{\"dtype\":\"F32\",\"shape\":[" +
            shape + "],\"data_offsets\":[" + std::to_string(at) + "," + std::to_string(end) + "]}";
    at = end;
  }
  return json + "}";
}

inline std::string data_of(const Tensors &tensors) {
  std::string data;
  for (const auto &[name, tensor] : tensors) {
    data.append(reinterpret_cast<const char *>(tensor.values.data()), 4 * tensor.values.size());
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

inline std::string bytes_of(const Tensors &tensors) { return file_of(header_of(tensors), data_of(tensors)); }
