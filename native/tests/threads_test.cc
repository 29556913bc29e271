// run on one thread while another puts, takes, reads, stops, forks, exports and closes. Meant for the thread
// sanitizer too (build.sh tsan --test).
#include "rig.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

namespace {

// Runs in a loop on a thread of its own for as long as it lives.
class Runner {
 public:
  explicit Runner(const Engine &engine)
      : thread_([this, &engine] {
          while (!over_) {
            CHECK(rwkv_engine_run(engine) == RWKV_OK);
            ++runs_;
          }
        }) {}
  ~Runner() {
    over_ = true;
    thread_.join();
  }
  // Returns when a run that began after this call has ended.
  void wait_for_a_whole_run() const {
    for (const int start = runs_; runs_ < start + 2;) std::this_thread::yield();
  }

 private:
  std::atomic<bool> over_ = false;
  std::atomic<int> runs_ = 0;
  std::thread thread_;
};

void put_and_take_while_running(const std::string &path, uint32_t vocab, uint32_t threads) {
  const Engine engine(path, 16, threads);
  const size_t width = engine.info(RWKV_INFO_WIDTH);
  const auto picture = some_vectors(40, width);
  std::optional<Runner> runner(engine);
  // What came out one decode at a time, under traffic, is what comes out in peace.
  std::vector<std::vector<uint32_t>> busy;
  std::vector<uint8_t> busy_blob;
  {
    const State state = engine.open(), noise = engine.open();
    for (uint64_t tick = 0; tick < 15; ++tick) {
      CHECK(noise.put(some_tokens(30, vocab)) == RWKV_OK);
      CHECK(rwkv_state_put_span(noise, picture.data(), 40, width, RWKV_SCAN_BIDIRECTION, 5, 8) == RWKV_OK);
      CHECK(rwkv_state_put_decode(noise, 50, tick) == RWKV_OK);
      CHECK(state.put(some_tokens(20, vocab, static_cast<uint32_t>(tick))) == RWKV_OK);
      CHECK(rwkv_state_put_span(state, picture.data(), 40, width, RWKV_SCAN_MULTIDIRECTION, 5, 8) == RWKV_OK);
      CHECK(rwkv_state_put_decode(state, 8, tick) == RWKV_OK);
      busy.emplace_back();
      while (true) {
        const bool edge = state.pending() == 0; // read before the last take
        const auto tokens = state.take();
        busy.back().insert(busy.back().end(), tokens.begin(), tokens.end());
        noise.take();
        if (edge) break;
        std::vector<float> logits(vocab);
        if (tick > 0) CHECK(rwkv_state_read_logits(state, logits.data(), vocab) == RWKV_OK);
        state.decision();
      }
      const State question = state.fork();
      CHECK(rwkv_state_put_span(question, picture.data(), 40, width, RWKV_SCAN_ZIGZAG, 5, 8) == RWKV_OK);
      CHECK(rwkv_state_put_decode(question, 100, 1) == RWKV_OK);
      if (tick % 2) CHECK(rwkv_state_stop(question) == RWKV_OK);
      if (tick % 3 == 0) CHECK(rwkv_state_reset(question) == RWKV_OK);
      CHECK(rwkv_state_stop(noise) == RWKV_OK);
    } // the fork closes, with or without work
    busy_blob = state.blob();
  }
  runner.reset();
  CHECK(engine.info(RWKV_INFO_RUNS) > 0);
  CHECK(engine.info(RWKV_INFO_STATES_OPEN) == 0);

  const State calm = engine.open();
  for (uint64_t tick = 0; tick < 15; ++tick) {
    engine.feed(calm, some_tokens(20, vocab, static_cast<uint32_t>(tick)));
    CHECK(rwkv_state_put_span(calm, picture.data(), 40, width, RWKV_SCAN_MULTIDIRECTION, 5, 8) == RWKV_OK);
    engine.run_until_edge(calm);
    CHECK(engine.decode(calm, 8, tick) == busy[tick]);
  }
  CHECK(calm.blob() == busy_blob);
}

void second_run_is_busy(const std::string &path) {
  const Engine engine(path, 64, 2);
  std::vector<State> states;
  for (uint32_t i = 0; i < 64; ++i) states.push_back(engine.open());
  std::atomic<int> busy = 0;
  for (int attempt = 0; attempt < 50 && busy == 0; ++attempt) {
    for (const State &state : states) CHECK(state.put(some_tokens(64, 32)) == RWKV_OK);
    const auto run_all = [&] {
      for (int i = 0; i < 4; ++i) {
        const int32_t status = rwkv_engine_run(engine);
        CHECK(status == RWKV_OK || status == RWKV_BUSY);
        busy += status == RWKV_BUSY;
      }
    };
    std::thread other(run_all);
    run_all();
    other.join();
    for (const State &state : states) engine.run_until_edge(state);
  }
  CHECK(busy > 0);
  const auto first = states[0].blob();
  for (const State &state : states) CHECK(state.blob() == first);
}

// A stop in the middle of a decode step: that one token may still come, no other; the next decode is whole.
void stop_in_the_middle(const std::string &path) {
  const Engine engine(path);
  const State state = engine.open(), twin = engine.open();
  engine.feed(state, {1}), engine.feed(twin, {1});
  std::vector<uint32_t> all;
  {
    const Runner runner(engine);
    for (uint64_t round = 0; round < 300; ++round) {
      CHECK(rwkv_state_put_decode(state, 2000, round) == RWKV_OK);
      while (state.pending() > 1999 - round % 5) std::this_thread::yield();
      CHECK(rwkv_state_stop(state) == RWKV_OK);
      CHECK(state.pending() <= 1);
      while (state.pending() > 0) std::this_thread::yield();
      const auto tokens = state.take();
      CHECK(tokens.size() < 2000);
      all.insert(all.end(), tokens.begin(), tokens.end());
      CHECK(rwkv_state_put_decode(state, 3, round) == RWKV_OK);
      while (state.pending() > 0) std::this_thread::yield();
      const auto next = state.take();
      CHECK(next.size() == 3);
      all.insert(all.end(), next.begin(), next.end());
    }
  }
  for (size_t at = 0; at < all.size(); at += 10000) {
    engine.feed(twin, {all.begin() + at, all.begin() + std::min(all.size(), at + 10000)});
  }
  CHECK(state.blob() == twin.blob()); // every token fed was taken, and the other way round
}

// A reset waits for the step and then leaves nothing of it.
void reset_in_the_middle(const std::string &path) {
  const Engine engine(path);
  const State state = engine.open(), fresh = engine.open();
  const auto zero = fresh.blob();
  const Runner runner(engine);
  for (int round = 0; round < 200; ++round) {
    CHECK(state.put(some_tokens(64, 32)) == RWKV_OK);
    while (state.pending() > 48) std::this_thread::yield();
    CHECK(rwkv_state_reset(state) == RWKV_OK);
    CHECK(state.pending() == 0);
    CHECK(state.blob() == zero);
    if (round % 10 == 0) {
      runner.wait_for_a_whole_run();
      CHECK(state.blob() == zero);
    }
  }
}

// The handle goes while a step is under way: the close waits.
void close_while_running(const std::string &path) {
  for (int i = 0; i < 20; ++i) {
    rwkv_engine *engine = nullptr;
    CHECK(rwkv_engine_new(RWKV_DEVICE_CPU, 8, 2, &engine) == RWKV_OK);
    CHECK(rwkv_engine_put_path(engine, reinterpret_cast<const uint8_t *>(path.data()), path.size()) == RWKV_OK);
    CHECK(rwkv_engine_load(engine) == RWKV_OK);
    rwkv_state *state = nullptr;
    CHECK(rwkv_state_new(engine, &state) == RWKV_OK);
    const auto tokens = some_tokens(16, 32);
    CHECK(rwkv_state_put_tokens(state, tokens.data(), tokens.size()) == RWKV_OK);
    std::thread runner([&] { CHECK(rwkv_engine_run(engine) == RWKV_OK); });
    if (i % 2) std::this_thread::yield();
    rwkv_state_close(state); // before, in or after the step
    runner.join();
    rwkv_engine_close(engine);
  }
}

} // namespace

int main() {
  const TemporaryFile file(bytes_of(tiny_rwkv7()));
  for (const uint32_t threads : {1u, 3u}) {
    put_and_take_while_running(file.path(), 32, threads);
    put_and_take_while_running("", 256, threads);
  }
  stop_in_the_middle(file.path());
  reset_in_the_middle(file.path());
  second_run_is_busy(file.path());
  close_while_running(file.path());
  return report("threads");
}
