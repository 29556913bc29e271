// GGUF files through rwkv.h: every number type, both generations, against the same weights as safetensors; and files
// that lie, each refused with a sentence (run this under AddressSanitizer too).
#include "gguf_maker.h"
#include "rig.h"

#include "../src/weights_types.h"

using gguf::File;

namespace {

constexpr size_t width = 256;
const std::vector<uint32_t> tokens{1, 5, 9, 3, 7};

struct Load {
  int32_t status;
  std::string sentence;
  std::vector<float> logits; // of every position
};

Load load(const std::string &bytes, uint32_t format = RWKV_WEIGHTS_AS_FILE) {
  const TemporaryFile file(bytes);
  rwkv_engine *engine = nullptr;
  CHECK(rwkv_engine_new(RWKV_DEVICE_AUTO, 2, 1, &engine) == RWKV_OK);
  const auto *const path = reinterpret_cast<const uint8_t *>(file.path().data());
  CHECK(rwkv_engine_put_path(engine, path, file.path().size()) == RWKV_OK);
  CHECK(rwkv_engine_set_format(engine, format) == RWKV_OK);
  Load out{rwkv_engine_load(engine), "", {}};
  rwkv_state *state = nullptr;
  if (out.status == RWKV_OK) {
    CHECK(rwkv_state_new(engine, &state) == RWKV_OK);
    const State open(state);
    CHECK(rwkv_state_set_keep_logits(state, 1) == RWKV_OK && open.put(tokens) == RWKV_OK);
    while (open.pending() > 0) CHECK(rwkv_engine_run(engine) == RWKV_OK);
    out.logits = open.kept(32);
  } else {
    std::vector<uint8_t> text(2048);
    size_t length = 0;
    CHECK(rwkv_engine_sentence(engine, text.data(), text.size(), &length) == RWKV_OK);
    const std::string start = "Cannot load weights \"" + file.path() + "\": ";
    out.sentence.assign(text.begin(), text.begin() + static_cast<ptrdiff_t>(length));
    CHECK(out.sentence.starts_with(start) && out.sentence.size() > start.size());
    out.sentence.erase(0, start.size());
    CHECK(rwkv_state_new(engine, &state) == RWKV_MISUSE); // the engine stays unloaded
  }
  rwkv_engine_close(engine);
  return out;
}

// ffn.value of the tiny RWKV-6 has rows of 896 numbers, which are no blocks of 256.
bool is_matrix(const std::string &name, int generation) {
  const bool narrow = generation == 6 && name.find("ffn.value") != std::string::npos;
  return name.ends_with(".weight") && name.find("ln") == std::string::npos && !narrow;
}

Tensors model(int generation) { return generate(generation == 7 ? rwkv7_spec(width) : rwkv6_spec(width)); }

gguf::TypeOf matrices(gguf::Type type, int generation) {
  return [=](const std::string &name) { return is_matrix(name, generation) ? type : gguf::Type::f32; };
}

// The root mean square of the difference, in units of that of `b`.
double distance(const std::vector<float> &a, const std::vector<float> &b) {
  double off = 0, all = 0;
  if (a.size() != b.size() || a.empty()) return HUGE_VAL;
  for (size_t i = 0; i < a.size(); ++i) off += std::pow(double{a[i]} - b[i], 2), all += double{b[i]} * b[i];
  return std::sqrt(off / all);
}

// What `body` answers on the plainest target, which does not round the inputs of products.
template <typename Body>
auto on_plain(const Body &body) {
  const char *const before = std::getenv("RWKV_DEVICE");
  const std::string kept = before ? before : "";
  setenv("RWKV_DEVICE", "cpu:plain", 1);
  auto out = body();
  if (before) setenv("RWKV_DEVICE", kept.c_str(), 1);
  else unsetenv("RWKV_DEVICE");
  return out;
}

struct Case {
  gguf::Type type;
  rwkv::Stored stored;
  bool rounds; // the inputs of products, on most targets; else bits are those of the same values in `twin`
  Type twin = Type::f32;
};
// Held as they are; held as f16; held as q8.
const Case cases[] = {{gguf::Type::f32, rwkv::Stored::f32, false, Type::f32},
                      {gguf::Type::f16, rwkv::Stored::f16, false, Type::f16},
                      {gguf::Type::bf16, rwkv::Stored::bf16, false, Type::bf16},
                      {gguf::Type::q4_1, rwkv::Stored::q4_1, false, Type::f16},
                      {gguf::Type::q5_1, rwkv::Stored::q5_1, false, Type::f16},
                      {gguf::Type::q5_k, rwkv::Stored::q5_k, false, Type::f16},
                      {gguf::Type::q8_0, rwkv::Stored::q8_0, true},
                      {gguf::Type::q5_0, rwkv::Stored::q5_0, true},
                      {gguf::Type::q4_0, rwkv::Stored::q4_0, true},
                      {gguf::Type::q6_k, rwkv::Stored::q6_k, true},
                      {gguf::Type::q4_k, rwkv::Stored::q4_k, true}};

// What the file's blocks say, as the twin's type holds it (to the nearest).
Tensors as_read(Tensors from, int generation, const Case &is) {
  for (auto &[name, tensor] : from) {
    if (!is_matrix(name, generation)) continue;
    const auto values = gguf::values_of(is.type, gguf::encoded(is.type, tensor.values));
    for (size_t i = 0; i < values.size(); ++i) {
      tensor.values[i] = static_cast<float>(values[i]);
      if (is.twin != Type::f16 || values[i] == 0) continue;
      const double unit = std::exp2(std::max(std::ilogb(tensor.values[i]), -14) - 10); // between two halves
      tensor.values[i] = static_cast<float>(std::nearbyint(tensor.values[i] / unit) * unit);
    }
  }
  return from;
}

void every_type_means_its_values() {
  for (const int generation : {7, 6}) {
    const Tensors weights = model(generation);
    const Load original = load(bytes_of(weights));
    CHECK(original.status == RWKV_OK);
    for (const Case &is : cases) {
      const std::string bytes = gguf::bytes_of(gguf::file_of(weights, generation, matrices(is.type, generation)));
      const Load read = load(bytes);
      CHECK(read.status == RWKV_OK);
      if (read.status != RWKV_OK) std::fprintf(stderr, "%s\n", read.sentence.c_str());
      const auto type_of = [&](const std::string &name) { return is_matrix(name, generation) ? is.twin : Type::f32; };
      const std::string twin_bytes = bytes_of(as_read(weights, generation, is), type_of);
      const Load twin = load(twin_bytes);
      const double apart = distance(read.logits, twin.logits);
      // RWKV-6: the norm behind the first position makes much of little, where r · u · k is about 0.
      const double bound = !is.rounds ? 1e-30 : generation == 7 ? 0.05 : 0.3;
      CHECK(apart < bound);
      if (apart >= bound) std::fprintf(stderr, "rwkv%d type %d: %g\n", generation, static_cast<int>(is.type), apart);
      const auto exactly = [&] { return distance(load(bytes).logits, load(twin_bytes).logits); };
      CHECK(!is.rounds || on_plain(exactly) < 1e-6);
      CHECK(is.type == gguf::Type::f32 || distance(read.logits, original.logits) > 0); // they are others
    }
  }
}

// Random blocks: what the library reads is what the other decoder reads, to the rounding of fp32.
void blocks_mean_the_same() {
  uint32_t seed = 11;
  const auto byte = [&] { return static_cast<uint8_t>((seed = seed * 1664525u + 1013904223u) >> 24); };
  for (const Case &is : cases) {
    const auto [columns, bytes] = gguf::layout(is.type);
    CHECK(rwkv::stored_type(is.stored).columns == columns && rwkv::stored_type(is.stored).bytes == bytes);
    std::string blocks(bytes * (2048 / columns), '\0');
    for (char &each : blocks) each = static_cast<char>(byte() & 0xbb); // no exponent is full
    const auto *const from = reinterpret_cast<const uint8_t *>(blocks.data());
    CHECK(rwkv::all_finite(from, 2048, is.stored));
    std::vector<float> read(2048);
    rwkv::widen(read.data(), from, 2048, is.stored);
    const auto wanted = gguf::values_of(is.type, blocks);
    for (size_t i = 0; i < read.size(); ++i) {
      const double scale = std::fabs(wanted[i]) + 64 * 64 * 65504.0 * (columns > 1);
      CHECK_NEAR(read[i], wanted[i], scale * 0x1p-22);
    }
  }
}

void rescaled_and_other_details() {
  for (const int generation : {7, 6}) {
    const Tensors weights = model(generation);
    const Load wanted = load(bytes_of(weights));
    for (const auto type : {gguf::Type::f32, gguf::Type::f16, gguf::Type::bf16, gguf::Type::q8_0}) {
      const auto plain = load(gguf::bytes_of(gguf::file_of(weights, generation, matrices(type, generation))));
      const auto divided = load(gguf::bytes_of(gguf::file_of(weights, generation, matrices(type, generation), 1)));
      CHECK(divided.status == RWKV_OK);
      CHECK(distance(divided.logits, plain.logits) < (type == gguf::Type::f32 ? 1e-30 : 2e-3)); // subnormal halves
    }
    File file = gguf::file_of(weights, generation, matrices(gguf::Type::f32, generation));
    file.version = 2;
    CHECK(load(gguf::bytes_of(file)).logits == wanted.logits);
    file.alignment = 4096, file.set("general.alignment", gguf::value_u32(4096));
    CHECK(load(gguf::bytes_of(file)).logits == wanted.logits);
    std::reverse(file.tensors.begin(), file.tensors.end()); // any order
    CHECK(load(gguf::bytes_of(file) + std::string(77, 'x')).logits == wanted.logits); // and bytes behind them
    // Low-rank matrices of other types: they are stored by rows, so blocks do.
    const auto low_rank = [&](const std::string &name) {
      return gguf::is_turned(name) ? name.ends_with("1") ? gguf::Type::q8_0 : gguf::Type::f16 : gguf::Type::f32;
    };
    CHECK(distance(load(gguf::bytes_of(gguf::file_of(weights, generation, low_rank))).logits, wanted.logits) < 0.15);
  }
}

void formats_change_what_is_held() {
  const Tensors weights = model(7);
  const std::string f16 = gguf::bytes_of(gguf::file_of(weights, 7, matrices(gguf::Type::f16, 7)));
  const Load plain = load(f16);
  for (const uint32_t format : {RWKV_WEIGHTS_BF16, RWKV_WEIGHTS_Q8, RWKV_WEIGHTS_Q4}) {
    const Load changed = load(f16, format);
    CHECK(changed.status == RWKV_OK);
    const double apart = distance(changed.logits, plain.logits);
    CHECK(apart > 0 && apart < (format == RWKV_WEIGHTS_Q4 ? 1.5 : 0.15));
  }
  // Fewer bits stay as they are.
  const std::string q4 = gguf::bytes_of(gguf::file_of(weights, 7, matrices(gguf::Type::q4_k, 7)));
  CHECK(load(q4, RWKV_WEIGHTS_Q8).logits == load(q4).logits);
}

} // namespace

int main() {
  blocks_mean_the_same();
  every_type_means_its_values();
  rescaled_and_other_details();
  formats_change_what_is_held();
  return report("gguf");
}
