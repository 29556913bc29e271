// Laws of spans, bit for bit: row-major is put_vectors, who else is stepped and by how many threads does not matter,
// and a span is all or nothing. What they mean in numbers is in picture_test.cc.
#include "rig.h"

#include <cmath>
#include <limits>

namespace {

struct Setting {
  std::string path; // empty: echo
  uint32_t vocab, width, layers;
};

struct Grid {
  uint32_t scan = RWKV_SCAN_ROW_MAJOR;
  size_t rows = 0, columns = 0;
};

int32_t put_span(const State &state, const std::vector<float> &vectors, size_t width, const Grid &grid) {
  return rwkv_state_put_span(state, vectors.data(), vectors.size() / width, width, grid.scan, grid.rows, grid.columns);
}

void keep_all(const State &state) {
  CHECK(rwkv_state_set_keep_logits(state, 1) == RWKV_OK);
  CHECK(rwkv_state_set_keep_vectors(state, 1) == RWKV_OK);
}

void row_major_is_put_vectors(const Setting &setting) {
  const Engine engine(setting.path);
  for (const size_t count : {1, 16, 130}) {
    const State plain = engine.open(), span = engine.open();
    const auto vectors = some_vectors(count, setting.width);
    keep_all(plain), keep_all(span);
    for (const State *state : {&plain, &span}) CHECK(state->put({1, 2, 3}) == RWKV_OK);
    CHECK(rwkv_state_put_vectors(plain, vectors.data(), count, setting.width) == RWKV_OK);
    const Grid grid{RWKV_SCAN_ROW_MAJOR, count < 5 ? 1 : count / 5, count < 5 ? 1u : 5u};
    CHECK(put_span(span, vectors, setting.width, grid) == RWKV_OK);
    for (const State *state : {&plain, &span}) {
      CHECK(rwkv_state_put_decode(*state, 4, 9) == RWKV_OK);
      CHECK(state->pending() == count + 7);
    }
    engine.run_until_edge(plain), engine.run_until_edge(span);
    CHECK(span.blob() == plain.blob());
    CHECK(span.take() == plain.take());
    CHECK(span.kept(setting.vocab) == plain.kept(setting.vocab));
    const auto kept = span.kept_vectors(setting.width);
    CHECK(kept.size() == (count + 7) * setting.width);
    CHECK(kept == plain.kept_vectors(setting.width));
  }
}

struct Outcome {
  std::vector<uint8_t> blob;
  std::vector<uint32_t> tokens;
  std::vector<float> vectors;
  bool operator==(const Outcome &) const = default;
};

// Every scan, beside decodes, prefills and a fork's span.
std::vector<Outcome> outcomes(const Setting &setting, uint32_t threads, bool together) {
  const Engine engine(setting.path, 16, threads);
  std::vector<State> states;
  for (uint32_t i = 0; i < 9; ++i) {
    states.push_back(engine.open());
    CHECK(rwkv_state_set_keep_vectors(states[i], 1) == RWKV_OK);
    CHECK(states[i].put(some_tokens(1 + i * 3, setting.vocab, i)) == RWKV_OK);
    if (i < 6) {
      const auto vectors = some_vectors(20 + 13 * i + (i == 4 ? 70 : 0), setting.width, i);
      CHECK(put_span(states[i], vectors, setting.width, {i, 4, 5 + i / 2}) == RWKV_OK);
    }
    CHECK(rwkv_state_put_decode(states[i], 9, i) == RWKV_OK);
    if (!together) engine.run_until_edge(states[i]);
  }
  std::vector<Outcome> out;
  for (const State &state : states) {
    engine.run_until_edge(state);
    const State question = state.fork();
    CHECK(rwkv_state_set_keep_vectors(question, 1) == RWKV_OK);
    const auto vectors = some_vectors(33, setting.width, 3);
    CHECK(put_span(question, vectors, setting.width, {RWKV_SCAN_BIDIRECTION, 8, 4}) == RWKV_OK);
    engine.run_until_edge(question);
    out.push_back({state.blob(), state.take(), state.kept_vectors(setting.width)});
    out.push_back({question.blob(), {}, question.kept_vectors(setting.width)});
  }
  return out;
}

void neighbours_and_threads_do_not_matter(const Setting &setting) {
  const auto alone = outcomes(setting, 1, false);
  CHECK(outcomes(setting, 1, true) == alone);
  CHECK(outcomes(setting, 2, true) == alone);
  CHECK(outcomes(setting, 2, false) == alone); // a lone state has both threads
  CHECK(outcomes(setting, 5, true) == alone);
}

// While a long span is under way, every run still gives a token to the state beside it, and the span takes as many runs
// as its positions would: 16 in each, and one more for the vectors it gives out.
void a_run_is_bounded(const Setting &setting) {
  const Engine engine(setting.path);
  const State seer = engine.open(), speaker = engine.open();
  engine.feed(speaker, {1});
  CHECK(rwkv_state_put_decode(speaker, 200, 1) == RWKV_OK);
  CHECK(rwkv_state_set_keep_vectors(seer, 1) == RWKV_OK);
  const auto vectors = some_vectors(160, setting.width);
  CHECK(put_span(seer, vectors, setting.width, {RWKV_SCAN_BIDIRECTION, 16, 10}) == RWKV_OK);
  size_t runs = 0, said = 0;
  while (seer.pending() > 0) {
    CHECK(seer.pending() == 160); // all or nothing
    CHECK(rwkv_engine_run(engine) == RWKV_OK);
    said += speaker.take().size();
    CHECK(said == ++runs);
  }
  CHECK(runs >= 10 && runs <= 10 + (160 + 16 * setting.layers - 1) / (16 * setting.layers));
  CHECK(engine.info(RWKV_INFO_TOKENS) == 1 + 160 + said);

  // A fork's span is paid from the budget of all forks: it cannot take more than narration would.
  const State question = seer.fork(), other = seer.fork();
  CHECK(put_span(question, vectors, setting.width, {RWKV_SCAN_BIDIRECTION, 16, 10}) == RWKV_OK);
  CHECK(rwkv_state_put_decode(other, 30, 1) == RWKV_OK);
  engine.run_until_edge(other);
  CHECK(other.take().size() == 30); // in turn, and not behind the whole span
  engine.run_until_edge(question);
}

void a_stop_leaves_no_half_picture(const Setting &setting) {
  const auto vectors = some_vectors(100, setting.width), second = some_vectors(30, setting.width, 2);
  for (const int runs : {0, 1, 2, 4, 6}) {
    const Engine engine(setting.path);
    const State state = engine.open(), twin = engine.open();
    CHECK(rwkv_state_set_keep_vectors(state, 1) == RWKV_OK);
    engine.feed(state, {1, 2, 3}), engine.feed(twin, {1, 2, 3});
    state.kept_vectors(setting.width);
    CHECK(put_span(state, vectors, setting.width, {RWKV_SCAN_BIDIRECTION, 10, 10}) == RWKV_OK);
    CHECK(state.put({7}) == RWKV_OK);
    for (int i = 0; i < runs; ++i) CHECK(rwkv_engine_run(engine) == RWKV_OK);
    rwkv_state *fork = nullptr;
    size_t length = 0;
    std::vector<uint8_t> room(engine.info(RWKV_INFO_BLOB_BYTES));
    CHECK(rwkv_state_fork(state, &fork) == RWKV_BUSY);
    CHECK(rwkv_state_export(state, room.data(), room.size(), &length) == RWKV_BUSY);
    CHECK(rwkv_state_stop(state) == RWKV_OK);
    CHECK(state.pending() == 0);
    CHECK(state.blob() == twin.blob());
    CHECK(state.kept_vectors(setting.width).empty());
    // The next picture finds nothing of the one before.
    for (const State *each : {&state, &twin}) {
      CHECK(put_span(*each, second, setting.width, {RWKV_SCAN_SPIRAL, 5, 6}) == RWKV_OK);
      CHECK(each->put({4}) == RWKV_OK);
      engine.run_until_edge(*each);
    }
    CHECK(state.blob() == twin.blob());

    CHECK(put_span(state, vectors, setting.width, {RWKV_SCAN_BIDIRECTION, 10, 10}) == RWKV_OK);
    for (int i = 0; i < runs; ++i) CHECK(rwkv_engine_run(engine) == RWKV_OK);
    CHECK(rwkv_state_reset(state) == RWKV_OK); // so does reset
    CHECK(state.pending() == 0 && state.blob() == engine.open().blob());
    CHECK(put_span(state, vectors, setting.width, {RWKV_SCAN_BIDIRECTION, 10, 10}) == RWKV_OK);
    for (int i = 0; i < runs; ++i) CHECK(rwkv_engine_run(engine) == RWKV_OK);
  } // and close, under way
}

// Whatever stands before and behind a span keeps its place; several spans follow each other.
void spans_keep_their_place(const Setting &setting) {
  const Engine engine(setting.path);
  const State whole = engine.open(), pieces = engine.open();
  const auto vectors = some_vectors(40, setting.width);
  const Grid grid{RWKV_SCAN_MULTIDIRECTION, 5, 7};
  CHECK(whole.put({1, 2}) == RWKV_OK);
  for (int i = 0; i < 3; ++i) CHECK(put_span(whole, vectors, setting.width, grid) == RWKV_OK);
  CHECK(rwkv_state_put_vectors(whole, vectors.data(), 2, setting.width) == RWKV_OK);
  CHECK(rwkv_state_put_decode(whole, 3, 1) == RWKV_OK);
  CHECK(put_span(whole, vectors, setting.width, grid) == RWKV_OK);
  engine.run_until_edge(whole);
  engine.feed(pieces, {1}), engine.feed(pieces, {2});
  for (int i = 0; i < 3; ++i) {
    CHECK(put_span(pieces, vectors, setting.width, grid) == RWKV_OK);
    engine.run_until_edge(pieces);
  }
  CHECK(rwkv_state_put_vectors(pieces, vectors.data(), 2, setting.width) == RWKV_OK);
  engine.run_until_edge(pieces);
  CHECK(engine.decode(pieces, 3, 1) == whole.take());
  CHECK(put_span(pieces, vectors, setting.width, grid) == RWKV_OK);
  engine.run_until_edge(pieces);
  CHECK(pieces.blob() == whole.blob());
}

void misuse(const Setting &setting) {
  const Engine engine(setting.path);
  const State state = engine.open();
  const auto vectors = some_vectors(6, setting.width);
  const size_t width = setting.width, most = std::numeric_limits<size_t>::max();
  const auto put = [&](const float *from, size_t count, size_t row, uint32_t scan, size_t rows, size_t columns) {
    return rwkv_state_put_span(state, from, count, row, scan, rows, columns);
  };
  CHECK(put(nullptr, 6, width, 0, 2, 3) == RWKV_MISUSE);
  CHECK(rwkv_state_put_span(nullptr, vectors.data(), 6, width, 0, 2, 3) == RWKV_MISUSE);
  CHECK(put(vectors.data(), 6, width, 6, 2, 3) == RWKV_MISUSE);
  CHECK(engine.sentence() == "Cannot put a span: there is no such scan");
  CHECK(put(vectors.data(), 6, width + 1, 0, 2, 3) == RWKV_MISUSE);
  for (const auto &[rows, columns] : {std::pair<size_t, size_t>{7, 1}, {1, 7}, {2, 4}, {0, 3}, {3, 0}, {most, most},
                                      {most / 2 + 2, 2}, {2, most / 2 + 2}, {most, 1}}) {
    CHECK(put(vectors.data(), 6, width, 1, rows, columns) == RWKV_MISUSE);
    CHECK(engine.sentence() == "Cannot put a span: its grid has more cells than there are vectors" ||
          rows * columns == 0);
  }
  auto poisoned = vectors;
  poisoned.back() = NAN;
  CHECK(put(poisoned.data(), 6, width, 1, 2, 3) == RWKV_MISUSE);
  CHECK(put(vectors.data(), 65537, width, 1, 2, 3) == RWKV_FULL);
  CHECK(state.pending() == 0);
  CHECK(put(nullptr, 0, width, 1, 0, 0) == RWKV_OK && state.pending() == 0); // nothing to put is fine
  CHECK(put(vectors.data(), 6, width, 1, 0, 0) == RWKV_OK && state.pending() == 6);
  size_t rows = 0;
  CHECK(rwkv_state_take_vectors(nullptr, nullptr, 0, &rows) == RWKV_MISUSE);
  CHECK(rwkv_state_take_vectors(state, nullptr, 0, nullptr) == RWKV_MISUSE);
  CHECK(rwkv_state_take_vectors(state, nullptr, 1, &rows) == RWKV_MISUSE);
  CHECK(rwkv_state_set_keep_vectors(nullptr, 1) == RWKV_MISUSE);
  CHECK(rwkv_state_set_keep_vectors(state, 2) == RWKV_MISUSE);
}

// The bound of the inbox counts spans, under way too.
void the_inbox_is_bounded(const Setting &setting) {
  const Engine engine(setting.path);
  const State state = engine.open();
  const auto vectors = some_vectors(1000, setting.width);
  const Grid grid{RWKV_SCAN_BIDIRECTION, 10, 100};
  for (int i = 0; i < 65; ++i) CHECK(put_span(state, vectors, setting.width, grid) == RWKV_OK);
  CHECK(put_span(state, vectors, setting.width, grid) == RWKV_FULL);
  CHECK(rwkv_engine_run(engine) == RWKV_OK);
  CHECK(state.pending() == 65000);
  CHECK(put_span(state, vectors, setting.width, grid) == RWKV_FULL);
  CHECK(state.put(some_tokens(536, setting.vocab)) == RWKV_OK && state.put({1}) == RWKV_FULL);
  CHECK(rwkv_state_stop(state) == RWKV_OK);
  CHECK(put_span(state, vectors, setting.width, grid) == RWKV_OK);
}

} // namespace

int main() {
  const TemporaryFile five(bytes_of(tiny_rwkv5())), six(bytes_of(tiny_rwkv6())), seven(bytes_of(tiny_rwkv7()));
  const TemporaryFile wide(bytes_of(generate(rwkv7_spec(256, 3)))); // products are large enough to be shared
  for (const Setting &setting : {Setting{five.path(), 32, 128, 2}, Setting{six.path(), 32, 128, 2},
                                 Setting{seven.path(), 32, 128, 2}, Setting{"", 256, 8, 1}}) {
    row_major_is_put_vectors(setting);
    neighbours_and_threads_do_not_matter(setting);
    a_run_is_bounded(setting);
    a_stop_leaves_no_half_picture(setting);
    spans_keep_their_place(setting);
    misuse(setting);
  }
  neighbours_and_threads_do_not_matter({wide.path(), 32, 256, 3});
  the_inbox_is_bounded({"", 256, 8, 1});
  return report("span_laws");
}
