// Decoding through the boundary: decisions, silence, stop tokens, penalties, stop, what is fed and what is taken.
#include "rig.h"

#include <algorithm>

namespace {

constexpr uint32_t vocab = 256;

float p_speak_of(const State &state, uint32_t silence) {
  const auto logits = state.logits(vocab);
  double total = 0;
  for (const float logit : logits) total += std::exp(static_cast<double>(logit));
  return static_cast<float>(1 - std::exp(static_cast<double>(logits[silence])) / total);
}

void decide_law() {
  const Engine engine;
  const State state = engine.open(), twin = engine.open();
  int spoken = 0, silent = 0;
  CHECK(state.decision() == (std::pair{-1.0f, uint64_t{0}}));
  for (uint32_t tick = 0; tick < 60; ++tick) {
    engine.feed(state, {tick}), engine.feed(twin, {tick});
    const auto before = state.blob();
    const float p = p_speak_of(state, 0);
    CHECK(rwkv_state_put_decide(state, 0, 0.5f, 4, tick) == RWKV_OK);
    CHECK(state.pending() == 4);
    engine.run_until_edge(state);
    const auto tokens = state.take();
    CHECK_NEAR(state.decision().first, p, 1e-5);
    CHECK(state.decision().second == tick + 1);
    if (p < 0.5f) {
      ++silent;
      CHECK(tokens.empty());
      CHECK(state.blob() == before); // silence leaves no trace
    } else {
      ++spoken;
      CHECK(tokens.size() == 4);
      CHECK(std::find(tokens.begin(), tokens.end(), 0u) == tokens.end()); // barred for the whole decode
      engine.feed(twin, tokens); // what was taken is what was fed
    }
    CHECK(state.blob() == twin.blob());
  }
  CHECK(spoken > 5 && silent > 5);
}

void thresholds() {
  const Engine engine;
  const State state = engine.open();
  engine.feed(state, {1});
  for (uint64_t i = 0; i < 20; ++i) {
    CHECK(rwkv_state_put_decide(state, 0, 0.0f, 1, i) == RWKV_OK);
    engine.run_until_edge(state);
    CHECK(state.take().size() == 1); // 0 always speaks
    CHECK(rwkv_state_put_decide(state, 0, 1.0f, 1, i) == RWKV_OK);
    engine.run_until_edge(state);
    CHECK(state.take().empty()); // 1 is silent on any doubt
  }
  CHECK(state.decision().second == 40);
}

void stop_tokens() {
  const Engine engine;
  const State state = engine.open(), twin = engine.open();
  engine.feed(state, {9}), engine.feed(twin, {9});
  const auto whole = engine.decode(twin, 40, 5);
  const uint32_t stop = whole[17];
  const auto end = std::find(whole.begin(), whole.end(), stop) - whole.begin() + 1;
  CHECK(rwkv_state_set_stops(state, &stop, 1) == RWKV_OK);
  const auto cut = engine.decode(state, 40, 5);
  CHECK(cut == std::vector<uint32_t>(whole.begin(), whole.begin() + end)); // the ending token is taken …
  const State fed = engine.open();
  engine.feed(fed, {9}), engine.feed(fed, cut);
  CHECK(fed.blob() == state.blob()); // … and fed
  const State fork = state.fork(); // stops are copied
  const auto again = engine.decode(fork, 4000, 1);
  CHECK(again.back() == stop && std::count(again.begin(), again.end(), stop) == 1);
}

void seeds_and_settings() {
  const Engine engine;
  const auto decoded = [&](uint64_t seed, float temperature, float count_penalty) {
    const State state = engine.open();
    engine.feed(state, {1, 2});
    CHECK(rwkv_state_set_sampler(state, temperature, 1, 0, count_penalty) == RWKV_OK);
    return engine.decode(state, 25, seed);
  };
  CHECK(decoded(1, 1, 0) == decoded(1, 1, 0));
  CHECK(decoded(1, 1, 0) != decoded(2, 1, 0));
  CHECK(decoded(1, 0, 0) == decoded(2, 0, 0));
  auto distinct = decoded(1, 0, 100); // a penalty this high forbids a second time
  std::sort(distinct.begin(), distinct.end());
  CHECK(std::adjacent_find(distinct.begin(), distinct.end()) == distinct.end());
  // A decode keeps the settings it was queued with.
  const State state = engine.open();
  CHECK(state.put({1, 2}) == RWKV_OK);
  CHECK(rwkv_state_set_sampler(state, 0, 1, 0, 0) == RWKV_OK);
  CHECK(rwkv_state_put_decode(state, 25, 4) == RWKV_OK);
  CHECK(rwkv_state_set_sampler(state, 50, 1, 0, 0) == RWKV_OK);
  engine.run_until_edge(state);
  CHECK(state.take() == decoded(7, 0, 0));
}

// A state without company has a whole wave of 128; many share it, down to 16 each; forks have 16 together.
void one_run_is_bounded() {
  const Engine engine("", 40);
  const State state = engine.open();
  CHECK(state.put(some_tokens(300, vocab)) == RWKV_OK);
  CHECK(rwkv_state_put_decode(state, 3, 0) == RWKV_OK);
  CHECK(state.pending() == 303);
  CHECK(rwkv_engine_run(engine) == RWKV_OK);
  CHECK(state.pending() == 175);
  engine.run_until_edge(state);
  CHECK(engine.info(RWKV_INFO_RUNS) == 6); // 128, 128, 44 and 3 tokens
  CHECK(engine.info(RWKV_INFO_TOKENS) == 303);
  CHECK(rwkv_engine_run(engine) == RWKV_OK); // nothing to do is fine and not a step
  CHECK(engine.info(RWKV_INFO_RUNS) == 6);

  std::vector<State> forks, others;
  for (int i = 0; i < 2; ++i) forks.push_back(state.fork());
  for (const State &fork : forks) CHECK(fork.put(some_tokens(40, vocab)) == RWKV_OK);
  CHECK(rwkv_engine_run(engine) == RWKV_OK);
  CHECK(forks[0].pending() + forks[1].pending() == 64);
  CHECK(state.put(some_tokens(300, vocab)) == RWKV_OK);
  for (const size_t count : {2, 30}) { // states with work, idle ones beside them
    while (others.size() + 1 < count) others.push_back(engine.open());
    for (const State &other : others) {
      CHECK(rwkv_state_reset(other) == RWKV_OK && other.put(some_tokens(100, vocab)) == RWKV_OK);
    }
    const uint64_t before = state.pending();
    CHECK(rwkv_engine_run(engine) == RWKV_OK);
    CHECK(before - state.pending() == (count == 2 ? 64 : 16));
    for (const State &other : others) CHECK(other.pending() == 100 - (before - state.pending()));
  }
}

void stop_drops_what_is_queued() {
  const Engine engine;
  const State state = engine.open(), twin = engine.open();
  engine.feed(state, {1}), engine.feed(twin, {1});
  CHECK(rwkv_state_put_decode(state, 100, 1) == RWKV_OK);
  CHECK(state.put({4, 5}) == RWKV_OK);
  for (int i = 0; i < 6; ++i) CHECK(rwkv_engine_run(engine) == RWKV_OK);
  CHECK(rwkv_state_stop(state) == RWKV_OK);
  CHECK(state.pending() == 0);
  CHECK(rwkv_engine_run(engine) == RWKV_OK);
  const auto tokens = state.take();
  CHECK(tokens.size() == 6);
  engine.feed(twin, tokens);
  CHECK(state.blob() == twin.blob());
  CHECK(engine.decode(state, 5, 2).size() == 5); // and life goes on
}

// Many forks share 16 positions per run in turn; narration is not slowed.
void forks_take_turns() {
  const Engine engine("", 64);
  const State narration = engine.open();
  engine.feed(narration, {1});
  std::vector<State> forks;
  for (int i = 0; i < 20; ++i) {
    forks.push_back(narration.fork());
    CHECK(forks.back().put(some_tokens(24, vocab)) == RWKV_OK);
  }
  CHECK(narration.put(some_tokens(64, vocab)) == RWKV_OK);
  for (int run = 0; run < 4; ++run) CHECK(rwkv_engine_run(engine) == RWKV_OK);
  CHECK(narration.pending() == 0); // 16 per run, as if alone
  uint64_t stepped = 0;
  for (const State &fork : forks) stepped += 24 - fork.pending();
  CHECK(stepped == 4 * 16);
  for (int run = 0; run < 16; ++run) CHECK(rwkv_engine_run(engine) == RWKV_OK);
  for (const State &fork : forks) CHECK(fork.pending() == 8); // each had its turn before any had two
  for (const State &fork : forks) engine.run_until_edge(fork);
  for (const State &fork : forks) CHECK(rwkv_state_put_decode(fork, 8, 0) == RWKV_OK);
  for (int run = 0; run < 5; ++run) CHECK(rwkv_engine_run(engine) == RWKV_OK);
  for (const State &fork : forks) CHECK(fork.pending() == 4); // 5 × 16 tokens over 20 forks
}

void kept_logits() {
  const Engine engine;
  const State state = engine.open();
  CHECK(state.put({1}) == RWKV_OK); // not kept
  CHECK(rwkv_state_set_keep_logits(state, 1) == RWKV_OK);
  CHECK(state.put({2, 3}) == RWKV_OK);
  CHECK(rwkv_state_put_decode(state, 2, 0) == RWKV_OK);
  CHECK(rwkv_state_set_keep_logits(state, 0) == RWKV_OK);
  CHECK(state.put({4}) == RWKV_OK); // not kept
  engine.run_until_edge(state);
  const auto tokens = state.take();
  const auto rows = state.kept(vocab);
  CHECK(rows.size() == 4 * vocab);
  const State twin = engine.open();
  engine.feed(twin, {1});
  size_t row = 0;
  for (const uint32_t token : {2u, 3u, tokens[0], tokens[1]}) {
    engine.feed(twin, {token});
    const auto wanted = twin.logits(vocab);
    CHECK(std::equal(wanted.begin(), wanted.end(), rows.begin() + static_cast<ptrdiff_t>(row++ * vocab)));
  }
  CHECK(state.kept(vocab).empty());
  CHECK(rwkv_state_set_keep_logits(state, 1) == RWKV_OK); // the ring keeps the newest 4,096
  engine.feed(state, some_tokens(5000, vocab));
  const auto ring = state.kept(vocab);
  CHECK(ring.size() == 4096 * vocab);
  const auto newest = state.logits(vocab);
  CHECK(std::equal(newest.begin(), newest.end(), ring.end() - vocab));
}

} // namespace

int main() {
  decide_law();
  thresholds();
  stop_tokens();
  seeds_and_settings();
  one_run_is_bounded();
  stop_drops_what_is_queued();
  forks_take_turns();
  kept_logits();
  return report("decode");
}
