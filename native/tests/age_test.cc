// A position costs the same whatever came before it: memory is equal to the byte and time to the noise after 10, 10,000
// and a million positions. States without work cost nothing.
#include "rig.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <unistd.h>

namespace {

constexpr uint32_t vocab = 32;

double seconds(const std::function<void()> &work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

// 0 where the system does not tell.
size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  size_t all = 0, resident = 0;
  file >> all >> resident;
  return resident * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

void feed_many(const Engine &engine, const State &state, size_t positions) {
  const auto piece = some_tokens(std::min<size_t>(positions, 10'000), vocab);
  for (size_t done = 0; done < positions; done += piece.size()) engine.feed(state, piece);
}

void age_costs_nothing(const Engine &engine, size_t oldest) {
  const State young = engine.open(), old = engine.open();
  feed_many(engine, young, 10), feed_many(engine, old, 10'000);
  const size_t state_bytes = engine.info(RWKV_INFO_STATE_BYTES), blob_bytes = young.blob().size();
  const size_t resident = resident_bytes();
  feed_many(engine, old, oldest - 10'000);
  CHECK(engine.info(RWKV_INFO_STATE_BYTES) == state_bytes && old.blob().size() == blob_bytes);
  CHECK(old.half_blob().size() == young.half_blob().size());
  // An allocator may keep what the queue used once. A state that grew by one byte per position would be seen.
  CHECK(resident_bytes() <= resident + oldest / 4);
  std::vector<double> ratios; // in pairs, because other processes come and go
  const auto some = some_tokens(64, vocab);
  for (int pair = 0; pair < 41; ++pair) {
    const auto step = [&](const State &state) { return seconds([&] { engine.feed(state, some); }); };
    const double first = step(pair % 2 ? old : young), second = step(pair % 2 ? young : old);
    ratios.push_back(pair % 2 ? first / second : second / first);
  }
  std::printf("old to young, time of 64 positions: %.3f\n", median(ratios));
  CHECK(median(ratios) < 1.5);
}

void idle_states_cost_nothing(const std::string &path) {
  const Engine alone(path, 1), crowded(path, 65);
  std::vector<State> idle;
  for (int i = 0; i < 64; ++i) idle.push_back(crowded.open());
  for (const State &state : idle) crowded.feed(state, {1});
  const State one = alone.open(), other = crowded.open();
  const uint64_t runs = crowded.info(RWKV_INFO_RUNS), positions = crowded.info(RWKV_INFO_TOKENS);
  std::vector<double> ratios;
  const auto some = some_tokens(64, vocab);
  for (int pair = 0; pair < 41; ++pair) {
    const double lone = seconds([&] { alone.feed(one, some); });
    ratios.push_back(seconds([&] { crowded.feed(other, some); }) / lone);
  }
  CHECK(crowded.info(RWKV_INFO_RUNS) - runs == alone.info(RWKV_INFO_RUNS));
  CHECK(crowded.info(RWKV_INFO_TOKENS) - positions == alone.info(RWKV_INFO_TOKENS));
  CHECK(one.logits(vocab) == other.logits(vocab));
  std::printf("64 idle states beside one: %.3f\n", median(ratios));
  CHECK(median(ratios) < 1.5);
}

} // namespace

int main() {
  const TemporaryFile small(bytes_of(generate(rwkv7_spec(64, 1)))), file(bytes_of(tiny_rwkv7()));
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) // which take long and keep memory of their own
  idle_states_cost_nothing(file.path());
#else
  age_costs_nothing(Engine(small.path()), 1'000'000);
  age_costs_nothing(Engine(file.path()), 50'000);
  idle_states_cost_nothing(file.path());
#endif
  return report("age");
}
