// Pictures as spans, against the batch definition: a float64 model that puts the whole sequence into another order
// around every layer. Also RWKV-5.2 itself, which has no golden numbers, against that model.
#include "reference.h"
#include "rig.h"

namespace {

constexpr size_t width = 128, vocab = 32;
constexpr int layers = 5; // every order of multidirection, and a layer more

struct Case {
  int version;
  Tensors weights;
};

std::vector<Case> cases() {
  std::vector<Case> out;
  out.push_back({5, generate(rwkv5_spec(width, layers))});
  out.push_back({6, generate(rwkv6_spec(width, layers))});
  out.push_back({7, generate(rwkv7_spec(width, layers))});
  return out;
}

void all_near(const std::vector<float> &got, const reference::Row &wanted, double tolerance, size_t first = 0) {
  CHECK(got.size() >= first + wanted.size());
  double worst = 0;
  for (size_t i = 0; i < wanted.size(); ++i) worst = std::fmax(worst, std::fabs(got[first + i] - wanted[i]));
  CHECK_NEAR(worst, 0, tolerance);
}

// The reference itself: against the golden numbers of 6 and 7 it is right where it can be checked.
void sequence(const Case &model) {
  const TemporaryFile file(bytes_of(model.weights));
  const Engine engine(file.path());
  CHECK(engine.load_status == RWKV_OK);
  CHECK(engine.info(RWKV_INFO_VERSION) == static_cast<uint64_t>(model.version));
  const State state = engine.open();
  CHECK(rwkv_state_set_keep_logits(state, 1) == RWKV_OK);
  const auto tokens = some_tokens(37, vocab);
  engine.feed(state, tokens);
  const reference::Model wanted(model.weights, model.version);
  reference::Rows x;
  for (const uint32_t token : tokens) x.push_back(wanted.embed(token));
  const auto result = wanted.run(x);
  const auto logits = state.kept(vocab);
  for (size_t t = 0; t < tokens.size(); ++t) all_near(logits, result.logits(wanted, t), 2e-5, t * vocab);
  all_near(state.memory(), result.memory, 2e-4);
}

// Tokens, a picture with vectors behind its grid, tokens.
void picture(const Case &model, const Engine &engine, reference::Scan scan, size_t rows, size_t columns, size_t extra) {
  const auto before = some_tokens(7, vocab, 3), after = some_tokens(5, vocab, 4);
  const size_t count = rows * columns + extra;
  const auto vectors = some_vectors(count, width, 5);
  const State state = engine.open();
  CHECK(rwkv_state_set_keep_vectors(state, 1) == RWKV_OK);
  CHECK(state.put(before) == RWKV_OK);
  const auto mode = static_cast<uint32_t>(scan);
  CHECK(rwkv_state_put_span(state, vectors.data(), count, width, mode, rows, columns) == RWKV_OK);
  CHECK(state.put(after) == RWKV_OK);
  CHECK(state.pending() == 12 + count);
  engine.run_until_edge(state);

  const reference::Model wanted(model.weights, model.version);
  reference::Rows x;
  for (const uint32_t token : before) x.push_back(wanted.embed(token));
  for (size_t i = 0; i < count; ++i) {
    x.emplace_back(vectors.begin() + static_cast<ptrdiff_t>(i * width),
                   vectors.begin() + static_cast<ptrdiff_t>((i + 1) * width));
  }
  for (const uint32_t token : after) x.push_back(wanted.embed(token));
  const auto result = wanted.run(x, {before.size(), rows, columns, scan});
  const auto outputs = state.kept_vectors(width);
  CHECK(outputs.size() == x.size() * width);
  for (size_t t = 0; t < x.size(); ++t) all_near(outputs, result.outputs[t], 2e-4, t * width);
  all_near(state.memory(), result.memory, 1e-3);
  all_near(state.logits(vocab), result.logits(wanted, x.size() - 1), 2e-4);
}

void every_scan(const Case &model) {
  using reference::Scan;
  const TemporaryFile file(bytes_of(model.weights));
  const Engine engine(file.path());
  for (const Scan scan : {Scan::row_major, Scan::bidirection, Scan::multidirection, Scan::spiral, Scan::snake,
                          Scan::zigzag}) {
    picture(model, engine, scan, 3, 5, 1);
    picture(model, engine, scan, 4, 3, 0);
    if (scan != Scan::row_major && scan != Scan::bidirection) picture(model, engine, scan, 1, 3, 2);
    if (scan != Scan::row_major && scan != Scan::bidirection) picture(model, engine, scan, 3, 1, 0);
  }
  picture(model, engine, Scan::multidirection, 7, 11, 3); // more rows than a wave takes
  picture(model, engine, Scan::spiral, 5, 5, 1);
}

// Without tokens before and after: how a sequence of an encoder is put.
void whole_sequence_turns(const Case &model) {
  const TemporaryFile file(bytes_of(model.weights));
  const Engine engine(file.path());
  const auto vectors = some_vectors(32, width, 8);
  const State state = engine.open();
  CHECK(rwkv_state_set_keep_vectors(state, 1) == RWKV_OK);
  CHECK(rwkv_state_put_span(state, vectors.data(), 32, width, RWKV_SCAN_BIDIRECTION, 32, 1) == RWKV_OK);
  engine.run_until_edge(state);
  reference::Rows x;
  for (size_t i = 0; i < 32; ++i) {
    x.emplace_back(vectors.begin() + static_cast<ptrdiff_t>(i * width),
                   vectors.begin() + static_cast<ptrdiff_t>((i + 1) * width));
  }
  const auto result =
      reference::Model(model.weights, model.version).run(x, {0, 32, 1, reference::Scan::bidirection});
  const auto outputs = state.kept_vectors(width);
  for (size_t t = 0; t < 32; ++t) all_near(outputs, result.outputs[t], 2e-4, t * width);
}

// A 5.2 file with the decay of an older generation, or without one of its own tensors, is refused by name.
void older_generations_are_refused() {
  const auto sentence = [](const Tensors &weights) {
    const TemporaryFile file(bytes_of(weights));
    const Engine engine(file.path());
    CHECK(engine.load_status == RWKV_FORMAT);
    return engine.sentence();
  };
  for (const std::vector<uint64_t> &shape : {std::vector<uint64_t>{2}, {2, 1}, {2, 1, 1}, {128}}) {
    Tensors older = tiny_rwkv5();
    older["blocks.1.att.time_decay"] = {shape, std::vector<float>(shape == std::vector<uint64_t>{128} ? 128 : 2)};
    CHECK(sentence(older).find("tensor \"blocks.1.att.time_decay\" has shape [") != std::string::npos);
    CHECK(sentence(older).find("[2, 64] is needed") != std::string::npos);
  }
  Tensors ungated = tiny_rwkv5();
  ungated.erase("blocks.0.att.gate.weight");
  CHECK(sentence(ungated).find("tensor \"blocks.0.att.gate.weight\" is missing") != std::string::npos);
  Tensors extra = tiny_rwkv5();
  extra["blocks.0.att.time_first"] = {{2}, {0, 0}};
  CHECK(sentence(extra).find("tensor \"blocks.0.att.time_first\" is unknown") != std::string::npos);
}

} // namespace

int main() {
  for (const Case &model : cases()) {
    sequence(model);
    every_scan(model);
    whole_sequence_turns(model);
  }
  older_generations_are_refused();
  return report("picture");
}
