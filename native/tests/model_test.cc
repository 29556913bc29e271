// The tiny model of appendix A.4 against the float64 golden numbers: logits of every position, state sums,
// shift vectors. Also the file variants that must mean the same model.
#include "golden_tiny.h"
#include "rig.h"

#include <cstring>

namespace {

constexpr size_t vocab = 32, width = 128, s_floats = 2 * 64 * 64, layer_floats = 2 * width + s_floats;
constexpr size_t blob_header_bytes = 96;
const std::vector<uint32_t> tokens{1, 5, 9, 3, 7};

std::vector<float> logits_of(const std::string &bytes) {
  const TemporaryFile file(bytes);
  const Engine engine(file.path());
  CHECK(engine.load_status == RWKV_OK);
  if (engine.load_status != RWKV_OK) {
    std::fprintf(stderr, "%s\n", engine.sentence().c_str());
    return {};
  }
  const State state = engine.open();
  CHECK(rwkv_state_set_keep_logits(state, 1) == RWKV_OK);
  engine.feed(state, tokens);
  return state.kept(vocab);
}

void golden(const Tensors &weights, const Golden &wanted, uint64_t version) {
  const TemporaryFile file(bytes_of(weights));
  const Engine engine(file.path());
  CHECK(engine.load_status == RWKV_OK);
  CHECK(engine.info(RWKV_INFO_VERSION) == version);
  CHECK(engine.info(RWKV_INFO_WIDTH) == width);
  CHECK(engine.info(RWKV_INFO_LAYERS) == 2);
  CHECK(engine.info(RWKV_INFO_VOCAB) == vocab);
  CHECK(engine.info(RWKV_INFO_STATE_BYTES) == 4 * (2 * layer_floats + width));
  const State state = engine.open();
  CHECK(rwkv_state_set_keep_logits(state, 1) == RWKV_OK);
  engine.feed(state, tokens);
  const auto rows = state.kept(vocab);
  CHECK(rows.size() == 5 * vocab);
  for (size_t i = 0; i < rows.size(); ++i) CHECK_NEAR(rows[i], wanted.logits[i / vocab][i % vocab], 1e-5);
  const auto last = state.logits(vocab);
  CHECK(std::memcmp(last.data(), rows.data() + 4 * vocab, vocab * 4) == 0);

  const auto blob = state.blob();
  std::vector<float> memory(2 * layer_floats);
  std::memcpy(memory.data(), blob.data() + blob_header_bytes, memory.size() * 4);
  for (size_t layer = 0; layer < 2; ++layer) {
    const float *const att_prev = memory.data() + layer * layer_floats, *const s = att_prev + width;
    double sum = 0;
    for (size_t i = 0; i < s_floats; ++i) sum += s[i];
    CHECK_NEAR(sum, wanted.s_sum[layer], 1e-3); // a sum of 8,192 numbers
    CHECK_NEAR(s[64 + 2], wanted.s_0_1_2[layer], 1e-5);
    CHECK_NEAR(att_prev[0], wanted.att_prev_0[layer], 1e-5);
    CHECK_NEAR(s[s_floats], wanted.ffn_prev_0[layer], 1e-5);
  }
}

void variants() {
  const Tensors weights = tiny_rwkv7();
  const auto plain = logits_of(bytes_of(weights));
  CHECK(plain.size() == 5 * vocab);
  CHECK(logits_of(file_of(header_of(weights, "rwkv."), data_of(weights))) == plain);

  Tensors lifted = weights; // [D] as [1, 1, D]
  for (auto &[name, tensor] : lifted) {
    if (name.find("att.x_") != std::string::npos) tensor.shape = {1, 1, width};
  }
  CHECK(logits_of(bytes_of(lifted)) == plain);

  Tensors dummies = weights; // layer 0 may carry v0, v1, v2; they mean nothing
  dummies["blocks.0.att.v0"] = {{width}, std::vector<float>(width, 5)};
  dummies["blocks.0.att.v1"] = {{width, 3}, std::vector<float>(3 * width, 5)};
  dummies["blocks.0.att.v2"] = {{3, width}, std::vector<float>(3 * width, 5)};
  CHECK(logits_of(bytes_of(dummies)) == plain);

  std::string noted = header_of(weights);
  noted.insert(1, R"("__metadata__":{"format":"pt","a\u00e9":"\ud83e\udebf \"x\""},)");
  CHECK(logits_of(file_of(noted, data_of(weights))) == plain);
}

} // namespace

int main() {
  golden(tiny_rwkv7(), golden_rwkv7, 7);
  golden(tiny_rwkv6(), golden_rwkv6, 6);
  variants();
  return report("model");
}
