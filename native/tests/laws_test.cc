// Laws that hold bit for bit, with every target that this machine can run: sequence = one by one, batch of n = n batches
// of one, threads do not matter, a fork leaves its parent alone, a blob continues where it was taken.
#include "../src/ops/ops.h"
#include "rig.h"

#include <algorithm>

namespace {

struct Setting {
  std::string path; // empty: echo
  uint32_t vocab, width;
};

State sampled(const Engine &engine) {
  State state = engine.open();
  CHECK(rwkv_state_set_sampler(state, 0.9f, 0.8f, 0.2f, 0.1f) == RWKV_OK);
  return state;
}

void sequence_is_one_by_one(const Setting &setting) {
  const Engine engine(setting.path);
  const auto tokens = some_tokens(277, setting.vocab); // two waves and a rest
  const State whole = engine.open(), single = engine.open();
  CHECK(rwkv_state_set_keep_logits(whole, 1) == RWKV_OK);
  CHECK(rwkv_state_set_keep_logits(single, 1) == RWKV_OK);
  engine.feed(whole, tokens);
  for (const uint32_t token : tokens) engine.feed(single, {token});
  CHECK(whole.blob() == single.blob());
  const auto rows = whole.kept(setting.vocab);
  CHECK(rows.size() == tokens.size() * setting.vocab);
  CHECK(rows == single.kept(setting.vocab));
  CHECK(whole.logits(setting.vocab) == std::vector<float>(rows.end() - setting.vocab, rows.end()));
}

// Vectors and tokens mixed in one inbox keep their order and their chunks do not matter.
void vectors_keep_their_place(const Setting &setting) {
  const Engine engine(setting.path);
  const State whole = engine.open(), single = engine.open();
  std::vector<float> vectors(7 * setting.width);
  for (size_t i = 0; i < vectors.size(); ++i) vectors[i] = static_cast<float>(i % 17) / 9 - 1;
  const auto put = [&](const State &state, size_t first, size_t count) {
    return rwkv_state_put_vectors(state, vectors.data() + first * setting.width, count, setting.width);
  };
  CHECK(whole.put({1, 2, 3}) == RWKV_OK && put(whole, 0, 7) == RWKV_OK && whole.put({4}) == RWKV_OK);
  CHECK(whole.pending() == 11);
  engine.run_until_edge(whole);
  engine.feed(single, {1, 2}), engine.feed(single, {3});
  for (size_t i = 0; i < 7; ++i) {
    CHECK(put(single, i, 1) == RWKV_OK);
    engine.run_until_edge(single);
  }
  CHECK(single.blob() != whole.blob());
  engine.feed(single, {4});
  CHECK(single.blob() == whole.blob());
}

struct Outcome {
  std::vector<uint8_t> blob;
  std::vector<uint32_t> tokens;
  bool operator==(const Outcome &) const = default;
};

std::vector<Outcome> outcomes(const Setting &setting, uint32_t threads, bool together) {
  constexpr uint32_t count = 23;
  const Engine engine(setting.path, count, threads);
  std::vector<State> states;
  for (uint32_t i = 0; i < count; ++i) {
    states.push_back(sampled(engine));
    CHECK(states[i].put(some_tokens(1 + i * 3, setting.vocab, i)) == RWKV_OK);
    CHECK(rwkv_state_put_decode(states[i], 9 + i % 4, i) == RWKV_OK);
    CHECK(states[i].put({i}) == RWKV_OK);
    if (!together) engine.run_until_edge(states[i]);
  }
  std::vector<Outcome> out;
  for (const State &state : states) {
    engine.run_until_edge(state);
    out.push_back({state.blob(), state.take()});
    CHECK(!out.back().tokens.empty());
  }
  return out;
}

void batch_and_threads_do_not_matter(const Setting &setting) {
  const auto alone = outcomes(setting, 1, false);
  CHECK(outcomes(setting, 1, true) == alone);
  CHECK(outcomes(setting, 2, true) == alone);
  CHECK(outcomes(setting, 5, true) == alone);
}

void fork_law(const Setting &setting) {
  const Engine engine(setting.path);
  const State plain = sampled(engine), forked = sampled(engine);
  const auto tokens = some_tokens(20, setting.vocab);
  engine.feed(plain, tokens), engine.feed(forked, tokens);
  const auto before = forked.blob();
  {
    const State question = forked.fork();
    CHECK(question.logits(setting.vocab) == forked.logits(setting.vocab));
    CHECK(question.blob() == before);
    CHECK(question.decision() == (std::pair{-1.0f, uint64_t{0}}));
    const State deeper = question.fork();
    CHECK(question.put({3, 1, 2}) == RWKV_OK);
    CHECK(rwkv_state_put_decode(question, 30, 5) == RWKV_OK);
    // The parent goes on while its fork answers.
    CHECK(engine.decode(forked, 12, 77) == engine.decode(plain, 12, 77));
    engine.run_until_edge(question);
    CHECK(question.take().size() == 30);
    CHECK(deeper.blob() == before);
    CHECK(engine.decode(deeper, 6, 1).size() == 6);
  }
  CHECK(forked.blob() == plain.blob());
  CHECK(engine.decode(forked, 12, 78) == engine.decode(plain, 12, 78));
  CHECK(forked.blob() == plain.blob());
}

void reset_law(const Setting &setting) {
  const Engine engine(setting.path);
  const State fresh = engine.open(), used = engine.open();
  engine.feed(used, {1, 2, 3});
  CHECK(used.put({1, 2, 3}) == RWKV_OK);
  CHECK(rwkv_state_reset(used) == RWKV_OK);
  CHECK(used.pending() == 0);
  CHECK(used.blob() == fresh.blob());
  CHECK(rwkv_state_read_logits(used, nullptr, 0) == RWKV_SPACE);
  std::vector<float> logits(setting.vocab);
  CHECK(rwkv_state_read_logits(used, logits.data(), logits.size()) == RWKV_MISUSE);
  engine.feed(used, {4}), engine.feed(fresh, {4});
  CHECK(used.blob() == fresh.blob());
}

void blob_law(const Setting &setting) {
  const Engine engine(setting.path), other(setting.path);
  const State origin = sampled(engine), copy = sampled(other);
  engine.feed(origin, some_tokens(20, setting.vocab));
  const auto blob = origin.blob();
  CHECK(blob.size() == engine.info(RWKV_INFO_BLOB_BYTES));
  other.feed(copy, {1}); // what was there before does not matter
  CHECK(copy.import(blob) == RWKV_OK);
  CHECK(copy.blob() == blob);
  CHECK(copy.logits(setting.vocab) == origin.logits(setting.vocab));
  CHECK(engine.decode(origin, 15, 3) == other.decode(copy, 15, 3));
  CHECK(copy.blob() == origin.blob());
}

// One bit of every byte: the header whole, the payload whole or with a prime stride, the checksum whole.
void damage_is_refused(const Setting &setting) {
  const Engine engine(setting.path);
  const State state = engine.open();
  engine.feed(state, some_tokens(20, setting.vocab));
  const auto good = state.blob();
  engine.feed(state, {1});
  const auto before = state.blob();
  const size_t stride = good.size() > 4096 ? 97 : 1;
  for (size_t at = 0; at < good.size(); at += at < 128 || at + 128 > good.size() ? 1 : stride) {
    auto bad = good;
    bad[at] ^= static_cast<uint8_t>(1 << at % 8);
    CHECK(state.import(bad) == RWKV_FOREIGN);
  }
  for (size_t bytes = 0; bytes < good.size(); bytes += 1 + good.size() / 50) {
    CHECK(state.import({good.begin(), good.begin() + static_cast<ptrdiff_t>(bytes)}) == RWKV_FOREIGN);
  }
  auto longer = good;
  longer.push_back(0);
  CHECK(state.import(longer) == RWKV_FOREIGN);
  CHECK(state.blob() == before);
  CHECK(state.import(good) == RWKV_OK);
}

void blobs_of_another_model_are_refused(const std::string &path) {
  Tensors weights = tiny_rwkv7();
  weights["head.weight"].values[0] += 1;
  const TemporaryFile changed(bytes_of(weights));
  const Engine engine(path), other(changed.path()), echo;
  const State state = engine.open(), foreign = other.open(), toy = echo.open();
  engine.feed(state, {1});
  const auto before = foreign.blob();
  CHECK(foreign.import(state.blob()) == RWKV_FOREIGN);
  CHECK(other.sentence() == "Cannot import the state: it belongs to another model");
  CHECK(toy.import(state.blob()) == RWKV_FOREIGN);
  CHECK(foreign.blob() == before);
}

void all_laws(const Setting &setting) {
  sequence_is_one_by_one(setting);
  vectors_keep_their_place(setting);
  batch_and_threads_do_not_matter(setting);
  fork_law(setting);
  reset_law(setting);
  blob_law(setting);
  damage_is_refused(setting);
}

} // namespace

// laws_test [TARGET]: of that target alone.
int main(int argument_count, char **arguments) {
  const std::string only = argument_count > 1 ? arguments[1] : "";
  const TemporaryFile file(bytes_of(tiny_rwkv7())), six(bytes_of(tiny_rwkv6())),
      five(bytes_of(tiny_rwkv5())), wide(bytes_of(generate(rwkv6_spec(256)))); // its products are shared by the threads
  const rwkv::CpuTables tables = rwkv::cpu_tables();
  CHECK(only.empty() || rwkv::cpu_ops(only.c_str()));
  for (size_t i = 0; i < tables.count; ++i) {
    if (sanitized && i + 1 < tables.count) continue; // the last is what this machine would choose
    if (!only.empty() && only != tables.tables[i]->name) continue;
    std::string device = "cpu:";
    device += tables.tables[i]->name;
    CHECK(setenv("RWKV_DEVICE", device.c_str(), 1) == 0);
    for (const Setting &setting :
         {Setting{file.path(), 32, 128}, Setting{six.path(), 32, 128}, Setting{five.path(), 32, 128}}) {
      all_laws(setting);
    }
    batch_and_threads_do_not_matter({wide.path(), 32, 256});
  }
  CHECK(unsetenv("RWKV_DEVICE") == 0);
  all_laws({"", 256, 8});
  blobs_of_another_model_are_refused(file.path());
  return report("laws");
}
