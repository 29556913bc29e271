// Device "cuda" through rwkv.h, beside the CPU: the same logits, the same tokens, states that travel both ways, and the
// laws that hold on every device. What a failing device does is device_failures_test.
// Sources: none
#include "cuda_rig.h"

namespace {

double distance(const std::vector<float> &got, const std::vector<float> &wanted) {
  return normalised_error(got, {wanted.begin(), wanted.end()});
}

std::vector<float> logits_of(const Engine &engine, const std::vector<uint32_t> &tokens) {
  const State state = engine.open();
  CHECK(rwkv_state_set_keep_logits(state, 1) == RWKV_OK);
  engine.feed(state, tokens);
  return state.kept(vocab);
}

// The CPU's plain kernels hold weights as exactly; fp16 activations are what differs on tensor cores.
void same_logits(const std::string &path, double tolerance) {
  const CudaEngine cuda(path);
  const CpuEngine cpu(path);
  CHECK(cuda.info(RWKV_INFO_DEVICE) == RWKV_DEVICE_CUDA);
  CHECK(cuda.info(RWKV_INFO_TARGET) == RWKV_TARGET_CUDA);
  const auto tokens = some_tokens(21, vocab);
  const double error = distance(logits_of(cuda, tokens), logits_of(cpu, tokens));
  CHECK(error < tolerance);
  std::printf("logits: normalised error to the CPU %.2g, at most %.2g\n", error, tolerance);
}

// Tokens one by one, in one piece, and beside others: the same bits.
void rows_do_not_matter(const std::string &path) {
  const CudaEngine engine(path);
  const auto tokens = some_tokens(19, vocab, 5);
  const State whole = engine.open(), single = engine.open();
  engine.feed(whole, tokens);
  for (const uint32_t token : tokens) engine.feed(single, {token});
  CHECK(same_bits(single.blob(), whole.blob()));
  std::vector<State> many;
  for (uint32_t i = 0; i < 5; ++i) {
    many.push_back(engine.open());
    CHECK(many.back().put(i == 3 ? tokens : some_tokens(3 + i, vocab, i)) == RWKV_OK);
  }
  for (const State &state : many) engine.run_until_edge(state);
  CHECK(same_bits(many[3].blob(), whole.blob()));
  CHECK(same_bits(many[3].logits(vocab), single.logits(vocab)));
}

void fork_and_reset(const std::string &path) {
  const CudaEngine engine(path);
  const State parent = engine.open(), twin = engine.open();
  engine.feed(parent, {1, 2, 3}), engine.feed(twin, {1, 2, 3});
  const State child = parent.fork();
  CHECK(same_bits(child.blob(), parent.blob()));
  engine.feed(child, {9, 9});
  CHECK(!same_bits(child.blob(), parent.blob()));
  CHECK(same_bits(parent.blob(), twin.blob()));
  engine.feed(parent, {4, 5}), engine.feed(twin, {4, 5});
  CHECK(same_bits(parent.blob(), twin.blob()));
  CHECK(rwkv_state_reset(parent) == RWKV_OK);
  const State fresh = engine.open();
  CHECK(same_bits(parent.memory(), fresh.memory()));
}

void states_travel(const std::string &path) {
  const CudaEngine cuda(path);
  const CpuEngine cpu(path);
  const State there = cuda.open(), here = cpu.open(), back = cuda.open();
  cuda.feed(there, some_tokens(7, vocab));
  const auto blob = there.blob();
  CHECK(here.import(blob) == RWKV_OK);
  CHECK(same_bits(here.blob(), blob));
  CHECK(back.import(here.blob()) == RWKV_OK);
  CHECK(same_bits(back.blob(), blob));
  cuda.feed(there, {3, 1}), cuda.feed(back, {3, 1}), cpu.feed(here, {3, 1});
  CHECK(same_bits(back.blob(), there.blob()));
  CHECK(distance(there.memory(), here.memory()) < 1e-5);
  CHECK(distance(there.logits(vocab), here.logits(vocab)) < 1e-5);
}

// With a decision, penalties, a nucleus and none, greedy: several states at once.
void same_tokens(const std::string &path) {
  const float settings[][4] = {{.9f, .7f, .3f, .2f}, {1.3f, 1, 0, .5f}, {0, 1, 0, 0}};
  std::vector<uint32_t> tokens[2];
  std::vector<float> probabilities[2], decisions[2];
  const auto speak = [&](const Engine &engine, size_t which) {
    std::vector<State> states;
    for (uint32_t i = 0; i < 3; ++i) {
      states.push_back(engine.open());
      engine.feed(states[i], some_tokens(4 + i, vocab, i));
      CHECK(rwkv_state_set_sampler(states[i], settings[i][0], settings[i][1], settings[i][2], settings[i][3]) == RWKV_OK);
      const int32_t status = i == 0 ? rwkv_state_put_decide(states[i], 7, .01f, 12, 40 + i)
                                    : rwkv_state_put_decode(states[i], 12, 40 + i);
      CHECK(status == RWKV_OK);
    }
    for (const State &state : states) {
      engine.run_until_edge(state);
      std::vector<float> p;
      const auto chosen = state.take(&p);
      CHECK(chosen.size() == 12);
      tokens[which].insert(tokens[which].end(), chosen.begin(), chosen.end());
      probabilities[which].insert(probabilities[which].end(), p.begin(), p.end());
    }
    decisions[which].push_back(states[0].decision().first);
    const auto before = states[1].memory();
    CHECK(rwkv_state_put_decide(states[1], 7, 1, 5, 1) == RWKV_OK); // never sure enough: silence, no trace
    engine.run_until_edge(states[1]);
    CHECK(states[1].take().empty());
    CHECK(same_bits(states[1].memory(), before));
  };
  speak(CudaEngine(path), 0), speak(CpuEngine(path), 1);
  CHECK(tokens[0] == tokens[1]);
  CHECK(distance(probabilities[0], probabilities[1]) < 1e-4);
  CHECK(distance(decisions[0], decisions[1]) < 1e-5);
}

// A picture goes layer by layer, with its rows put back between layers.
void pictures(const std::string &path) {
  const auto vectors = some_vectors(11, width);
  std::vector<float> memory[2];
  const auto see = [&](const Engine &engine, std::vector<float> &out) {
    const State state = engine.open();
    CHECK(rwkv_state_put_span(state, vectors.data(), 11, width, RWKV_SCAN_MULTIDIRECTION, 3, 3) == RWKV_OK);
    engine.run_until_edge(state);
    out = state.memory();
  };
  see(CudaEngine(path), memory[0]), see(CpuEngine(path), memory[1]);
  CHECK(distance(memory[0], memory[1]) < 1e-5);
}

// Matrices that become integers while they are read: both devices hold the same ones, and multiply them as they please.
void same_quantised(uint32_t format, double tolerance) {
  constexpr uint32_t wide = 256; // whole blocks of q4
  auto spec = rwkv7_spec(wide, 1);
  const TemporaryFile file(bytes_of(generate(spec)));
  std::vector<float> logits[2];
  for (const char *device : {"cuda", "cpu:plain"}) {
    on_device(device);
    rwkv_engine *engine = nullptr;
    rwkv_state *opened = nullptr;
    CHECK(rwkv_engine_new(RWKV_DEVICE_AUTO, 2, 1, &engine) == RWKV_OK);
    const auto *const path = reinterpret_cast<const uint8_t *>(file.path().data());
    CHECK(rwkv_engine_put_path(engine, path, file.path().size()) == RWKV_OK);
    CHECK(rwkv_engine_set_format(engine, format) == RWKV_OK);
    CHECK(rwkv_engine_load(engine) == RWKV_OK);
    CHECK(rwkv_state_new(engine, &opened) == RWKV_OK);
    {
      const State state(opened);
      CHECK(state.put({3, 1, 4, 1, 5}) == RWKV_OK);
      while (state.pending() > 0) CHECK(rwkv_engine_run(engine) == RWKV_OK);
      logits[device[1] == 'p'] = state.logits(32);
    }
    rwkv_engine_close(engine);
  }
  const double error = distance(logits[0], logits[1]);
  CHECK(error < tolerance);
  std::printf("logits of format %u: normalised error to the CPU %.2g, at most %.2g\n", format, error, tolerance);
}

} // namespace

int main() {
  const TemporaryFile exact(bytes_of(test_model()));
  same_logits(exact.path(), 1e-5);
  rows_do_not_matter(exact.path());
  fork_and_reset(exact.path());
  states_travel(exact.path());
  same_tokens(exact.path());
  pictures(exact.path());
  for (const Type type : {Type::f16, Type::bf16}) {
    const auto of_matrices = [&](const std::string &name) { return is_large(name) ? type : Type::f32; };
    Tensors weights = test_model();
    for (auto &[name, tensor] : weights) {
      for (float &value : tensor.values) value = is_large(name) ? cut_to(type, value) : value;
    }
    const TemporaryFile file(bytes_of(weights, of_matrices));
    same_logits(file.path(), 3e-3);
    rows_do_not_matter(file.path());
  }
  same_quantised(RWKV_WEIGHTS_Q8, 3e-3), same_quantised(RWKV_WEIGHTS_Q4, 3e-3);
  return report("device_laws");
}
