// Weights are held in the type of their file, and nothing but memory depends on it: the same values give the same bits
// whatever the type, on every table of this machine.
#include "../src/ops/ops.h"
#include "rig.h"

namespace {

using namespace rwkv;

struct Run {
  uint64_t weight_bytes = 0;
  std::vector<float> logits, memory;
};

Run run(const std::string &bytes) {
  const TemporaryFile file(bytes);
  const ::Engine engine(file.path());
  CHECK(engine.load_status == RWKV_OK);
  const State state = engine.open();
  CHECK(rwkv_state_set_keep_logits(state, 1) == RWKV_OK);
  engine.feed(state, {1, 5, 9, 3, 7, 1, 2, 30, 31, 0, 4});
  CHECK(rwkv_state_put_decode(state, 5, 3) == RWKV_OK);
  engine.run_until_edge(state);
  return {engine.info(RWKV_INFO_WEIGHT_BYTES), state.kept(32), state.memory()};
}

void files_of_every_type(const Tensors &weights) {
  for (const Type type : {Type::bf16, Type::f16}) {
    const Tensors rounded = cut_to(type, weights);
    const Run wide = run(bytes_of(rounded)), narrow = run(bytes_of(rounded, [&](const std::string &) { return type; }));
    // A file may mix them: vectors as F32, as the converters write them, every other matrix as F32 too.
    const Run mixed = run(bytes_of(rounded, [&](const std::string &name) {
      return name.ends_with(".weight") && name.find("ln") == std::string::npos && name.size() % 3 ? type : Type::f32;
    }));
    CHECK(wide.logits.size() == 16 * 32);
    CHECK(narrow.logits == wide.logits && narrow.memory == wide.memory);
    CHECK(mixed.logits == wide.logits && mixed.memory == wide.memory);
    // Nearly all of a model is large matrices: half the memory, and no second copy of them.
    CHECK(narrow.weight_bytes < wide.weight_bytes * 6 / 10);
    CHECK(mixed.weight_bytes > narrow.weight_bytes && mixed.weight_bytes < wide.weight_bytes);
  }
}

// As it is, from its bits.
float value_of(Dtype dtype, uint16_t bits) {
  uint32_t wide = uint32_t{bits} << 16;
  float out;
  std::memcpy(&out, &wide, 4);
  if (dtype == Dtype::bf16) return out;
  const double fraction = bits & 1023, exponent = bits >> 10 & 31;
  const double magnitude = exponent == 0 ? fraction * 0x1p-24 : (1024 + fraction) * std::exp2(exponent - 25);
  return static_cast<float>(bits >> 15 ? -magnitude : magnitude);
}

// Every finite number of a type, through a product that picks it out.
void every_number_expands_exactly(const Ops &ops, Dtype dtype) {
  const uint32_t exponent = dtype == Dtype::f16 ? 0x7c00 : 0x7f80;
  std::vector<uint16_t> numbers;
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    if ((bits & exponent) != exponent) numbers.push_back(static_cast<uint16_t>(bits));
  }
  for (const size_t in_width : {size_t{1}, size_t{16}, size_t{19}}) {
    const size_t rows = numbers.size() / in_width;
    for (size_t picked = 0; picked < in_width; picked += 6) {
      std::vector<float> x(in_width), out(rows);
      x[picked] = 1;
      ops.matmul(out.data(), x.data(), {numbers.data(), dtype}, 1, in_width, rows, 0, rows);
      for (size_t row = 0; row < rows; ++row) CHECK(out[row] == value_of(dtype, numbers[row * in_width + picked]));
    }
  }
}

// The first table is the plain one, on a matrix that was expanded beforehand.
void products_have_the_same_bits(Dtype dtype) {
  const CpuTables found = cpu_tables();
  uint32_t seed = 7;
  const auto next = [&] { return seed = seed * 1664525u + 1013904223u; };
  for (const size_t in_width : {5, 64, 200}) {
    for (const size_t rows : {1, 2, 3, 5, 9}) {
      const size_t out_width = 37;
      std::vector<uint16_t> numbers(in_width * out_width);
      std::vector<float> wide(numbers.size()), x(rows * in_width);
      for (size_t i = 0; i < numbers.size(); ++i) { // of either sign, about 2^-12 to 2
        const uint32_t random = next();
        numbers[i] = static_cast<uint16_t>(dtype == Dtype::bf16 ? (0x3980 + (random >> 16) % 0x0680) | (random & 0x8000)
                                                                : (random >> 16) % 0x4000 | (random & 0x8000));
        wide[i] = value_of(dtype, numbers[i]);
      }
      for (float &value : x) value = static_cast<float>(next() >> 8) / 8388608.0f - 1;
      std::vector<float> wanted(rows * out_width);
      found.tables[0]->matmul(wanted.data(), x.data(), {wide.data(), Dtype::f32}, rows, in_width, out_width, 0,
                              out_width);
      for (size_t i = 0; i < found.count; ++i) {
        std::vector<float> got(rows * out_width);
        // In three pieces: which columns are asked for together does not matter either.
        for (const auto &[first, last] : {std::pair<size_t, size_t>{0, 16}, {16, 17}, {17, 37}}) {
          found.tables[i]->matmul(got.data(), x.data(), {numbers.data(), dtype}, rows, in_width, out_width, first,
                                  last);
        }
        CHECK(got == wanted);
      }
    }
  }
}

void infinities_are_refused() {
  for (const Type type : {Type::bf16, Type::f16}) {
    std::string bytes = bytes_of(cut_to(type, tiny_rwkv7()), [&](const std::string &) { return type; });
    const uint16_t infinity = type == Type::bf16 ? 0x7f80 : 0x7c00;
    std::memcpy(bytes.data() + bytes.size() - 2, &infinity, 2);
    const TemporaryFile file(bytes);
    const ::Engine engine(file.path());
    CHECK(engine.load_status == RWKV_FORMAT);
    CHECK(engine.sentence().find("holds a value that is not finite") != std::string::npos);
  }
}

} // namespace

int main() {
  files_of_every_type(tiny_rwkv7());
  files_of_every_type(tiny_rwkv6());
  files_of_every_type(tiny_rwkv5());
  for (const Dtype dtype : {Dtype::bf16, Dtype::f16}) {
    const CpuTables found = cpu_tables();
    for (size_t i = 0; i < found.count; ++i) every_number_expands_exactly(*found.tables[i], dtype);
    products_have_the_same_bits(dtype);
  }
  infinities_are_refused();
  return report("held_types");
}
