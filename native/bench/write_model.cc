// See write_model.h. Names, orders and the number type of each tensor are those of RWKV-7 files as they are published:
// vectors, w1, w2 and the fused mixes in fp32; the other low-rank matrices in 16 bits, also in the quantised files;
// Q4_K_M keeps the head in Q6_K. The distributions give logits and states of the size that trained weights have.
#include "write_model.h"

#include <cmath>

#include "random_numbers.h"

namespace bench {

namespace {

struct Types {
  const char *format;
  uint32_t file_type;
  TensorType matrix, head, low_rank;
  bool quantised;
};

constexpr Types formats[] = {
    {"f16", 1, TensorType::f16, TensorType::f16, TensorType::f16, false},
    {"bf16", 32, TensorType::bf16, TensorType::bf16, TensorType::bf16, false},
    {"q8", 7, TensorType::q8_0, TensorType::q8_0, TensorType::f16, true},
    {"q4", 15, TensorType::q4_k, TensorType::q6_k, TensorType::f16, true},
};

struct Entry {
  Tensor tensor;
  Distribution distribution;
};

Distribution normal(double mean, double deviation) { return {Distribution::Kind::normal, mean, deviation}; }
Distribution uniform(double least, double greatest) { return {Distribution::Kind::uniform, least, greatest}; }

class Entries {
 public:
  Entries(const Shape &shape, const Types &types) : shape_(shape), types_(types) {
    const uint64_t width = shape.width, vocab = shape.vocab;
    matrix("token_embd", width, vocab, 0.1, types.matrix);
    norm("token_embd_norm");
    for (uint32_t layer = 0; layer < shape.layers; layer++) block(layer);
    norm("output_norm");
    matrix("output", width, vocab, 2 / std::sqrt(width), types.head);
  }
  std::vector<Entry> list;

 private:
  void add(const std::string &name, std::vector<uint64_t> dimensions, TensorType type, Distribution distribution) {
    list.push_back({{name, std::move(dimensions), type}, distribution});
  }
  void vector(const std::string &name, Distribution distribution) {
    add(name + ".weight", {shape_.width}, TensorType::f32, distribution);
  }
  void norm(const std::string &name) {
    vector(name, normal(1, 0.1));
    add(name + ".bias", {shape_.width}, TensorType::f32, normal(0, 0.02));
  }
  void matrix(const std::string &name, uint64_t in, uint64_t out, double deviation, TensorType type) {
    add(name + ".weight", {in, out}, type, normal(0, deviation));
  }
  // Down to `rank` numbers and up again.
  void low_rank(const std::string &name, uint64_t rank, double deviation, TensorType type) {
    const uint64_t width = shape_.width;
    matrix(name + "1", width, rank, 1 / std::sqrt(width), type);
    matrix(name + "2", rank, width, deviation / std::sqrt(rank), type);
  }
  void block(uint32_t layer) {
    const uint64_t width = shape_.width;
    const double one = 1 / std::sqrt(width);
    const std::string at = "blk." + std::to_string(layer) + ".", time = at + "time_mix_", channel = at + "channel_mix_";
    norm(at + "attn_norm");
    norm(at + "attn_norm_2");
    add(time + "lerp_fused.weight", {width, 1, 1, 6}, TensorType::f32, uniform(0, 1));
    vector(time + "w0", uniform(-6, 1));
    low_rank(time + "w", shape_.decay_rank, 0.3, TensorType::f32);
    vector(time + "a0", normal(0, 0.5));
    low_rank(time + "a", shape_.rate_rank, 0.3, types_.low_rank);
    vector(time + "v0", normal(0.5, 0.3));
    // Layer 0 has no value residual; files hold one that nobody reads, of the rate's rank.
    low_rank(time + "v", layer == 0 ? shape_.rate_rank : shape_.value_rank, 0.3, types_.low_rank);
    low_rank(time + "g", shape_.gate_rank, 2, types_.low_rank);
    vector(time + "k_k", normal(0.85, 0.1));
    vector(time + "k_a", normal(1, 0.1));
    vector(time + "r_k", normal(0, 0.1));
    matrix(time + "receptance", width, width, one, types_.matrix);
    matrix(time + "key", width, width, 0.5 * one, types_.matrix);
    matrix(time + "value", width, width, one, types_.matrix);
    norm(time + "ln");
    matrix(time + "output", width, width, 0.5 * one, types_.matrix);
    add(channel + "lerp_k.weight", {width, 1, 1}, TensorType::f32, uniform(0, 1));
    matrix(channel + "key", width, 4 * width, one, types_.matrix);
    matrix(channel + "value", 4 * width, width, 0.25 * one, types_.matrix);
  }

  const Shape &shape_;
  const Types &types_;
};

// One word per token, as GGUF escapes them: the ending token, the 256 bytes, then names nobody writes.
std::vector<std::string> vocabulary(uint32_t count) {
  std::vector<std::string> words = {"<s>"};
  for (uint32_t byte = 0; byte < 256; byte++) {
    char word[8];
    std::snprintf(word, sizeof word, "\\x%02x", byte);
    words.push_back(word);
  }
  while (words.size() < count) words.push_back("token " + std::to_string(words.size()));
  return words;
}

void put_metadata(GgufFile &file, const Shape &shape, const Types &types) {
  file.put("general.architecture", std::string("rwkv7"));
  file.put("general.name", std::string("random RWKV-7 ") + shape.name);
  file.put("general.file_type", types.file_type);
  if (types.quantised) file.put("general.quantization_version", uint32_t{2});
  const auto put = [&](const char *key, auto value) { file.put(std::string("rwkv7.") + key, value); };
  put("context_length", uint32_t{1048576});
  put("embedding_length", shape.width);
  put("block_count", shape.layers);
  put("feed_forward_length", 4 * shape.width);
  put("vocab_size", shape.vocab);
  put("wkv.head_size", uint32_t{64});
  put("attention.head_count", uint32_t{0});
  put("attention.layer_norm_epsilon", 1e-5f);
  put("attention.decay_lora_rank", shape.decay_rank);
  put("attention.iclr_lora_rank", shape.rate_rank);
  put("attention.value_residual_mix_lora_rank", shape.value_rank);
  put("attention.gate_lora_rank", shape.gate_rank);
  std::vector<int32_t> kinds(shape.vocab, 1);
  kinds[0] = 3; // a control token
  file.put("tokenizer.ggml.model", std::string("rwkv"));
  file.put("tokenizer.ggml.tokens", vocabulary(shape.vocab));
  file.put("tokenizer.ggml.token_type", kinds);
  file.put("tokenizer.ggml.bos_token_id", uint32_t{0});
  file.put("tokenizer.ggml.eos_token_id", uint32_t{0});
  file.put("tokenizer.ggml.add_bos_token", false);
}

} // namespace

bool write_model(const Shape &shape, const std::string &format, const std::string &path, std::string *why) {
  const Types *types = nullptr;
  for (const Types &known : formats)
    if (format == known.format) types = &known;
  if (!types) {
    *why = "a format is f16, bf16, q8 or q4";
    return false;
  }
  const Entries entries(shape, *types);
  std::vector<Tensor> tensors;
  for (const Entry &entry : entries.list) tensors.push_back(entry.tensor);
  GgufFile file(path);
  put_metadata(file, shape, *types);
  file.begin(tensors);
  RandomTensors random;
  for (const Entry &entry : entries.list) random.write(file, entry.tensor, entry.distribution);
  *why = "cannot write " + path;
  return file.close();
}

} // namespace bench
