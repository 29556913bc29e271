// Weights are held in the type of their file. The same values give the same numbers whatever the type: to the bit where
// products are plain, else as near as the target's products are.
#include "../src/ops/ops.h"
#include "format_rows.h"
#include "rig.h"

#include <cstdlib>

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
  engine.feed(state, {1, 5, 9, 3, 7, 1, 2, 30, 31, 0, 4, 8, 8, 2, 6, 11});
  return {engine.info(RWKV_INFO_WEIGHT_BYTES), state.kept(32), state.memory()};
}

double distance(const std::vector<float> &a, const std::vector<float> &b) {
  CHECK(a.size() == b.size() && !a.empty());
  double errors = 0, sizes = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    errors += (double{a[i]} - b[i]) * (double{a[i]} - b[i]), sizes += double{a[i]} * a[i];
  }
  return std::sqrt(errors / sizes);
}

// Products of amx with bf16 keep 16 bits of their rows.
double bound_of(const std::string &target, Type type) {
  if (target == "plain") return 0;
  return target == "amx" && type == Type::bf16 ? 1e-4 : 1e-5;
}

void files_of_every_type(const Tensors &weights, const std::string &target) {
  CHECK(setenv("RWKV_DEVICE", ("cpu:" + target).c_str(), 1) == 0);
  for (const Type type : {Type::bf16, Type::f16}) {
    const Tensors rounded = cut_to(type, weights);
    const Run wide = run(bytes_of(rounded)), narrow = run(bytes_of(rounded, [&](const std::string &) { return type; }));
    // A file may mix them: vectors as F32, as the converters write them, every other matrix as F32 too.
    const Run mixed = run(bytes_of(rounded, [&](const std::string &name) {
      return name.ends_with(".weight") && name.find("ln") == std::string::npos && name.size() % 3 ? type : Type::f32;
    }));
    const double bound = bound_of(target, type);
    for (const Run *other : {&narrow, &mixed}) {
      CHECK(distance(wide.logits, other->logits) <= bound);
      CHECK(distance(wide.memory, other->memory) <= bound);
    }
    // Nearly all of a model is large matrices: half the memory, and no second copy of them.
    CHECK(narrow.weight_bytes < wide.weight_bytes * 6 / 10);
    CHECK(mixed.weight_bytes > narrow.weight_bytes && mixed.weight_bytes < wide.weight_bytes);
  }
}

// Every finite number of a type, through a product that picks it out. A unit may take the least bf16 numbers for 0.
void every_number_expands_exactly(const Ops &ops, Format format) {
  const uint32_t exponent = format == Format::f16 ? 0x7c00 : 0x7f80;
  std::vector<uint16_t> numbers;
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    if ((bits & exponent) != exponent) numbers.push_back(static_cast<uint16_t>(bits));
  }
  for (const size_t columns : {size_t{1}, size_t{16}, size_t{19}}) {
    const size_t rows = numbers.size() / columns;
    FormatRows file{format, rows, columns, std::vector<uint8_t>(rows * columns * 2), {}};
    std::memcpy(file.bytes.data(), numbers.data(), file.bytes.size());
    const Packed packed(file);
    for (size_t picked = 0; picked < columns; picked += 6) {
      std::vector<float> x(columns), out(rows);
      x[picked] = 1;
      const Bytes64 input(ops.products.input_bytes(format, 1, columns));
      ops.products.prepare(input.data(), x.data(), format, 1, columns);
      ops.products.matmul(out.data(), input.data(), packed.matrix, 1, 0, tile_count(rows));
      size_t wrong = 0;
      for (size_t row = 0; row < rows; ++row) {
        const double exact = block_value(file.row(row) + 2 * picked, format, 0);
        wrong += out[row] != exact && !(format == Format::bf16 && std::fabs(exact) < 0x1p-126 && out[row] == 0);
      }
      CHECK(wrong == 0);
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
  const CpuTables found = cpu_tables();
  for (size_t i = 0; i < found.count; ++i) {
    const std::string target = found.tables[i]->name;
    files_of_every_type(tiny_rwkv7(), target);
    files_of_every_type(tiny_rwkv6(), target);
    files_of_every_type(tiny_rwkv5(), target);
    for (const Format format : {Format::bf16, Format::f16}) every_number_expands_exactly(*found.tables[i], format);
  }
  infinities_are_refused();
  return report("held_types");
}
