// The C verbs as values for tests: owning handles, vectors instead of pointers. Statuses that a test does not
// look at must be RWKV_OK.
#pragma once

#include "check.h"
#include "rwkv.h"
#include "tiny_model.h"

#include <string>
#include <utility>
#include <vector>

class State {
 public:
  explicit State(rwkv_state *handle = nullptr) : handle_(handle) {}
  State(State &&other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  State &operator=(State &&other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~State() { rwkv_state_close(handle_); }
  operator rwkv_state *() const { return handle_; }

  int32_t put(const std::vector<uint32_t> &tokens) const {
    return rwkv_state_put_tokens(handle_, tokens.data(), tokens.size());
  }
  uint64_t pending() const {
    uint64_t positions = 0;
    CHECK(rwkv_state_read_pending(handle_, &positions) == RWKV_OK);
    return positions;
  }
  std::vector<uint32_t> take(std::vector<float> *probabilities = nullptr) const {
    std::vector<uint32_t> tokens(8192);
    std::vector<float> p(8192);
    size_t count = 0;
    CHECK(rwkv_state_take_tokens(handle_, tokens.data(), p.data(), tokens.size(), &count) == RWKV_OK);
    tokens.resize(count), p.resize(count);
    if (probabilities) *probabilities = p;
    return tokens;
  }
  std::vector<float> logits(size_t vocab) const {
    std::vector<float> out(vocab);
    CHECK(rwkv_state_read_logits(handle_, out.data(), vocab) == RWKV_OK);
    return out;
  }
  std::vector<float> kept(size_t vocab) const { // all rows, one behind the other
    size_t rows = 0;
    CHECK(rwkv_state_take_logits(handle_, nullptr, 0, &rows) == RWKV_OK);
    std::vector<float> out(rows * vocab);
    if (rows > 0) CHECK(rwkv_state_take_logits(handle_, out.data(), out.size(), &rows) == RWKV_OK);
    return out;
  }
  std::vector<float> kept_vectors(size_t width) const {
    size_t rows = 0;
    CHECK(rwkv_state_take_vectors(handle_, nullptr, 0, &rows) == RWKV_OK);
    std::vector<float> out(rows * width);
    if (rows > 0) CHECK(rwkv_state_take_vectors(handle_, out.data(), out.size(), &rows) == RWKV_OK);
    return out;
  }
  // The floats of the state without what names the model: [per layer: att_prev | S | ffn_prev], the newest vector.
  std::vector<float> memory() const {
    constexpr size_t header_bytes = 96, checksum_bytes = 8;
    const auto bytes = blob();
    std::vector<float> out((bytes.size() - header_bytes - checksum_bytes) / 4);
    std::memcpy(out.data(), bytes.data() + header_bytes, out.size() * 4);
    return out;
  }
  State fork() const {
    rwkv_state *out = nullptr;
    CHECK(rwkv_state_fork(handle_, &out) == RWKV_OK);
    return State(out);
  }
  std::vector<uint8_t> blob() const {
    size_t length = 0;
    CHECK(rwkv_state_export(handle_, nullptr, 0, &length) == RWKV_OK);
    std::vector<uint8_t> out(length);
    CHECK(rwkv_state_export(handle_, out.data(), out.size(), &length) == RWKV_OK);
    return out;
  }
  std::vector<uint8_t> half_blob() const {
    size_t length = 0;
    CHECK(rwkv_state_export_as(handle_, RWKV_BLOB_F16, nullptr, 0, &length) == RWKV_OK);
    std::vector<uint8_t> out(length);
    CHECK(rwkv_state_export_as(handle_, RWKV_BLOB_F16, out.data(), out.size(), &length) == RWKV_OK);
    return out;
  }
  int32_t import(const std::vector<uint8_t> &blob) const {
    return rwkv_state_import(handle_, blob.data(), blob.size());
  }
  std::pair<float, uint64_t> decision() const {
    float p = 0;
    uint64_t count = 0;
    CHECK(rwkv_state_read_decision(handle_, &p, &count) == RWKV_OK);
    return {p, count};
  }

 private:
  rwkv_state *handle_;
};

class Engine {
 public:
  // With a path: the CPU device, or what RWKV_DEVICE says. Without: echo.
  explicit Engine(const std::string &path = "", uint32_t states_max = 8, uint32_t threads = 1) {
    const uint32_t device = path.empty() ? RWKV_DEVICE_ECHO : RWKV_DEVICE_AUTO;
    CHECK(rwkv_engine_new(device, states_max, threads, &handle_) == RWKV_OK);
    if (!path.empty()) {
      CHECK(rwkv_engine_put_path(handle_, reinterpret_cast<const uint8_t *>(path.data()), path.size()) == RWKV_OK);
    }
    load_status = rwkv_engine_load(handle_);
  }
  Engine(const Engine &) = delete;
  ~Engine() { rwkv_engine_close(handle_); }
  operator rwkv_engine *() const { return handle_; }

  State open() const {
    rwkv_state *out = nullptr;
    CHECK(rwkv_state_new(handle_, &out) == RWKV_OK);
    return State(out);
  }
  void run_until_edge(const State &state) const {
    while (state.pending() > 0) CHECK(rwkv_engine_run(handle_) == RWKV_OK);
  }
  void feed(const State &state, const std::vector<uint32_t> &tokens) const {
    CHECK(state.put(tokens) == RWKV_OK);
    run_until_edge(state);
  }
  std::vector<uint32_t> decode(const State &state, uint32_t tokens_max, uint64_t seed) const {
    CHECK(rwkv_state_put_decode(state, tokens_max, seed) == RWKV_OK);
    run_until_edge(state);
    return state.take();
  }
  uint64_t info(uint32_t key) const {
    uint64_t out = 0;
    CHECK(rwkv_engine_info(handle_, key, &out) == RWKV_OK);
    return out;
  }
  std::string sentence() const {
    uint8_t text[2048];
    size_t length = 0;
    CHECK(rwkv_engine_sentence(handle_, text, sizeof text, &length) == RWKV_OK);
    return {reinterpret_cast<char *>(text), length};
  }

  int32_t load_status = RWKV_OK;

 private:
  rwkv_engine *handle_ = nullptr;
};

// Vectors without a pattern, in [-1, 1).
inline std::vector<float> some_vectors(size_t count, size_t width, uint32_t seed = 1) {
  std::vector<float> out(count * width);
  for (float &value : out) {
    seed = seed * 1664525u + 1013904223u;
    value = static_cast<float>(seed >> 8) / 8388608.0f - 1;
  }
  return out;
}

// Tokens without a pattern, below `vocab`.
inline std::vector<uint32_t> some_tokens(size_t count, uint32_t vocab, uint32_t seed = 1) {
  std::vector<uint32_t> out(count);
  for (uint32_t &token : out) token = (seed = seed * 1664525u + 1013904223u) / 65536 % vocab;
  return out;
}
