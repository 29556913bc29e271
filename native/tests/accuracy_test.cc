// How near whole models are to the formulas in float64, for every target that this machine has and every format: the error
// of all logits together, over their size. The same positions one by one give the bits of the whole sequence.
#include "../src/ops/ops.h"
#include "reference.h"
#include "rig.h"

#include <cmath>
#include <cstdlib>

namespace {

using namespace rwkv;

constexpr size_t vocab = 32;
constexpr uint64_t width = 256;
const std::vector<uint32_t> tokens = some_tokens(48, vocab, 3);

struct Case {
  const char *name;
  Type stored;             // in the file, and what the reference has
  uint32_t format;         // the library is asked to hold
  double bound;
};

// Blocks of integers lose what they lose; the bounds say that a wrong scale or a wrong block would be seen.
constexpr Case cases[] = {{"f32", Type::f32, RWKV_WEIGHTS_AS_FILE, 1e-5},
                          {"f16", Type::f16, RWKV_WEIGHTS_AS_FILE, 3e-3},
                          {"bf16", Type::bf16, RWKV_WEIGHTS_AS_FILE, 3e-3},
                          {"q8", Type::f32, RWKV_WEIGHTS_Q8, 3e-2},
                          {"q4", Type::f32, RWKV_WEIGHTS_Q4, 0.3}};

struct Handle {
  rwkv_engine *engine = nullptr;
  Handle(const std::string &path, uint32_t format) {
    CHECK(rwkv_engine_new(RWKV_DEVICE_AUTO, 4, 1, &engine) == RWKV_OK);
    CHECK(rwkv_engine_put_path(engine, reinterpret_cast<const uint8_t *>(path.data()), path.size()) == RWKV_OK);
    CHECK(rwkv_engine_set_format(engine, format) == RWKV_OK);
    CHECK(rwkv_engine_load(engine) == RWKV_OK);
  }
  Handle(const Handle &) = delete;
  ~Handle() { rwkv_engine_close(engine); }

  // Logits behind every position; `together`: all are put at once.
  std::vector<float> logits(bool together) const {
    rwkv_state *made = nullptr;
    CHECK(rwkv_state_new(engine, &made) == RWKV_OK);
    const State state(made);
    CHECK(rwkv_state_set_keep_logits(state, 1) == RWKV_OK);
    for (size_t i = 0; i < tokens.size(); i += together ? tokens.size() : 1) {
      CHECK(rwkv_state_put_tokens(state, tokens.data() + i, together ? tokens.size() : 1) == RWKV_OK);
      while (state.pending() > 0) CHECK(rwkv_engine_run(engine) == RWKV_OK);
    }
    return state.kept(vocab);
  }
};

double error_of(const std::vector<float> &got, const std::vector<double> &wanted) {
  CHECK(got.size() == wanted.size() && !got.empty());
  double errors = 0, sizes = 0;
  for (size_t i = 0; i < got.size() && i < wanted.size(); ++i) {
    errors += (got[i] - wanted[i]) * (got[i] - wanted[i]), sizes += wanted[i] * wanted[i];
  }
  return std::sqrt(errors / sizes);
}

std::vector<double> reference_logits(const Tensors &weights) {
  const reference::Model model(weights, 7);
  reference::Rows rows;
  for (const uint32_t token : tokens) rows.push_back(model.embed(token));
  const auto result = model.run(rows);
  std::vector<double> logits;
  for (size_t row = 0; row < tokens.size(); ++row) {
    const auto of_row = result.logits(model, row);
    logits.insert(logits.end(), of_row.begin(), of_row.end());
  }
  return logits;
}

// Deviations as released models have them, so that what is rounded in a layer counts as much as it does there.
Tensors weights_of(Type type) {
  auto spec = rwkv7_spec(width, 2);
  for (auto &[name, tensor] : spec) {
    const bool matrix = tensor.shape.size() == 2 && name.ends_with(".weight") && name != "emb.weight";
    if (matrix) tensor.scale = 1.7 / std::sqrt(static_cast<double>(tensor.shape[1]));
  }
  return cut_to(type, generate(spec));
}

} // namespace

int main() {
  const CpuTables found = cpu_tables();
  for (const Case &one : cases) {
    const Tensors weights = weights_of(one.stored);
    const TemporaryFile file(bytes_of(weights, [&](const std::string &) { return one.stored; }));
    const auto wanted = reference_logits(weights);
    for (size_t i = 0; i < found.count; ++i) {
      CHECK(setenv("RWKV_DEVICE", (std::string("cpu:") + found.tables[i]->name).c_str(), 1) == 0);
      const Handle engine(file.path(), one.format);
      const auto sequence = engine.logits(true), steps = engine.logits(false);
      const double error = error_of(sequence, wanted);
      std::printf("%-6s %-4s %.2e\n", found.tables[i]->name, one.name, error);
      CHECK(error < one.bound);
      CHECK(sequence.size() == steps.size() && std::memcmp(sequence.data(), steps.data(), steps.size() * 4) == 0);
    }
  }
  return report("accuracy");
}
