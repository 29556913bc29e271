// The n-th allocation fails, for every n, over the whole life of an engine: a status says so (RWKV_MEMORY or
// RWKV_FULL), nothing is leaked, and the same handles go on when there is memory again. Of safetensors and of GGUF
// files. What steps may not allocate is memory_test's matter.
#include "gguf_maker.h"
#include "rig.h"

#include <atomic>
#include <new>
#if defined(__linux__)
#include <cerrno>
#include <sys/mman.h>
#include <sys/syscall.h>
#endif

namespace {

std::atomic<long> calls_left = -1; // < 0: no limit; 0: this one and all after it fail
std::atomic<long> blocks_alive = 0, maps_made = 0, mapped_bytes = 0;

bool fails() {
  if (calls_left < 0) return false;
  if (calls_left == 0) return true;
  --calls_left;
  return false;
}

void *allocate(size_t bytes, size_t alignment) noexcept {
  if (fails()) return nullptr;
  void *const out = std::aligned_alloc(alignment, (bytes + alignment) / alignment * alignment);
  if (out) ++blocks_alive;
  return out;
}
void *must(void *memory) {
  if (!memory) throw std::bad_alloc();
  return memory;
}
void release(void *memory) noexcept {
  if (memory) --blocks_alive;
  std::free(memory);
}

} // namespace

void *operator new(size_t bytes) { return must(allocate(bytes, 16)); }
void *operator new[](size_t bytes) { return must(allocate(bytes, 16)); }
void *operator new(size_t bytes, const std::nothrow_t &) noexcept { return allocate(bytes, 16); }
void *operator new[](size_t bytes, const std::nothrow_t &) noexcept { return allocate(bytes, 16); }
void *operator new(size_t bytes, std::align_val_t to) { return must(allocate(bytes, static_cast<size_t>(to))); }
void *operator new[](size_t bytes, std::align_val_t to) { return must(allocate(bytes, static_cast<size_t>(to))); }
void operator delete(void *memory) noexcept { release(memory); }
void operator delete[](void *memory) noexcept { release(memory); }
void operator delete(void *memory, size_t) noexcept { release(memory); }
void operator delete[](void *memory, size_t) noexcept { release(memory); }
void operator delete(void *memory, std::align_val_t) noexcept { release(memory); }
void operator delete[](void *memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void *memory, size_t, std::align_val_t) noexcept { release(memory); }
void operator delete[](void *memory, size_t, std::align_val_t) noexcept { release(memory); }

// Pages come from mmap where there is one; the library calls this one, as it is part of the program.
#if defined(__linux__) && defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define MAPS_ARE_COUNTED
extern "C" void *mmap(void *at, size_t bytes, int may, int flags, int file, off_t offset) noexcept {
  const bool ours = (flags & MAP_ANONYMOUS) && bytes >= size_t{2} << 20 && !(flags & (MAP_STACK | MAP_NORESERVE));
  if (ours && fails()) {
    errno = ENOMEM;
    return MAP_FAILED;
  }
  const long out = syscall(SYS_mmap, at, bytes, may, flags, file, offset);
  if (out != -1 && ours) ++maps_made, mapped_bytes += static_cast<long>(bytes);
  return reinterpret_cast<void *>(out);
}
extern "C" int munmap(void *at, size_t bytes) noexcept { // parts of a mapping, too
  mapped_bytes -= static_cast<long>(bytes);
  return static_cast<int>(syscall(SYS_munmap, at, bytes));
}
#endif

namespace {

struct Handles {
  rwkv_engine *engine = nullptr;
  rwkv_state *state = nullptr, *fork = nullptr;
  ~Handles() {
    rwkv_state_close(fork), rwkv_state_close(state);
    rwkv_engine_close(engine);
  }
};

using Verb = int32_t (*)(Handles &, const std::string &path);

int32_t make(Handles &all, const std::string &) { return rwkv_engine_new(RWKV_DEVICE_AUTO, 3, 2, &all.engine); }
int32_t put_path(Handles &all, const std::string &path) {
  return rwkv_engine_put_path(all.engine, reinterpret_cast<const uint8_t *>(path.data()), path.size());
}
int32_t set_format(Handles &all, const std::string &) { return rwkv_engine_set_format(all.engine, RWKV_WEIGHTS_Q8); }
int32_t load(Handles &all, const std::string &) { return rwkv_engine_load(all.engine); }
int32_t open(Handles &all, const std::string &) { return rwkv_state_new(all.engine, &all.state); }
int32_t keep(Handles &all, const std::string &) {
  const int32_t status = rwkv_state_set_keep_logits(all.state, 1);
  return status == RWKV_OK ? rwkv_state_set_keep_vectors(all.state, 1) : status;
}
int32_t settings(Handles &all, const std::string &) {
  const uint32_t stops[] = {31};
  const int32_t status = rwkv_state_set_stops(all.state, stops, 1);
  return status == RWKV_OK ? rwkv_state_set_sampler(all.state, 0.5f, 0.9f, 0.1f, 0.1f) : status;
}
int32_t put_tokens(Handles &all, const std::string &) {
  const uint32_t tokens[] = {1, 5, 9};
  return rwkv_state_put_tokens(all.state, tokens, 3);
}
constexpr size_t width = 64;
const std::vector<float> vectors(4 * width, 0.25f);
int32_t put_vectors(Handles &all, const std::string &) {
  return rwkv_state_put_vectors(all.state, vectors.data(), 4, width);
}
int32_t put_span(Handles &all, const std::string &) {
  return rwkv_state_put_span(all.state, vectors.data(), 4, width, RWKV_SCAN_SNAKE, 2, 2);
}
int32_t put_decode(Handles &all, const std::string &) { return rwkv_state_put_decode(all.state, 5, 1); }
int32_t put_decide(Handles &all, const std::string &) { return rwkv_state_put_decide(all.state, 0, 0.0f, 5, 1); }
int32_t run(Handles &all, const std::string &) {
  for (uint64_t pending = 1; pending > 0;) {
    if (const int32_t status = rwkv_engine_run(all.engine); status != RWKV_OK) return status;
    if (const int32_t status = rwkv_state_read_pending(all.state, &pending); status != RWKV_OK) return status;
  }
  return RWKV_OK;
}
int32_t fork(Handles &all, const std::string &) { return rwkv_state_fork(all.state, &all.fork); }
int32_t logits(Handles &all, const std::string &) {
  float out[32];
  return rwkv_state_read_logits(all.state, out, 32);
}
std::vector<uint8_t> blob; // room is made before memory is short
int32_t export_as(Handles &all, uint32_t kind) {
  size_t length = 0;
  return rwkv_state_export_as(all.state, kind, blob.data(), blob.size(), &length);
}
int32_t export_half(Handles &all, const std::string &) { return export_as(all, RWKV_BLOB_F16); }
int32_t export_whole(Handles &all, const std::string &) { return export_as(all, RWKV_BLOB_F32); }
int32_t import(Handles &all, const std::string &) {
  const size_t bytes = blob.size();
  return rwkv_state_import(all.fork, blob.data(), bytes);
}
int32_t reset(Handles &all, const std::string &) { return rwkv_state_reset(all.fork); }

struct Named {
  const char *name;
  Verb verb;
  int32_t short_of; // the status without memory
};
// In the order in which an engine lives.
constexpr Named life[] = {{"new", make, RWKV_MEMORY},           {"put_path", put_path, RWKV_MEMORY},
                          {"set_format", set_format, RWKV_OK},  {"load", load, RWKV_MEMORY},
                          {"state_new", open, RWKV_OK},         {"keep", keep, RWKV_OK},
                          {"settings", settings, RWKV_OK},      {"put_tokens", put_tokens, RWKV_FULL},
                          {"put_vectors", put_vectors, RWKV_FULL}, {"put_span", put_span, RWKV_FULL},
                          {"put_decode", put_decode, RWKV_FULL}, {"put_decide", put_decide, RWKV_FULL},
                          {"run", run, RWKV_OK},                {"fork", fork, RWKV_OK},
                          {"read_logits", logits, RWKV_FULL},   {"export f16", export_half, RWKV_FULL},
                          {"export", export_whole, RWKV_FULL},  {"import", import, RWKV_FULL},
                          {"reset", reset, RWKV_OK}};

// Goes through the life; every verb first fails at each of its allocations in turn. Answers the last state's bytes.
std::vector<uint8_t> starved_life(const std::string &path, bool starve) {
  Handles all;
  for (const Named &step : life) {
    long n = 0;
    int32_t status = RWKV_INTERNAL;
    for (; n < 5000; ++n) {
      calls_left = starve ? n : -1;
      status = step.verb(all, path);
      calls_left = -1;
      if (status == RWKV_OK) break;
      if (status != step.short_of) std::fprintf(stderr, "%s, allocation %ld: %d\n", step.name, n, status);
      CHECK(status == step.short_of);
      if (status != step.short_of) break;
    }
    CHECK(status == RWKV_OK);
    if (status != RWKV_OK) return {};
    CHECK(step.short_of != RWKV_OK || n == 0); // no allocation at all
    CHECK(!starve || step.short_of == RWKV_OK || n > 0);
    if (step.verb == load) {
      uint64_t bytes = 0;
      CHECK(!starve || n > 50);
      CHECK(rwkv_engine_info(all.engine, RWKV_INFO_BLOB_BYTES, &bytes) == RWKV_OK);
      blob.resize(bytes);
    }
  }
  return blob;
}

void lives_end_well(const std::string &bytes) {
  const TemporaryFile file(bytes);
  const auto wanted = starved_life(file.path(), false); // also makes what is made once
  CHECK(!wanted.empty());
  const long blocks = blocks_alive, mapped = mapped_bytes;
  {
    const auto found = starved_life(file.path(), true);
    CHECK(found == wanted); // failures left no trace in any state
  }
  CHECK(blocks_alive == blocks && mapped_bytes == mapped);
}

// Each allocation of load alone fails, and the engine is closed then, not loaded again.
void failed_loads_leak_nothing(const std::string &bytes) {
  const TemporaryFile file(bytes);
  const long blocks = blocks_alive, mapped = mapped_bytes;
  long n = 0;
  for (int32_t status = RWKV_MEMORY; status != RWKV_OK && n < 5000; ++n) {
    Handles all;
    CHECK(make(all, "") == RWKV_OK && put_path(all, file.path()) == RWKV_OK);
    calls_left = n;
    status = load(all, "");
    calls_left = -1;
    CHECK(status == RWKV_OK || status == RWKV_MEMORY);
  }
  CHECK(n > 50 && n < 5000);
  CHECK(blocks_alive == blocks && mapped_bytes == mapped);
#if defined(MAPS_ARE_COUNTED)
  CHECK(maps_made > 0); // the hook is called
#endif
}

} // namespace

int main() {
  const Tensors model = generate(rwkv7_spec(width, 1));
  const auto f16 = [](const std::string &name) {
    return name.ends_with("key.weight") ? gguf::Type::f16 : gguf::Type::f32;
  };
  for (const std::string &bytes : {bytes_of(model), gguf::bytes_of(gguf::file_of(model, 7, f16))}) {
    lives_end_well(bytes);
    failed_loads_leak_nothing(bytes);
  }
  return report("allocation");
}
