// GGUF files that lie: every length, count, offset, shape, name, type and value that could hurt is refused with a
// sentence, and nothing is read outside the file (run this under AddressSanitizer too).
#include "gguf_maker.h"
#include "rig.h"

using gguf::File;
using gguf::raw;
using gguf::text;

namespace {

constexpr uint64_t huge = UINT64_MAX;

struct Load {
  int32_t status;
  std::string sentence;
};

Load load(const std::string &bytes) {
  const TemporaryFile file(bytes);
  const Engine engine(file.path());
  if (engine.load_status == RWKV_OK) return {RWKV_OK, ""};
  const std::string sentence = engine.sentence(), start = "Cannot load weights \"" + file.path() + "\": ";
  CHECK(sentence.starts_with(start) && sentence.size() > start.size());
  CHECK(engine.load_status == RWKV_FORMAT);
  rwkv_state *state = nullptr;
  CHECK(rwkv_state_new(engine, &state) == RWKV_MISUSE); // the engine stays unloaded
  return {engine.load_status, sentence.substr(std::min(start.size(), sentence.size()))};
}
Load load(const File &file) { return load(gguf::bytes_of(file)); }

File good(int generation = 7) {
  const Tensors model = generate(generation == 7 ? rwkv7_spec(64, 1) : rwkv6_spec(64, 1));
  return gguf::file_of(model, generation, [](const std::string &) { return gguf::Type::f32; });
}

// The refusal of a file that `change` made bad.
template <typename Change>
std::string refusal(const Change &change) {
  File file = good();
  change(file);
  const Load result = load(file);
  CHECK(result.status == RWKV_FORMAT);
  return result.sentence;
}

#define CHECK_REFUSED(wanted, change)                                                      \
  do {                                                                                     \
    const std::string told = refusal([](File &file) { change; });                          \
    CHECK(told.find(wanted) != std::string::npos);                                         \
    if (told.find(wanted) == std::string::npos) std::fprintf(stderr, "  %s\n", told.c_str()); \
  } while (0)

void heads() {
  CHECK(load(good()).status == RWKV_OK && load(good(6)).status == RWKV_OK);
  CHECK_REFUSED("header", file.mark = "GGUG"); // not GGUF at all: read as safetensors
  CHECK_REFUSED("GGUF version 1", file.version = 1);
  CHECK_REFUSED("GGUF version 4", file.version = 4);
  CHECK_REFUSED("big-endian", file.version = 3u << 24);
  CHECK_REFUSED("claims 18446744073709551614 tensors", file.tensor_count = huge - 1);
  CHECK_REFUSED("claims 100001 tensors", file.tensor_count = 100001);
  CHECK_REFUSED("claims 18446744073709551614 key-values", file.value_count = huge - 1);
  CHECK_REFUSED("", file.tensor_count = file.tensors.size() + 1);
  CHECK_REFUSED("is missing", file.tensor_count = file.tensors.size() - 1);
  CHECK_REFUSED("", file.value_count = file.values.size() + 1);
  CHECK_REFUSED("", file.value_count = 0);
}

void values() {
  const auto with = [](const std::string &value) { // of a key that nobody reads
    return refusal([&](File &file) { file.set("general.odd", value); });
  };
  CHECK(with(raw<uint32_t>(13)).find("unknown value type 13") != std::string::npos);
  CHECK(with(raw<uint32_t>(huge & 0xffffffff)).find("unknown value type") != std::string::npos);
  for (const uint64_t bytes : {huge, huge - 7, huge / 2, uint64_t{1} << 63, uint64_t{1} << 32}) { // lengths of texts
    CHECK(with(raw<uint32_t>(8) + raw(bytes)).find("ends inside its header") != std::string::npos);
    for (const uint32_t of : {0u, 4u, 8u, 12u}) { // of arrays
      CHECK(with(raw<uint32_t>(9) + raw(of) + raw(bytes)).find("ends inside its header") != std::string::npos);
    }
    CHECK(with(raw<uint32_t>(9) + raw<uint32_t>(8) + raw<uint64_t>(1) + raw(bytes)).find("ends inside") !=
          std::string::npos);
    File file = good(); // of a key
    std::string whole = gguf::bytes_of(file);
    std::memcpy(whole.data() + 24, &bytes, 8);
    CHECK(load(whole).sentence.find("ends inside") != std::string::npos);
  }
  CHECK(with(raw<uint32_t>(9) + raw<uint32_t>(12) + raw(huge / 8 + 1)).find("ends inside") != std::string::npos);
  CHECK(with(raw<uint32_t>(9) + raw<uint32_t>(9) + raw<uint64_t>(1)).find("arrays of arrays") != std::string::npos);
  CHECK(with(gguf::value_text(std::string((1 << 20) + 1, 'x'))).find("a text of 1048577 bytes") != std::string::npos);
  CHECK_REFUSED("\"general.name\" twice", file.values.emplace_back("general.name", gguf::value_u32(1)));
  CHECK_REFUSED("does not name an architecture", file.set("general.architecture", gguf::value_u32(7)));
  CHECK_REFUSED("of architecture \"llama\"", file.set("general.architecture", gguf::value_text("llama")));
  CHECK_REFUSED("\"qwen?[31m\"", file.set("general.architecture", gguf::value_text("qwen\x1b[31m")));
  CHECK_REFUSED("heads of size 32", file.set("rwkv7.wkv.head_size", gguf::value_u32(32)));
  CHECK_REFUSED("1 token shifts", file.set("rwkv7.token_shift_count", gguf::value_u32(1)));
  CHECK_REFUSED("epsilon", file.set("rwkv7.attention.layer_norm_epsilon", gguf::value_f32(1e-6f)));
  CHECK_REFUSED("epsilon", file.set("rwkv7.attention.layer_norm_epsilon", gguf::value_f32(NAN)));
  CHECK_REFUSED("epsilon", file.set("rwkv7.attention.layer_norm_epsilon", gguf::value_u32(1)));
  CHECK_REFUSED("states embedding_length 128", file.set("rwkv7.embedding_length", gguf::value_u32(128)));
  CHECK_REFUSED("states block_count 2", file.set("rwkv7.block_count", gguf::value_u32(2)));
  CHECK_REFUSED("states feed_forward_length 99", file.set("rwkv7.feed_forward_length", gguf::value_u32(99)));
  CHECK_REFUSED("not a whole number", file.set("rwkv7.block_count", gguf::value_f32(1)));
  CHECK_REFUSED("not a whole number", file.set("rwkv7.block_count", raw<uint32_t>(5) + raw<int32_t>(-1)));
  CHECK_REFUSED("alignment is 0", file.set("general.alignment", gguf::value_u32(0)));
  CHECK_REFUSED("alignment is 48", file.set("general.alignment", gguf::value_u32(48)));
  CHECK_REFUSED("alignment is 2147483648", file.set("general.alignment", gguf::value_u32(1u << 31)));
  CHECK_REFUSED("", file.set("rwkv7.rescale_every_n_layers", raw<uint32_t>(10))); // cut off by what follows
}

void tensors() {
  constexpr const char *key = "blk.0.time_mix_key.weight", *w1 = "blk.0.time_mix_w1.weight";
  CHECK_REFUSED("reaches outside the file", file.tensor(key).offset = uint64_t{1} << 40);
  CHECK_REFUSED("", file.tensor(key).offset = huge - 31);
  CHECK_REFUSED("has an impossible shape", file.tensor(key).offset = huge - 32 * 32 + 1);
  CHECK_REFUSED("is not aligned to 32 bytes", file.tensor(key).offset = 36);
  CHECK_REFUSED("overlaps", file.tensor(key).offset = 0);
  CHECK_REFUSED("overlaps", file.tensor(key).offset = 64);
  CHECK_REFUSED("is there twice", file.tensors.push_back(file.tensor(key)));
  CHECK_REFUSED("has shape [63, 64]", file.tensor(key).shape = (std::vector<uint64_t>{64, 63}));
  CHECK_REFUSED("has shape [64, 32]", file.tensor(key).shape = (std::vector<uint64_t>{32, 64}));
  CHECK_REFUSED("has an impossible shape", file.tensor(key).shape = (std::vector<uint64_t>{huge, 2}));
  CHECK_REFUSED("has an impossible shape", file.tensor(key).shape = (std::vector<uint64_t>{1ull << 32, 1ull << 32}));
  CHECK_REFUSED("has an impossible shape", file.tensor(key).shape = (std::vector<uint64_t>{64, 0}));
  CHECK_REFUSED("has an impossible shape", file.tensor(key).shape = (std::vector<uint64_t>{1ull << 62, 1}));
  CHECK_REFUSED("has 9 dimensions", file.tensor(key).shape = std::vector<uint64_t>(9, 1));
  CHECK_REFUSED("has type Q2_K", file.tensor(key).type = 10);
  CHECK_REFUSED("has type I32", file.tensor(key).type = 26);
  CHECK_REFUSED("has type number 4", file.tensor(key).type = 4);
  CHECK_REFUSED("has type number 4294967295", file.tensor(key).type = UINT32_MAX);
  CHECK_REFUSED("not whole blocks of Q4_K", file.tensor(key).type = 12);
  CHECK_REFUSED("is unknown", file.tensor(key).name = "blk.0.time_mix_keys.weight");
  CHECK_REFUSED("is unknown", file.tensor(key).name = "blk.0.time_mix_w0.bias");
  CHECK_REFUSED("is unknown", file.tensor(w1).name = "blocks.0.att.w1"); // a name of safetensors
  CHECK_REFUSED("is unknown", file.tensor(key).name = "");
  CHECK_REFUSED("a name of 1025 bytes", file.tensor(key).name = std::string(1025, 'k'));
  CHECK_REFUSED("", file.tensor(key).name = "blk.18446744073709551615.time_mix_key.weight");
  CHECK_REFUSED("is unknown", file.tensor(key).name = "blk.18446744073709551616.time_mix_key.weight");
  CHECK_REFUSED("", file.tensor(key).name = "blk.1.time_mix_key.weight");
  CHECK_REFUSED("does not hold 6 mixes", file.tensor("blk.0.time_mix_lerp_fused.weight").shape.back() = 5);
  // A column of a low-rank matrix as one row, whose blocks would reach across rows.
  File narrow = good();
  for (gguf::Stored *const each : {&narrow.tensor(w1), &narrow.tensor("blk.0.time_mix_w2.weight")}) {
    *each = {each->name, {64}, 8, std::string(2 * 34, '\0'), huge};
  }
  CHECK(load(narrow).status == RWKV_FORMAT);
  narrow.tensor(w1) = {w1, {64, 1}, 8, std::string(2 * 34, '\0'), huge};
  CHECK(load(narrow).sentence.find("blocks of Q8_0 that reach across rows") != std::string::npos);
}

void missing_tensors() {
  for (const int generation : {7, 6}) {
    const File file = good(generation);
    for (size_t i = 0; i < file.tensors.size(); ++i) {
      File without = file;
      without.tensors.erase(without.tensors.begin() + static_cast<ptrdiff_t>(i));
      CHECK(load(without).status == RWKV_FORMAT);
    }
  }
  File other = good(6); // the tensors of one generation under the name of the other
  other.set("general.architecture", gguf::value_text("rwkv7"));
  CHECK(load(other).status == RWKV_FORMAT);
}

void poison() {
  for (const float bad : {HUGE_VALF, -HUGE_VALF, NAN}) {
    File file = good();
    std::memcpy(file.tensor("blk.0.time_mix_w1.weight").data.data() + 40, &bad, 4);
    CHECK(load(file).sentence == "tensor \"blk.0.time_mix_w1.weight\" holds a value that is not finite");
  }
  struct Case {
    gguf::Type type;
    size_t half; // of the first block
  };
  for (const auto &[type, half] : {Case{gguf::Type::f16, 0}, {gguf::Type::bf16, 0}, {gguf::Type::q8_0, 0},
                                   {gguf::Type::q4_0, 0}, {gguf::Type::q5_0, 0}, {gguf::Type::q4_1, 2},
                                   {gguf::Type::q5_1, 2}, {gguf::Type::q6_k, 208}, {gguf::Type::q4_k, 2},
                                   {gguf::Type::q5_k, 0}}) {
    const Tensors model = generate(rwkv7_spec(256, 1));
    File file = gguf::file_of(model, 7, [type = type](const std::string &name) {
      return name == "blocks.0.ffn.key.weight" ? type : gguf::Type::f32;
    });
    CHECK(load(file).status == RWKV_OK);
    const uint16_t infinity = type == gguf::Type::bf16 ? 0x7f80 : 0x7c00;
    std::memcpy(file.tensor("blk.0.channel_mix_key.weight").data.data() + half, &infinity, 2);
    CHECK(load(file).sentence == "tensor \"blk.0.channel_mix_key.weight\" holds a value that is not finite");
  }
  File file = good(6); // finite until it is multiplied back
  file.set("rwkv6.rescale_every_n_layers", gguf::value_u32(1));
  CHECK(load(file).status == RWKV_OK);
}

// No prefix and no single damaged byte of a good file may crash or read outside.
void damaged_bytes() {
  const File file = good();
  const std::string whole = gguf::bytes_of(file);
  const size_t header = gguf::header_of(file).size();
  for (size_t bytes = 0; bytes < whole.size(); bytes += bytes < 200 ? 1 : bytes < header ? 37 : 9001) {
    CHECK(load(whole.substr(0, bytes)).status == RWKV_FORMAT);
  }
  CHECK(load(whole.substr(0, whole.size() - 1)).status == RWKV_FORMAT);
  uint32_t seed = 5;
  for (size_t at = 0; at < header; at += 1 + (seed >> 30) * 3) {
    seed = seed * 1664525u + 1013904223u;
    std::string bad = whole;
    bad[at] = static_cast<char>(bad[at] ^ (seed >> 16 | 1));
    load(bad); // accepted or refused, but answered
  }
}

} // namespace

int main() {
  heads();
  values();
  tensors();
  missing_tensors();
  poison();
  damaged_bytes();
  return report("gguf_damage");
}
