// Allocation fails at the n-th call, for every n: load answers RWKV_MEMORY and the engine stays as it was;
// a put answers RWKV_FULL and queues nothing; run, take, fork and close never allocate.
#include "rig.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<long> calls_left = -1; // < 0: no limit
std::atomic<long> calls_made = 0;

void *allocate(size_t bytes, size_t alignment) {
  ++calls_made;
  if (calls_left >= 0 && calls_left-- == 0) {
    calls_left = 0; // and every one after it
    throw std::bad_alloc();
  }
  void *const out = std::aligned_alloc(alignment, (bytes + alignment) / alignment * alignment);
  if (!out) throw std::bad_alloc();
  return out;
}

} // namespace

void *operator new(size_t bytes) { return allocate(bytes, 16); }
void *operator new[](size_t bytes) { return allocate(bytes, 16); }
void *operator new(size_t bytes, std::align_val_t alignment) { return allocate(bytes, static_cast<size_t>(alignment)); }
void *operator new(size_t bytes, const std::nothrow_t &) noexcept {
  try {
    return allocate(bytes, 16);
  } catch (const std::bad_alloc &) {
    return nullptr;
  }
}
void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete[](void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, size_t) noexcept { std::free(memory); }
void operator delete[](void *memory, size_t) noexcept { std::free(memory); }
void operator delete(void *memory, std::align_val_t) noexcept { std::free(memory); }

namespace {

// The status of `verb` when allocation `n` and all after it fail. The limit is lifted again.
template <typename Verb>
int32_t starved(long n, const Verb &verb) {
  calls_left = n;
  const int32_t status = verb();
  calls_left = -1;
  return status;
}

void load_without_memory(const std::string &path) {
  const Engine whole(path, 4, 2);
  const State reference = whole.open();
  whole.feed(reference, {1, 2, 3});
  const auto wanted = reference.blob();
  long n = 0;
  for (;; ++n) {
    rwkv_engine *engine = nullptr;
    CHECK(rwkv_engine_new(RWKV_DEVICE_CPU, 4, 2, &engine) == RWKV_OK);
    CHECK(rwkv_engine_put_path(engine, reinterpret_cast<const uint8_t *>(path.data()), path.size()) == RWKV_OK);
    const int32_t status = starved(n, [&] { return rwkv_engine_load(engine); });
    if (status == RWKV_OK) {
      rwkv_engine_close(engine);
      break;
    }
    CHECK(status == RWKV_MEMORY);
    rwkv_state *state = nullptr;
    CHECK(rwkv_state_new(engine, &state) == RWKV_MISUSE);
    if (n % 50 == 0) { // with memory back, the same engine loads and is right
      CHECK(rwkv_engine_load(engine) == RWKV_OK);
      CHECK(rwkv_state_new(engine, &state) == RWKV_OK);
      const State open(state);
      CHECK(open.put({1, 2, 3}) == RWKV_OK && rwkv_engine_run(engine) == RWKV_OK);
      CHECK(open.blob() == wanted);
    }
    rwkv_engine_close(engine);
  }
  CHECK(n > 100);
  for (long i = 0; i < 3; ++i) {
    rwkv_engine *engine = nullptr;
    const int32_t status = starved(i, [&] { return rwkv_engine_new(RWKV_DEVICE_ECHO, 4, 1, &engine); });
    CHECK(status == RWKV_MEMORY || status == RWKV_OK);
    rwkv_engine_close(engine);
  }
}

// Fails until it succeeds; every failure is FULL and changes nothing.
template <typename Verb>
void full_until_it_fits(const State &state, const Verb &verb) {
  const uint64_t before = state.pending();
  for (long n = 0; n < 100; ++n) {
    if (starved(n, verb) == RWKV_OK) return;
    CHECK(starved(0, verb) == RWKV_FULL);
    CHECK(state.pending() == before);
  }
  CHECK(false);
}

void put_without_memory(const std::string &path) {
  const Engine engine(path);
  const State state = engine.open(), twin = engine.open();
  const std::vector<float> vectors(3 * 128, 0.5f);
  const std::vector<uint32_t> tokens{1, 2};
  CHECK(rwkv_state_set_keep_logits(state, 1) == RWKV_OK && rwkv_state_set_keep_vectors(state, 1) == RWKV_OK);
  full_until_it_fits(state, [&] { return state.put(tokens); });
  full_until_it_fits(state, [&] { return rwkv_state_put_vectors(state, vectors.data(), 3, 128); });
  full_until_it_fits(state, [&] {
    return rwkv_state_put_span(state, vectors.data(), 3, 128, RWKV_SCAN_SPIRAL, 1, 3);
  });
  full_until_it_fits(state, [&] { return rwkv_state_put_decode(state, 20, 3); });
  engine.run_until_edge(state);
  CHECK(twin.put({1, 2}) == RWKV_OK && rwkv_state_put_vectors(twin, vectors.data(), 3, 128) == RWKV_OK);
  CHECK(rwkv_state_put_span(twin, vectors.data(), 3, 128, RWKV_SCAN_SPIRAL, 1, 3) == RWKV_OK);
  CHECK(rwkv_state_put_decode(twin, 20, 3) == RWKV_OK);
  engine.run_until_edge(twin);
  CHECK(state.blob() == twin.blob());
}

void steps_never_allocate(const std::string &path) {
  const Engine engine(path, 8, 2);
  std::vector<State> states;
  const auto vectors = some_vectors(30, 128);
  for (int i = 0; i < 3; ++i) {
    states.push_back(engine.open());
    CHECK(rwkv_state_set_keep_logits(states[i], 1) == RWKV_OK);
    CHECK(rwkv_state_set_keep_vectors(states[i], 1) == RWKV_OK);
    CHECK(rwkv_state_put_span(states[i], vectors.data(), 30, 128, RWKV_SCAN_BIDIRECTION, 5, 6) == RWKV_OK);
    CHECK(states[i].put(some_tokens(40, 32)) == RWKV_OK);
    CHECK(rwkv_state_put_decide(states[i], 0, 0.1f, 12, 1) == RWKV_OK);
  }
  const long before = calls_made;
  for (int run = 0; run < 20; ++run) CHECK(rwkv_engine_run(engine) == RWKV_OK);
  rwkv_state *fork = nullptr, *fresh = nullptr;
  CHECK(rwkv_state_fork(states[0], &fork) == RWKV_OK && rwkv_state_new(engine, &fresh) == RWKV_OK);
  uint32_t tokens[64];
  float probabilities[64];
  size_t count = 0;
  CHECK(rwkv_state_take_tokens(states[0], tokens, probabilities, 64, &count) == RWKV_OK && count == 12);
  CHECK(rwkv_state_stop(fork) == RWKV_OK && rwkv_state_reset(fork) == RWKV_OK);
  rwkv_state_close(fork);
  rwkv_state_close(fresh);
  CHECK(calls_made == before);
}

} // namespace

int main() {
  const TemporaryFile file(bytes_of(tiny_rwkv7()));
  load_without_memory(file.path());
  put_without_memory(file.path());
  steps_never_allocate(file.path());
  return report("memory");
}
