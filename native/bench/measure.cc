// See measure.h. Every figure is the median of several runs, with the least and the greatest beside it.
#include "measure.h"

#include <algorithm>

#include "gguf_sizes.h"
#include "library.h"
#include "machine.h"
#include "samples.h"

namespace bench {

namespace {

constexpr uint32_t decode_tokens = 64, batch_tokens = 32, batch_prompt = 16, idle_streams = 64;
constexpr size_t bandwidth_bytes = size_t{1} << 30;

const char *target_name(uint64_t target) {
  constexpr const char *names[] = {"none", "plain", "avx2", "avx512", "vnni", "amx", "neon", "cuda"};
  return target < std::size(names) ? names[target] : "unknown";
}

class Measurement {
 public:
  explicit Measurement(const MeasureOptions &options)
      : options_(options), resident_before_(resident_bytes()), load_begun_ms_(now_ms()),
        engine_(options.model, states_max(options), options.threads), load_ms_(now_ms() - load_begun_ms_),
        vocab_(static_cast<uint32_t>(engine_.info(RWKV_INFO_VOCAB))) {}

  JsonObject all() {
    JsonObject out;
    out.put("cpu", cpu_name());
    out.put("date", date_now());
    out.put("target", std::string(target_name(engine_.info(RWKV_INFO_TARGET))));
    out.put("threads", options_.threads);
    put_sizes(out);
    if (has("bandwidth")) out.put("bandwidth_before", bandwidth());
    if (has("prefill")) {
      out.put("prefill_64", prefill(64).json());
      out.put("prefill_512", prefill(512).json());
    }
    Samples alone;
    if (has("decode") || has("idle") || has("hogs")) {
      alone = decode();
      out.put("decode", alone.json());
      out.put("decode_gb_per_s", token_bytes() * alone.median() / 1e9);
    }
    if (has("batch")) out.put("batch", batch());
    if (has("states")) put_states(out);
    if (has("idle")) out.put("decode_beside_idle", idle().json());
    if (has("hogs")) put_hogs(out, alone);
    if (has("age")) out.put("age", age());
    if (has("bandwidth")) put_bandwidth_after(out, alone);
    out.put("resident_peak_bytes", resident_bytes_peak());
    return out;
  }

 private:
  static uint32_t states_max(const MeasureOptions &options) {
    uint32_t most = options.parts.count("idle") ? idle_streams + 2 : 2;
    if (options.parts.count("batch"))
      for (uint32_t streams : options.streams) most = std::max(most, streams);
    return most;
  }
  bool has(const char *part) const { return options_.parts.count(part) > 0; }

  void put_sizes(JsonObject &out) {
    const uint64_t resident = resident_bytes();
    out.put("width", engine_.info(RWKV_INFO_WIDTH));
    out.put("layers", engine_.info(RWKV_INFO_LAYERS));
    out.put("vocab", uint64_t{vocab_});
    out.put("load_ms", load_ms_);
    out.put("weight_bytes", engine_.info(RWKV_INFO_WEIGHT_BYTES));
    out.put("state_bytes", engine_.info(RWKV_INFO_STATE_BYTES));
    out.put("states_max", engine_.info(RWKV_INFO_STATES_MAX));
    out.put("token_bytes", token_bytes());
    out.put("resident_bytes", resident);
    out.put("resident_load_bytes", resident - std::min(resident, resident_before_));
    out.put("resident_load_peak_bytes", resident_bytes_peak());
  }
  // Weights that one decoded token reads, and its state, read and written.
  double token_bytes() const {
    return static_cast<double>(bytes_read_per_token(options_.model) + 2 * engine_.info(RWKV_INFO_STATE_BYTES));
  }

  std::vector<uint32_t> prompt(uint32_t count) const {
    std::vector<uint32_t> tokens(count);
    for (uint32_t at = 0; at < count; at++) tokens[at] = 1 + at * 7919 % (vocab_ - 1);
    return tokens;
  }
  void settle(const State &state) {
    while (state.pending()) engine_.run();
  }

  // Tokens per second of a prompt from a zero state, until its last logits are there.
  Samples prefill(uint32_t count) {
    Samples per_s;
    State state(engine_);
    std::vector<float> logits(vocab_);
    for (uint32_t run = 0; run <= options_.runs; run++) {
      state.reset();
      const double begun_ms = now_ms();
      state.put_tokens(prompt(count));
      settle(state);
      state.read_logits(logits);
      if (run > 0) per_s.add(1000 * count / (now_ms() - begun_ms));
    }
    return per_s;
  }

  // Tokens per second of `streams` states that decode at once, all of them together.
  Samples decode_many(uint32_t streams, uint32_t count) {
    Samples per_s;
    std::vector<State> states;
    for (uint32_t index = 0; index < streams; index++) {
      states.emplace_back(engine_);
      std::vector<uint32_t> words = prompt(batch_prompt + index);
      words.erase(words.begin(), words.begin() + index); // each stream has its own words
      states.back().put_tokens(words);
    }
    const auto settle_all = [&] {
      while (std::any_of(states.begin(), states.end(), [](const State &state) { return state.pending(); })) engine_.run();
    };
    settle_all();
    for (uint32_t run = 0; run <= options_.runs; run++) {
      for (State &state : states) state.put_decode(count);
      const double begun_ms = now_ms();
      settle_all();
      const double took_ms = now_ms() - begun_ms;
      size_t taken = 0;
      for (State &state : states) taken += state.take(count);
      if (taken != size_t{streams} * count) throw std::runtime_error("a decode ended early");
      if (run > 0) per_s.add(1000 * static_cast<double>(taken) / took_ms);
    }
    return per_s;
  }
  Samples decode() { return decode_many(1, decode_tokens); }

  JsonObject batch() {
    JsonObject out;
    for (uint32_t streams : options_.streams) out.put(std::to_string(streams), decode_many(streams, batch_tokens).json());
    return out;
  }

  template <typename Job> Samples times_ms(uint32_t count, Job job) {
    Samples samples;
    for (uint32_t run = 0; run <= count; run++) {
      const double begun_ms = now_ms();
      job();
      if (run > 0) samples.add(now_ms() - begun_ms);
    }
    return samples;
  }

  void put_states(JsonObject &out) {
    constexpr uint32_t times = 200;
    State state(engine_);
    state.put_tokens(prompt(batch_prompt));
    settle(state);
    out.put("fork_ms", times_ms(times, [&] { state.fork(); }).json());
    std::vector<uint8_t> blob(engine_.info(RWKV_INFO_BLOB_BYTES)), half(engine_.info(RWKV_INFO_BLOB_HALF_BYTES));
    out.put("blob_bytes", uint64_t{blob.size()});
    out.put("blob_half_bytes", uint64_t{half.size()});
    out.put("export_ms", times_ms(times, [&] { state.export_to(blob, RWKV_BLOB_F32); }).json());
    out.put("export_half_ms", times_ms(times, [&] { state.export_to(half, RWKV_BLOB_F16); }).json());
    out.put("import_ms", times_ms(times, [&] { state.import_from(blob); }).json());
  }

  // One stream while others are open that have nothing to do.
  Samples idle() {
    std::vector<State> others;
    for (uint32_t index = 0; index < idle_streams; index++) {
      others.emplace_back(engine_);
      others.back().put_tokens(prompt(1));
      settle(others.back());
    }
    return decode();
  }

  void put_hogs(JsonObject &out, const Samples &alone) {
    const Hogs hogs(options_.hogs);
    const Samples beside = decode();
    out.put("hogs", options_.hogs);
    out.put("decode_beside_hogs", beside.json());
    out.put("hogs_fraction", beside.median() / alone.median());
  }

  // What one tick (a token put, a step) costs, and what the process holds, when a state is that many ticks old.
  JsonObject age() {
    constexpr uint64_t window = 200;
    JsonObject out;
    State state(engine_);
    const std::vector<uint32_t> word = {1};
    uint64_t ticks = 0;
    const auto tick = [&] {
      state.put_tokens(word);
      engine_.run();
      ticks++;
    };
    for (uint64_t old : {uint64_t{10}, uint64_t{10000}, uint64_t{1000000}}) {
      while (ticks < old) tick();
      JsonObject point;
      point.put("tick_ms", times_ms(window, tick).json());
      point.put("state_bytes", engine_.info(RWKV_INFO_STATE_BYTES));
      point.put("resident_bytes", resident_bytes());
      out.put(std::to_string(old), point);
    }
    return out;
  }

  JsonObject bandwidth() {
    JsonObject out;
    // As many bytes as a token reads, which a large cache may hold, and far more.
    const size_t bytes = static_cast<size_t>(token_bytes());
    out.put("bytes", uint64_t{bytes});
    out.put("one_thread_gb_per_s", read_bandwidth(bytes, 1));
    const double gb_per_s = read_bandwidth(bytes, options_.threads);
    gb_per_s_best_ = std::max(gb_per_s_best_, gb_per_s);
    out.put("gb_per_s", gb_per_s);
    out.put("one_thread_1_gib_gb_per_s", read_bandwidth(bandwidth_bytes, 1));
    out.put("1_gib_gb_per_s", read_bandwidth(bandwidth_bytes, options_.threads));
    return out;
  }
  void put_bandwidth_after(JsonObject &out, const Samples &alone) {
    out.put("bandwidth_after", bandwidth());
    // Against the quicker of the two readings.
    if (has("decode")) out.put("floor_fraction", token_bytes() * alone.median() / 1e9 / gb_per_s_best_);
  }

  const MeasureOptions &options_;
  uint64_t resident_before_;
  double load_begun_ms_;
  Engine engine_;
  double load_ms_;
  uint32_t vocab_;
  double gb_per_s_best_ = 0;
};

} // namespace

JsonObject measure(const MeasureOptions &options) { return Measurement(options).all(); }

} // namespace bench
