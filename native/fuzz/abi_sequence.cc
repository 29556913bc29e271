// The verbs in any order, with any values, on several engines and states at once. A handle is used until it is closed,
// and NULL stands for it from then on: the header forbids nothing else.
#include "small_model.h"

#include <array>
#include <bit>
#include <cstring>
#include <vector>

namespace {

using fuzz::answered;
using fuzz::rule;

// Reads the input front to back; zeros when it is over.
class Script {
 public:
  Script(const uint8_t *bytes, size_t count) : at_(bytes), end_(bytes + count) {}
  bool over() const { return at_ == end_; }
  uint8_t byte() { return over() ? 0 : *at_++; }
  uint32_t word() {
    uint32_t out = 0;
    for (int i = 0; i < 4; ++i) out = out << 8 | byte();
    return out;
  }
  float number() { return std::bit_cast<float>(word()); }
  // Mostly small; now and then around a bound or beyond all of them.
  size_t size() {
    constexpr size_t rare[] = {4096, 4097, 65535, 65536, 65537, SIZE_MAX, SIZE_MAX / 4, size_t{1} << 40};
    const uint8_t first = byte();
    return first < 240 ? first % 48 : rare[first % 8];
  }

 private:
  const uint8_t *at_, *end_;
};

struct Owner {
  rwkv_engine *engine = nullptr;
  bool loaded = false;
};

class World {
 public:
  World(const uint8_t *bytes, size_t count) : script_(bytes, count) {}
  ~World() {
    for (Owner &owner : engines_) rwkv_engine_close(owner.engine); // states may close behind their engine
    for (rwkv_state *const state : states_) rwkv_state_close(state);
  }
  void play() {
    for (int steps = 0; steps < 200 && !script_.over(); ++steps) step();
  }

 private:
  Owner &engine() { return engines_[script_.byte() % engines_.size()]; }
  rwkv_state *&state() { return states_[script_.byte() % states_.size()]; }
  // Words that point at memory of their own, so that a read beyond is seen; nullptr at times.
  template <typename Item>
  std::vector<Item> items(size_t count, size_t most) {
    std::vector<Item> out(std::min(count, most));
    for (Item &item : out) {
      if constexpr (std::is_same_v<Item, float>) item = script_.byte() == 255 ? script_.number() : 0.125f;
      else item = static_cast<Item>(script_.byte() == 255 ? script_.word() : script_.byte() % 34);
    }
    return out;
  }

  void step() {
    const uint8_t verb = script_.byte() % 32;
    if (verb < 12) on_engine(verb);
    else if (verb < 24) put(verb);
    else take(verb);
  }
  void on_engine(uint8_t verb);
  void put(uint8_t verb);
  void take(uint8_t verb);
  void make_engine(Owner &owner);
  void open_state(Owner &owner, rwkv_state *&state);
  void put_rows(uint8_t verb, rwkv_state *state);
  void take_rows(uint8_t verb, rwkv_state *state);
  void blob(rwkv_state *state);

  Script script_;
  std::array<Owner, 3> engines_;
  std::array<rwkv_state *, 6> states_{};
  std::vector<uint8_t> blob_; // the newest exported one
};

void World::make_engine(Owner &owner) {
  rwkv_engine_close(owner.engine);
  owner = {};
  const uint8_t kind = script_.byte();
  if (kind >= 250) { // sizes of any kind
    const uint32_t device = script_.byte(), states = script_.word() & 0x80000007;
    const int32_t status = answered(rwkv_engine_new(device, states, script_.word(), &owner.engine));
    rule((status == RWKV_OK) == (owner.engine != nullptr), "an engine comes of success only");
  } else if (kind % 2) {
    owner.engine = fuzz::engine_of(fuzz::small_model(), 1 + kind % 4, kind % 3);
  } else {
    rule(rwkv_engine_new(RWKV_DEVICE_ECHO, 1 + kind % 4, kind % 3, &owner.engine) == RWKV_OK, "an engine is made");
  }
  if (kind % 16 < 12 && owner.engine) answered(rwkv_engine_load(owner.engine));
}

void World::open_state(Owner &owner, rwkv_state *&state) {
  rwkv_state_close(state);
  state = nullptr;
  const int32_t status = answered(rwkv_state_new(owner.engine, &state));
  rule((status == RWKV_OK) == (state != nullptr), "a state comes of success only");
}

void World::on_engine(uint8_t verb) {
  Owner &owner = engine();
  switch (verb) {
    case 0: return make_engine(owner);
    case 1:
      rwkv_engine_close(owner.engine);
      owner = {};
      return;
    case 2: answered(rwkv_engine_load(owner.engine)); return;
    case 3: {
      const auto path = items<uint8_t>(script_.size(), 40);
      answered(rwkv_engine_put_path(owner.engine, path.empty() ? nullptr : path.data(), path.size()));
      return;
    }
    case 4: answered(rwkv_engine_set_format(owner.engine, script_.byte() % 8)); return;
    case 5: {
      uint64_t value = 0;
      answered(rwkv_engine_info(owner.engine, script_.byte() % 20, script_.byte() == 255 ? nullptr : &value));
      return;
    }
    case 6: {
      std::vector<uint8_t> out(script_.byte() % 80);
      size_t length = 0;
      answered(rwkv_engine_sentence(owner.engine, out.data(), out.size(), script_.byte() == 255 ? nullptr : &length));
      answered(rwkv_engine_model_hash(owner.engine, out.data(), out.size()));
      return;
    }
    case 7:
    case 8: return open_state(owner, state());
    default: {
      const int32_t status = answered(rwkv_engine_run(owner.engine));
      rule(status == RWKV_OK || status == RWKV_MISUSE, "a run is OK on a loaded engine");
    }
  }
}

void World::put_rows(uint8_t verb, rwkv_state *on) {
  const size_t count = script_.size();
  const size_t width = script_.byte() < 250 ? fuzz::small_width : script_.size();
  // More than this library takes is refused before it is read.
  const auto rows = items<float>(count <= 64 ? count * fuzz::small_width : 0, 64 * fuzz::small_width);
  const float *const data = rows.empty() && script_.byte() < 200 ? nullptr : rows.data();
  if (count > 64 && count <= 65536) return;
  if (verb == 13) answered(rwkv_state_put_vectors(on, data, count, width));
  else answered(rwkv_state_put_span(on, data, count, width, script_.byte() % 7, script_.size(), script_.size()));
}

void World::put(uint8_t verb) {
  rwkv_state *&on = state();
  switch (verb) {
    case 12: {
      const size_t count = script_.size();
      const auto tokens = items<uint32_t>(count <= 65536 ? count : 0, 65536);
      answered(rwkv_state_put_tokens(on, tokens.empty() ? nullptr : tokens.data(), count));
      return;
    }
    case 13:
    case 14: return put_rows(verb, on);
    case 15: {
      const float temperature = script_.number(), top_p = script_.number(), presence = script_.number();
      answered(rwkv_state_set_sampler(on, temperature, top_p, presence, script_.number()));
      return;
    }
    case 16: answered(rwkv_state_set_sampler(on, script_.byte() / 64.0f, (1 + script_.byte()) / 256.0f, 1, -1)); return;
    case 17: {
      const auto stops = items<uint32_t>(script_.size(), 80);
      answered(rwkv_state_set_stops(on, stops.data(), stops.size()));
      return;
    }
    case 18:
    case 19: answered(rwkv_state_put_decode(on, static_cast<uint32_t>(script_.size()), script_.word())); return;
    case 20: {
      const uint32_t silence = script_.byte() % 34;
      const float threshold = script_.byte() == 255 ? script_.number() : script_.byte() / 255.0f;
      answered(rwkv_state_put_decide(on, silence, threshold, script_.byte() % 20, script_.word()));
      return;
    }
    case 21: answered(rwkv_state_stop(on)); return;
    case 22: answered(rwkv_state_set_keep_logits(on, script_.byte() % 3)); return;
    default: answered(rwkv_state_set_keep_vectors(on, script_.byte() % 3)); return;
  }
}

void World::take_rows(uint8_t verb, rwkv_state *from) {
  std::vector<float> out(script_.byte() * size_t{8});
  size_t rows = 0;
  float *const to = script_.byte() == 255 ? nullptr : out.data();
  const auto take = verb == 25 ? rwkv_state_take_logits : rwkv_state_take_vectors;
  answered(take(from, to, out.size(), script_.byte() == 255 ? nullptr : &rows));
}

void World::blob(rwkv_state *on) {
  size_t length = 0;
  const uint32_t kind = script_.byte() % 3;
  if (script_.byte() % 2 == 0) {
    if (answered(rwkv_state_export_as(on, kind, nullptr, 0, &length)) != RWKV_OK) return;
    std::vector<uint8_t> out(script_.byte() == 255 ? length / 2 : length);
    if (answered(rwkv_state_export_as(on, kind, out.data(), out.size(), &length)) == RWKV_OK) blob_ = out;
    return;
  }
  if (!blob_.empty() && script_.byte() > 200) blob_[script_.word() % blob_.size()] ^= script_.byte();
  answered(rwkv_state_import(on, blob_.data(), blob_.size()));
}

void World::take(uint8_t verb) {
  rwkv_state *&from = state();
  switch (verb) {
    case 24: {
      std::vector<uint32_t> tokens(script_.byte());
      std::vector<float> probabilities(tokens.size());
      size_t taken = 0;
      answered(rwkv_state_take_tokens(from, tokens.data(), probabilities.data(), tokens.size(), &taken));
      rule(taken <= tokens.size(), "no more tokens are taken than fit");
      return;
    }
    case 25:
    case 26: return take_rows(verb, from);
    case 27: {
      float logits[fuzz::small_vocab] = {}, p_speak = 0;
      uint64_t pending = 0, decisions = 0;
      answered(rwkv_state_read_logits(from, logits, script_.byte() % (fuzz::small_vocab + 1)));
      answered(rwkv_state_read_pending(from, &pending));
      answered(rwkv_state_read_decision(from, &p_speak, &decisions));
      return;
    }
    case 28:
    case 29: {
      rwkv_state *fork = nullptr;
      if (answered(rwkv_state_fork(from, script_.byte() == 255 ? nullptr : &fork)) != RWKV_OK) return;
      rwkv_state *&to = state();
      rwkv_state_close(to);
      to = fork;
      return;
    }
    case 30: return blob(from);
    default:
      if (script_.byte() % 2) {
        answered(rwkv_state_reset(from));
        return;
      }
      rwkv_state_close(from);
      from = nullptr;
  }
}

} // namespace

void fuzz::abi_sequence(const uint8_t *bytes, size_t count) { World(bytes, count).play(); }
