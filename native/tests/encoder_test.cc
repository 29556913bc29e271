// Weights without emb.weight and head.weight: vectors in, vectors out. What needs a vocabulary is refused in words.
#include "rig.h"

namespace {

constexpr size_t width = 128;

void vectors_are_those_of_the_whole_model(Tensors weights) {
  const TemporaryFile whole_file(bytes_of(weights));
  weights.erase("emb.weight"), weights.erase("head.weight");
  const auto vectors = some_vectors(40, width);
  const auto outputs = [&](const Engine &engine, bool as_span) {
    CHECK(engine.load_status == RWKV_OK);
    const State state = engine.open();
    CHECK(rwkv_state_set_keep_vectors(state, 1) == RWKV_OK);
    CHECK((as_span ? rwkv_state_put_span(state, vectors.data(), 40, width, RWKV_SCAN_BIDIRECTION, 40, 1)
                   : rwkv_state_put_vectors(state, vectors.data(), 40, width)) == RWKV_OK);
    engine.run_until_edge(state);
    CHECK(state.memory().size() == 2 * (2 * width + width * 64) + width);
    const State again = engine.open();
    CHECK(again.import(state.blob()) == RWKV_OK);
    return state.kept_vectors(width);
  };
  const Engine whole(whole_file.path());
  for (const char *prefix : {"", "rwkv.", "vtc."}) {
    const TemporaryFile file(bytes_of(weights, all_f32, prefix));
    const Engine encoder(file.path());
    CHECK(encoder.info(RWKV_INFO_VOCAB) == 0 && encoder.info(RWKV_INFO_WIDTH) == width);
    for (const bool as_span : {false, true}) {
      const auto got = outputs(encoder, as_span);
      CHECK(got.size() == 40 * width && got == outputs(whole, as_span));
    }
  }
}

void what_needs_a_vocabulary_is_refused() {
  Tensors weights = tiny_rwkv7();
  weights.erase("emb.weight"), weights.erase("head.weight");
  const TemporaryFile file(bytes_of(weights, all_f32, "vtc."));
  const Engine engine(file.path());
  const State state = engine.open();
  const auto vectors = some_vectors(3, width);
  CHECK(rwkv_state_put_vectors(state, vectors.data(), 3, width) == RWKV_OK);
  engine.run_until_edge(state);
  const std::string why = ": the weights have no \"emb.weight\" and \"head.weight\"";
  CHECK(state.put({0}) == RWKV_MISUSE && engine.sentence() == "Cannot use token 0" + why);
  CHECK(rwkv_state_put_decode(state, 1, 0) == RWKV_MISUSE && engine.sentence() == "Cannot queue a decode" + why);
  CHECK(rwkv_state_put_decide(state, 0, .5f, 1, 0) == RWKV_MISUSE);
  CHECK(rwkv_state_set_keep_logits(state, 1) == RWKV_MISUSE && engine.sentence() == "Cannot keep logits" + why);
  CHECK(rwkv_state_set_keep_logits(state, 0) == RWKV_OK);
  const uint32_t token = 0;
  CHECK(rwkv_state_set_stops(state, &token, 1) == RWKV_MISUSE);
  float logits[4];
  CHECK(rwkv_state_read_logits(state, logits, 4) == RWKV_MISUSE && engine.sentence() == "Cannot read logits" + why);
  CHECK(rwkv_state_read_logits(state, nullptr, 0) == RWKV_MISUSE);
  size_t rows = 1;
  CHECK(rwkv_state_take_logits(state, logits, 4, &rows) == RWKV_OK && rows == 0);
  CHECK(state.put({}) == RWKV_OK && state.pending() == 0);
}

void one_alone_is_a_damaged_model() {
  for (const char *missing : {"emb.weight", "head.weight"}) {
    Tensors weights = tiny_rwkv6();
    weights.erase(missing);
    const TemporaryFile file(bytes_of(weights));
    const Engine engine(file.path());
    CHECK(engine.load_status == RWKV_FORMAT);
    CHECK(engine.sentence().ends_with("tensor \"" + std::string(missing) + "\" is missing"));
  }
}

// The ring keeps the newest 65,536 rows.
void old_rows_make_room() {
  const Engine echo;
  const State state = echo.open();
  CHECK(rwkv_state_set_keep_vectors(state, 1) == RWKV_OK);
  const std::vector<uint32_t> tokens = some_tokens(50000, 256);
  echo.feed(state, tokens), echo.feed(state, tokens);
  const auto kept = state.kept_vectors(8);
  CHECK(kept.size() == 65536 * 8);
  std::vector<float> last(8);
  const auto memory = state.memory(); // the hash, then the newest vector
  CHECK(std::equal(memory.end() - 8, memory.end(), kept.end() - 8));
  CHECK(state.kept_vectors(8).empty());
  CHECK(rwkv_state_set_keep_vectors(state, 0) == RWKV_OK);
  echo.feed(state, {1});
  CHECK(state.kept_vectors(8).empty());
}

} // namespace

int main() {
  vectors_are_those_of_the_whole_model(tiny_rwkv7());
  vectors_are_those_of_the_whole_model(tiny_rwkv6());
  vectors_are_those_of_the_whole_model(tiny_rwkv5());
  what_needs_a_vocabulary_is_refused();
  one_alone_is_a_damaged_model();
  old_rows_make_room();
  return report("encoder");
}
