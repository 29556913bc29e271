// Every verb misused: statuses, sentences, and that nothing is done. Closing in any order.
#include "../src/ops/ops.h"
#include "rig.h"

#include <cstdlib>
#include <limits>
#include <thread>

namespace {

void nulls_are_misuse() {
  size_t size = 0;
  uint64_t wide = 0;
  float p = 0;
  uint8_t byte = 0;
  rwkv_state *state = nullptr;
  CHECK(rwkv_abi_version() == RWKV_ABI_VERSION);
  CHECK(rwkv_engine_new(RWKV_DEVICE_ECHO, 1, 1, nullptr) == RWKV_MISUSE);
  CHECK(rwkv_engine_put_path(nullptr, &byte, 1) == RWKV_MISUSE);
  CHECK(rwkv_engine_set_format(nullptr, 0) == RWKV_MISUSE);
  CHECK(rwkv_engine_load(nullptr) == RWKV_MISUSE && rwkv_engine_run(nullptr) == RWKV_MISUSE);
  CHECK(rwkv_engine_info(nullptr, 1, &wide) == RWKV_MISUSE);
  CHECK(rwkv_engine_model_hash(nullptr, &byte, 1) == RWKV_MISUSE);
  CHECK(rwkv_engine_sentence(nullptr, &byte, 1, &size) == RWKV_MISUSE);
  CHECK(rwkv_state_new(nullptr, &state) == RWKV_MISUSE && rwkv_state_fork(nullptr, &state) == RWKV_MISUSE);
  CHECK(rwkv_state_reset(nullptr) == RWKV_MISUSE && rwkv_state_stop(nullptr) == RWKV_MISUSE);
  CHECK(rwkv_state_put_tokens(nullptr, nullptr, 0) == RWKV_MISUSE);
  CHECK(rwkv_state_put_vectors(nullptr, nullptr, 0, 8) == RWKV_MISUSE);
  CHECK(rwkv_state_set_sampler(nullptr, 1, 1, 0, 0) == RWKV_MISUSE);
  CHECK(rwkv_state_set_stops(nullptr, nullptr, 0) == RWKV_MISUSE);
  CHECK(rwkv_state_put_decode(nullptr, 1, 0) == RWKV_MISUSE);
  CHECK(rwkv_state_put_decide(nullptr, 0, 0, 1, 0) == RWKV_MISUSE);
  CHECK(rwkv_state_take_tokens(nullptr, nullptr, nullptr, 0, &size) == RWKV_MISUSE);
  CHECK(rwkv_state_read_pending(nullptr, &wide) == RWKV_MISUSE);
  CHECK(rwkv_state_read_decision(nullptr, &p, &wide) == RWKV_MISUSE);
  CHECK(rwkv_state_read_logits(nullptr, &p, 1) == RWKV_MISUSE);
  CHECK(rwkv_state_set_keep_logits(nullptr, 0) == RWKV_MISUSE);
  CHECK(rwkv_state_take_logits(nullptr, &p, 1, &size) == RWKV_MISUSE);
  CHECK(rwkv_state_export(nullptr, &byte, 1, &size) == RWKV_MISUSE);
  CHECK(rwkv_state_export_as(nullptr, RWKV_BLOB_F16, &byte, 1, &size) == RWKV_MISUSE);
  CHECK(rwkv_state_import(nullptr, &byte, 1) == RWKV_MISUSE);
  rwkv_engine_close(nullptr); // both fine
  rwkv_state_close(nullptr);

  const Engine engine;
  const State open = engine.open();
  CHECK(rwkv_engine_info(engine, 1, nullptr) == RWKV_MISUSE);
  CHECK(rwkv_engine_put_path(engine, nullptr, 3) == RWKV_MISUSE);
  CHECK(rwkv_state_new(engine, nullptr) == RWKV_MISUSE && rwkv_state_fork(open, nullptr) == RWKV_MISUSE);
  CHECK(rwkv_state_put_tokens(open, nullptr, 1) == RWKV_MISUSE);
  CHECK(rwkv_state_put_vectors(open, nullptr, 1, 8) == RWKV_MISUSE);
  CHECK(rwkv_state_set_stops(open, nullptr, 1) == RWKV_MISUSE);
  CHECK(rwkv_state_take_tokens(open, nullptr, nullptr, 1, &size) == RWKV_MISUSE);
  CHECK(rwkv_state_take_tokens(open, nullptr, nullptr, 0, nullptr) == RWKV_MISUSE);
  CHECK(rwkv_state_read_pending(open, nullptr) == RWKV_MISUSE);
  CHECK(rwkv_state_read_decision(open, &p, nullptr) == RWKV_MISUSE);
  CHECK(rwkv_state_read_logits(open, nullptr, 256) == RWKV_MISUSE);
  CHECK(rwkv_state_take_logits(open, nullptr, 1, &size) == RWKV_MISUSE);
  CHECK(rwkv_state_export(open, nullptr, 1, &size) == RWKV_MISUSE);
  CHECK(rwkv_state_export(open, nullptr, 0, nullptr) == RWKV_MISUSE);
  CHECK(rwkv_state_export_as(open, 2, nullptr, 0, &size) == RWKV_MISUSE);
  CHECK(rwkv_state_export_as(open, RWKV_BLOB_F16, &byte, 1, &size) == RWKV_SPACE);
  CHECK(size == engine.info(RWKV_INFO_BLOB_HALF_BYTES));
  CHECK(rwkv_state_import(open, nullptr, 1) == RWKV_MISUSE);
  CHECK(rwkv_state_import(open, nullptr, 0) == RWKV_FOREIGN);
  CHECK(rwkv_state_put_tokens(open, nullptr, 0) == RWKV_OK); // nothing to put is fine
  CHECK(rwkv_state_put_vectors(open, nullptr, 0, 8) == RWKV_OK);
  CHECK(rwkv_state_take_tokens(open, nullptr, nullptr, 0, &size) == RWKV_OK && size == 0);
}

void engine_ranges() {
  rwkv_engine *out = nullptr;
  CHECK(rwkv_engine_new(4, 1, 1, &out) == RWKV_MISUSE);
  CHECK(rwkv_engine_new(RWKV_DEVICE_ECHO, 0, 1, &out) == RWKV_MISUSE);
  CHECK(rwkv_engine_new(RWKV_DEVICE_ECHO, 65537, 1, &out) == RWKV_MISUSE);
  CHECK(rwkv_engine_new(RWKV_DEVICE_ECHO, 1, 257, &out) == RWKV_MISUSE);
  CHECK(out == nullptr);
  const Engine many("", 65536, 0);
  CHECK(many.load_status == RWKV_OK && many.info(RWKV_INFO_STATES_MAX) == 65536);
}

void order() {
  rwkv_engine *engine = nullptr;
  uint64_t value = 0;
  rwkv_state *state = nullptr;
  CHECK(rwkv_engine_new(RWKV_DEVICE_CPU, 3, 1, &engine) == RWKV_OK);
  CHECK(rwkv_engine_run(engine) == RWKV_MISUSE && rwkv_state_new(engine, &state) == RWKV_MISUSE);
  for (uint32_t key = RWKV_INFO_VERSION; key <= RWKV_INFO_WEIGHT_BYTES; ++key) {
    CHECK(rwkv_engine_info(engine, key, &value) == RWKV_MISUSE);
  }
  for (const uint32_t key : {RWKV_INFO_BLOB_HALF_BYTES, RWKV_INFO_TARGET}) {
    CHECK(rwkv_engine_info(engine, key, &value) == RWKV_MISUSE);
  }
  CHECK(rwkv_engine_set_format(engine, 5) == RWKV_MISUSE && rwkv_engine_set_format(engine, RWKV_WEIGHTS_Q8) == RWKV_OK);
  CHECK(rwkv_engine_info(engine, RWKV_INFO_STATES_MAX, &value) == RWKV_OK && value == 3);
  CHECK(rwkv_engine_info(engine, 0, &value) == RWKV_MISUSE && rwkv_engine_info(engine, 99, &value) == RWKV_MISUSE);
  uint8_t hash[32];
  CHECK(rwkv_engine_model_hash(engine, hash, 32) == RWKV_MISUSE);
  CHECK(rwkv_engine_load(engine) == RWKV_MISUSE); // no path
  const std::string path("a\0b", 3), nowhere = "/nowhere";
  const auto bytes = [](const std::string &text) { return reinterpret_cast<const uint8_t *>(text.data()); };
  CHECK(rwkv_engine_put_path(engine, bytes(path), 3) == RWKV_MISUSE);
  CHECK(rwkv_engine_put_path(engine, bytes(nowhere), 0) == RWKV_MISUSE);
  CHECK(rwkv_engine_put_path(engine, bytes(nowhere), 5000) == RWKV_MISUSE);
  CHECK(rwkv_engine_put_path(engine, bytes(nowhere), nowhere.size()) == RWKV_OK);
  CHECK(rwkv_engine_load(engine) == RWKV_FILE);
  const TemporaryFile file(bytes_of(tiny_rwkv7())); // a failed load may be tried again
  CHECK(rwkv_engine_put_path(engine, bytes(file.path()), file.path().size()) == RWKV_OK);
  CHECK(rwkv_engine_load(engine) == RWKV_OK);
  CHECK(rwkv_engine_load(engine) == RWKV_MISUSE);
  CHECK(rwkv_engine_put_path(engine, bytes(nowhere), nowhere.size()) == RWKV_MISUSE);
  CHECK(rwkv_engine_model_hash(engine, hash, 31) == RWKV_SPACE);
  CHECK(rwkv_engine_model_hash(engine, hash, 32) == RWKV_OK);
  rwkv_engine_close(engine);
}

void devices() {
  rwkv_engine *cuda = nullptr;
  CHECK(rwkv_engine_new(RWKV_DEVICE_CUDA, 1, 1, &cuda) == RWKV_OK);
  CHECK(rwkv_engine_load(cuda) == RWKV_NO_DEVICE);
  uint8_t text[256];
  size_t length = 0;
  CHECK(rwkv_engine_sentence(cuda, text, 10, &length) == RWKV_SPACE && length > 10); // what fits is copied
  CHECK(std::string(reinterpret_cast<char *>(text), 10) == "Cannot ope");
  CHECK(rwkv_engine_sentence(cuda, nullptr, 0, &length) == RWKV_SPACE);
  CHECK(rwkv_engine_sentence(cuda, text, sizeof text, &length) == RWKV_OK);
  rwkv_engine_close(cuda);

  const auto forced = [](const char *name) {
    setenv("RWKV_DEVICE", name, 1);
    rwkv_engine *engine = nullptr;
    CHECK(rwkv_engine_new(RWKV_DEVICE_AUTO, 1, 1, &engine) == RWKV_OK);
    unsetenv("RWKV_DEVICE"); // read once, at new
    const int32_t status = rwkv_engine_load(engine);
    uint64_t device = 0;
    CHECK(rwkv_engine_info(engine, RWKV_INFO_DEVICE, &device) == RWKV_OK);
    rwkv_engine_close(engine);
    return std::pair{status, device};
  };
  CHECK(forced("echo") == (std::pair<int32_t, uint64_t>{RWKV_OK, RWKV_DEVICE_ECHO}));
  CHECK(forced("cpu") == (std::pair<int32_t, uint64_t>{RWKV_MISUSE, RWKV_DEVICE_CPU})); // no path
  CHECK(forced("cuda") == (std::pair<int32_t, uint64_t>{RWKV_NO_DEVICE, RWKV_DEVICE_CUDA}));
  CHECK(forced("cuda:1") == (std::pair<int32_t, uint64_t>{RWKV_NO_DEVICE, RWKV_DEVICE_CUDA}));
  for (const char *name : {"cuda:", "cuda:x", "cuda:1x", "cuda:-1", "cuda:99999999999"}) {
    CHECK(forced(name) == (std::pair<int32_t, uint64_t>{RWKV_NO_DEVICE, RWKV_DEVICE_AUTO}));
  }
  CHECK(forced("toaster").first == RWKV_NO_DEVICE);
  CHECK(forced("cpu:").first == RWKV_NO_DEVICE);
  CHECK(forced("cpu:toaster") == (std::pair<int32_t, uint64_t>{RWKV_NO_DEVICE, RWKV_DEVICE_CPU}));
}

// Every target that is here can be forced, and says which it is. The one that is not is refused with those that are.
void targets() {
  const TemporaryFile file(bytes_of(tiny_rwkv7()));
  const rwkv::CpuTables tables = rwkv::cpu_tables();
  std::vector<uint64_t> seen;
  for (size_t i = 0; i <= tables.count; ++i) {
    std::string name = "cpu:";
    name += i < tables.count ? tables.tables[i]->name : "abacus";
    setenv("RWKV_DEVICE", name.c_str(), 1);
    const Engine engine(file.path());
    unsetenv("RWKV_DEVICE");
    CHECK(engine.load_status == (i < tables.count ? RWKV_OK : RWKV_NO_DEVICE));
    if (i < tables.count) seen.push_back(engine.info(RWKV_INFO_TARGET));
    else CHECK(engine.sentence().starts_with("Cannot use CPU target \"abacus\": this machine has plain"));
  }
  CHECK(seen[0] == RWKV_TARGET_PLAIN);
  const Engine quickest(file.path()), echo;
  CHECK(quickest.info(RWKV_INFO_TARGET) == seen.back());
  CHECK(echo.info(RWKV_INFO_TARGET) == RWKV_TARGET_NONE);
  CHECK(rwkv_engine_set_format(quickest, RWKV_WEIGHTS_F16) == RWKV_MISUSE); // it is loaded
}

void state_ranges() {
  const Engine engine;
  const State state = engine.open();
  constexpr float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  CHECK(rwkv_state_put_decode(state, 1, 0) == RWKV_MISUSE); // nothing was fed
  CHECK(rwkv_state_put_decide(state, 0, 0.5f, 1, 0) == RWKV_MISUSE);
  CHECK(state.put({1, 256}) == RWKV_MISUSE);
  CHECK(engine.sentence() == "Cannot use token 256: the vocabulary has 256");
  CHECK(state.pending() == 0);
  for (const float bad : {nan, infinity, -infinity, 1e30f}) {
    std::vector<float> vectors(16);
    vectors[11] = bad;
    CHECK(rwkv_state_put_vectors(state, vectors.data(), 2, 8) == RWKV_MISUSE);
  }
  const float row[8] = {};
  CHECK(rwkv_state_put_vectors(state, row, 1, 7) == RWKV_MISUSE);
  CHECK(state.pending() == 0);
  CHECK(state.put({1}) == RWKV_OK);
  CHECK(rwkv_state_put_decode(state, 0, 0) == RWKV_MISUSE && rwkv_state_put_decode(state, 4097, 0) == RWKV_MISUSE);
  for (const float bad : {nan, -0.1f, 1.1f}) CHECK(rwkv_state_put_decide(state, 0, bad, 1, 0) == RWKV_MISUSE);
  CHECK(rwkv_state_put_decide(state, 256, 0.5f, 1, 0) == RWKV_MISUSE);
  CHECK(rwkv_state_set_sampler(state, -1, 1, 0, 0) == RWKV_MISUSE);
  CHECK(rwkv_state_set_sampler(state, nan, 1, 0, 0) == RWKV_MISUSE);
  CHECK(rwkv_state_set_sampler(state, 1, 0, 0, 0) == RWKV_MISUSE);
  CHECK(rwkv_state_set_sampler(state, 1, 1.5f, 0, 0) == RWKV_MISUSE);
  CHECK(rwkv_state_set_sampler(state, 1, 1, infinity, 0) == RWKV_MISUSE);
  CHECK(rwkv_state_set_sampler(state, 1, 1, 0, nan) == RWKV_MISUSE);
  CHECK(rwkv_state_set_keep_logits(state, 2) == RWKV_MISUSE);
  const std::vector<uint32_t> stops(65), far{256};
  CHECK(rwkv_state_set_stops(state, stops.data(), 65) == RWKV_MISUSE);
  CHECK(rwkv_state_set_stops(state, stops.data(), 64) == RWKV_OK);
  CHECK(rwkv_state_set_stops(state, far.data(), 1) == RWKV_MISUSE);
  std::vector<float> logits(255);
  CHECK(rwkv_state_read_logits(state, logits.data(), 255) == RWKV_SPACE);
  CHECK(state.pending() == 1);
}

void full_and_busy() {
  const Engine engine("", 3);
  State a = engine.open(), b = engine.open();
  {
    const State c = engine.open();
    rwkv_state *none = nullptr;
    CHECK(rwkv_state_new(engine, &none) == RWKV_FULL && rwkv_state_fork(a, &none) == RWKV_FULL && !none);
    CHECK(engine.sentence() == "Cannot open a state: all 3 slots are taken");
    CHECK(engine.info(RWKV_INFO_STATES_OPEN) == 3);
  }
  CHECK(engine.info(RWKV_INFO_STATES_OPEN) == 2);
  engine.feed(a, {1, 2, 3});
  const auto zero = b.blob();
  State c = a.fork(); // the slot is free again
  c = State();
  const State d = engine.open();
  CHECK(d.blob() == zero); // and clean again

  const auto blob = a.blob();
  CHECK(a.put({1}) == RWKV_OK); // work pending
  rwkv_state *none = nullptr;
  size_t length = 0;
  std::vector<uint8_t> out(blob.size());
  CHECK(rwkv_state_fork(a, &none) == RWKV_BUSY && !none);
  CHECK(rwkv_state_export(a, out.data(), out.size(), &length) == RWKV_BUSY);
  CHECK(a.import(blob) == RWKV_BUSY);
  CHECK(rwkv_state_export(a, out.data(), out.size() - 1, &length) == RWKV_SPACE && length == blob.size());

  const std::vector<uint32_t> many(65535);
  CHECK(a.put(many) == RWKV_OK); // 65,536 with the one before
  CHECK(a.put({1}) == RWKV_FULL && rwkv_state_put_decode(a, 1, 0) == RWKV_FULL);
  const float row[8] = {};
  CHECK(rwkv_state_put_vectors(a, row, 1, 8) == RWKV_FULL);
  CHECK(rwkv_state_put_tokens(a, many.data(), SIZE_MAX) == RWKV_FULL); // never read that far
  CHECK(rwkv_state_put_vectors(a, row, SIZE_MAX / 8, 8) == RWKV_FULL);
  CHECK(a.pending() == 65536);
  CHECK(rwkv_state_stop(a) == RWKV_OK && a.pending() == 0 && a.blob() == blob);

  engine.feed(b, {1}); // tokens that nobody takes are bounded too
  int queued = 0;
  while (rwkv_state_put_decode(b, 4096, 0) == RWKV_OK) {
    ++queued;
    engine.run_until_edge(b);
    CHECK(queued < 20);
    if (queued >= 20) break;
  }
  CHECK(queued == 16 && rwkv_state_put_decode(b, 1, 0) == RWKV_FULL);
  CHECK(b.take().size() == 8192 && rwkv_state_put_decode(b, 4096, 0) == RWKV_OK);
}

void closing_in_any_order() {
  for (int order = 0; order < 24; ++order) {
    rwkv_engine *engine = nullptr;
    CHECK(rwkv_engine_new(RWKV_DEVICE_ECHO, 4, 1 + order % 3, &engine) == RWKV_OK);
    CHECK(rwkv_engine_load(engine) == RWKV_OK);
    rwkv_state *states[3] = {};
    const uint32_t tokens[2] = {1, 2};
    CHECK(rwkv_state_new(engine, &states[0]) == RWKV_OK && rwkv_state_new(engine, &states[1]) == RWKV_OK);
    CHECK(rwkv_state_put_tokens(states[0], tokens, 2) == RWKV_OK && rwkv_engine_run(engine) == RWKV_OK);
    CHECK(rwkv_state_fork(states[0], &states[2]) == RWKV_OK);
    CHECK(rwkv_state_put_tokens(states[1], tokens, 2) == RWKV_OK); // closed with work pending
    int left[4] = {0, 1, 2, 3}, choice = order, count = 4;
    for (; count > 0; choice /= count--) { // the order-th permutation of engine and three states
      const int pick = choice % count, who = left[pick];
      for (int i = pick; i + 1 < count; ++i) left[i] = left[i + 1];
      if (who == 3) {
        rwkv_engine_close(engine);
      } else {
        uint64_t pending = 0; // still in order, even without its engine's handle
        CHECK(rwkv_state_read_pending(states[who], &pending) == RWKV_OK);
        rwkv_state_close(states[who]);
      }
    }
  }
}

} // namespace

int main() {
  unsetenv("RWKV_DEVICE");
  nulls_are_misuse();
  engine_ranges();
  order();
  devices();
  targets();
  state_ranges();
  full_and_busy();
  closing_in_any_order();
  return report("status");
}
