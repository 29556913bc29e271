// The only file with extern "C": checks what came across, calls the engine, and turns whatever is thrown into
// a status and a sentence. Nothing else may catch everything.
#include "rwkv.h"

#include "engine.h"
#include "failure.h"
#include "verbs.h"

#include <algorithm>
#include <new>

using namespace rwkv;

namespace {

Engine &of(rwkv_engine *engine) { return *reinterpret_cast<Engine *>(engine); }
Slot &of(rwkv_state *state) { return *reinterpret_cast<Slot *>(state); }
rwkv_state *handle(Slot &slot) { return reinterpret_cast<rwkv_state *>(&slot); }

// `no_memory` is what a failed allocation means for this verb: MEMORY for load, FULL for a put.
template <typename Body>
int32_t guarded(Engine &engine, int32_t no_memory, const Body &body) noexcept {
  try {
    body();
    return RWKV_OK;
  } catch (const Failure &failure) {
    engine.set_sentence(failure.sentence);
    return failure.status;
  } catch (const std::bad_alloc &) {
    engine.set_sentence("Cannot go on: out of memory");
    return no_memory;
  } catch (const std::exception &problem) {
    engine.set_sentence(problem.what());
    return RWKV_INTERNAL;
  } catch (...) {
    engine.set_sentence("Cannot go on: an exception of unknown type");
    return RWKV_INTERNAL;
  }
}

template <typename Body>
int32_t on_engine(rwkv_engine *engine, const Body &body) noexcept {
  if (!engine) return RWKV_MISUSE;
  return guarded(of(engine), RWKV_MEMORY, [&] { body(of(engine)); });
}

template <typename Body>
int32_t on_state(rwkv_state *state, const Body &body) noexcept {
  if (!state) return RWKV_MISUSE;
  Slot &slot = of(state);
  return guarded(*slot.engine, RWKV_FULL, [&] { body(slot, *slot.engine); });
}

void require(bool holds, const char *sentence) {
  if (!holds) fail(RWKV_MISUSE, sentence);
}

// True for NULL only when there is nothing to point at.
bool points(const void *pointer, size_t count) { return pointer || count == 0; }

// Moves rows of `width` floats out; without `out` it only tells how many wait.
void take_rows(Slot &slot, RowRing Outbox::*ring, size_t width, float *out, size_t out_count, size_t &rows) {
  std::lock_guard lock(slot.mutex);
  RowRing &from = slot.outbox.*ring;
  rows = out && width > 0 ? from.take(out, out_count / width, width) : from.count();
}

} // namespace

extern "C" {

uint32_t rwkv_abi_version(void) { return RWKV_ABI_VERSION; }

int32_t rwkv_engine_new(uint32_t device, uint32_t states_max, uint32_t threads, rwkv_engine **out) {
  if (!out || device > RWKV_DEVICE_CUDA || states_max < 1 || states_max > limits::states ||
      threads > limits::threads) {
    return RWKV_MISUSE;
  }
  try {
    *out = reinterpret_cast<rwkv_engine *>(new Engine(device, states_max, threads));
    return RWKV_OK;
  } catch (const std::bad_alloc &) {
    return RWKV_MEMORY;
  } catch (...) {
    return RWKV_INTERNAL;
  }
}

int32_t rwkv_engine_put_path(rwkv_engine *engine, const uint8_t *path, size_t path_bytes) {
  return on_engine(engine, [&](Engine &self) {
    require(path && path_bytes > 0 && path_bytes <= limits::path_bytes, "Cannot put a path: it is empty or too long");
    std::string text(reinterpret_cast<const char *>(path), path_bytes);
    require(text.find('\0') == std::string::npos, "Cannot put a path: it holds a zero byte");
    self.put_path(std::move(text));
  });
}

int32_t rwkv_engine_set_format(rwkv_engine *engine, uint32_t format) {
  return on_engine(engine, [&](Engine &self) {
    require(format <= RWKV_WEIGHTS_Q4, "Cannot set a format: there is no such format");
    constexpr std::optional<Format> formats[] = {std::nullopt, Format::f16, Format::bf16, Format::q8, Format::q4};
    self.set_format(formats[format]);
  });
}

int32_t rwkv_engine_load(rwkv_engine *engine) {
  return on_engine(engine, [](Engine &self) { self.load(); });
}

int32_t rwkv_engine_run(rwkv_engine *engine) {
  return on_engine(engine, [](Engine &self) { self.run(); });
}

int32_t rwkv_engine_info(rwkv_engine *engine, uint32_t key, uint64_t *out) {
  return on_engine(engine, [&](Engine &self) {
    require(out, "Cannot tell info: out is NULL");
    *out = self.info(key);
  });
}

int32_t rwkv_engine_model_hash(rwkv_engine *engine, uint8_t *out, size_t out_bytes) {
  return on_engine(engine, [&](Engine &self) {
    const auto &hash = self.shape().hash;
    require(points(out, out_bytes), "Cannot copy the model hash: out is NULL");
    if (out_bytes < hash.size()) fail(RWKV_SPACE, "Cannot copy the model hash: 32 bytes are needed");
    std::copy(hash.begin(), hash.end(), out);
  });
}

int32_t rwkv_engine_sentence(rwkv_engine *engine, uint8_t *out, size_t out_bytes, size_t *length) {
  if (!engine || !length || !points(out, out_bytes)) return RWKV_MISUSE; // must not replace the sentence
  *length = of(engine).copy_sentence({out, out_bytes});
  return out_bytes < *length ? RWKV_SPACE : RWKV_OK;
}

void rwkv_engine_close(rwkv_engine *engine) {
  if (engine) of(engine).close();
}

int32_t rwkv_state_new(rwkv_engine *engine, rwkv_state **out) {
  return on_engine(engine, [&](Engine &self) {
    require(out, "Cannot open a state: out is NULL");
    *out = handle(self.new_state());
  });
}

int32_t rwkv_state_fork(rwkv_state *parent, rwkv_state **out) {
  return on_state(parent, [&](Slot &slot, Engine &engine) {
    require(out, "Cannot fork the state: out is NULL");
    *out = handle(engine.fork(slot));
  });
}

int32_t rwkv_state_reset(rwkv_state *state) {
  return on_state(state, [](Slot &slot, Engine &engine) { engine.reset(slot); });
}

void rwkv_state_close(rwkv_state *state) {
  if (state) of(state).engine->close(of(state));
}

int32_t rwkv_state_put_tokens(rwkv_state *state, const uint32_t *tokens, size_t count) {
  return on_state(state, [&](Slot &slot, Engine &) {
    require(points(tokens, count), "Cannot put tokens: the array is NULL");
    verbs::put_tokens(slot, {tokens, count});
  });
}

int32_t rwkv_state_put_vectors(rwkv_state *state, const float *vectors, size_t count, size_t width) {
  return on_state(state, [&](Slot &slot, Engine &) {
    require(points(vectors, count), "Cannot put vectors: the array is NULL");
    verbs::put_vectors(slot, vectors, count, width);
  });
}

int32_t rwkv_state_put_span(rwkv_state *state, const float *vectors, size_t count, size_t width, uint32_t scan,
                            size_t rows, size_t columns) {
  return on_state(state, [&](Slot &slot, Engine &) {
    require(points(vectors, count), "Cannot put a span: the array is NULL");
    verbs::put_span(slot, vectors, count, width, {scan, rows, columns});
  });
}

int32_t rwkv_state_set_sampler(rwkv_state *state, float temperature, float top_p, float presence_penalty,
                               float count_penalty) {
  return on_state(state, [&](Slot &slot, Engine &) {
    verbs::set_sampler(slot, {temperature, top_p, presence_penalty, count_penalty});
  });
}

int32_t rwkv_state_set_stops(rwkv_state *state, const uint32_t *tokens, size_t count) {
  return on_state(state, [&](Slot &slot, Engine &) {
    require(points(tokens, count), "Cannot set stop tokens: the array is NULL");
    verbs::set_stops(slot, {tokens, count});
  });
}

int32_t rwkv_state_put_decode(rwkv_state *state, uint32_t tokens_max, uint64_t seed) {
  return on_state(state, [&](Slot &slot, Engine &) { verbs::put_decode(slot, tokens_max, seed); });
}

int32_t rwkv_state_put_decide(rwkv_state *state, uint32_t silence_token, float threshold, uint32_t tokens_max,
                              uint64_t seed) {
  return on_state(state, [&](Slot &slot, Engine &) {
    verbs::put_decide(slot, silence_token, threshold, tokens_max, seed);
  });
}

int32_t rwkv_state_stop(rwkv_state *state) {
  return on_state(state, [](Slot &slot, Engine &) {
    std::lock_guard lock(slot.mutex);
    slot.stop();
  });
}

int32_t rwkv_state_take_tokens(rwkv_state *state, uint32_t *tokens, float *probabilities, size_t out_count,
                               size_t *taken) {
  return on_state(state, [&](Slot &slot, Engine &) {
    require(taken && points(tokens, out_count) && points(probabilities, out_count),
            "Cannot take tokens: an array is NULL");
    std::lock_guard lock(slot.mutex);
    *taken = slot.outbox.take_tokens(tokens, probabilities, out_count);
  });
}

int32_t rwkv_state_read_pending(rwkv_state *state, uint64_t *positions) {
  return on_state(state, [&](Slot &slot, Engine &) {
    require(positions, "Cannot read pending: out is NULL");
    std::lock_guard lock(slot.mutex);
    *positions = slot.pending();
  });
}

int32_t rwkv_state_read_decision(rwkv_state *state, float *p_speak, uint64_t *decisions) {
  return on_state(state, [&](Slot &slot, Engine &) {
    require(p_speak && decisions, "Cannot read the decision: out is NULL");
    std::lock_guard lock(slot.mutex);
    *p_speak = slot.outbox.p_speak;
    *decisions = slot.outbox.decisions;
  });
}

int32_t rwkv_state_read_logits(rwkv_state *state, float *out, size_t out_count) {
  return on_state(state, [&](Slot &slot, Engine &engine) {
    const size_t vocab = engine.shape().vocab;
    require(points(out, out_count), "Cannot read logits: out is NULL");
    if (out_count < vocab) fail(RWKV_SPACE, "Cannot read logits: " + std::to_string(vocab) + " floats are needed");
    engine.read_logits(slot, {out, vocab});
  });
}

int32_t rwkv_state_set_keep_logits(rwkv_state *state, uint32_t keep) {
  return on_state(state, [&](Slot &slot, Engine &) { verbs::set_keep_logits(slot, keep); });
}

int32_t rwkv_state_take_logits(rwkv_state *state, float *out, size_t out_count, size_t *rows) {
  return on_state(state, [&](Slot &slot, Engine &engine) {
    require(rows && points(out, out_count), "Cannot take logits: an array is NULL");
    take_rows(slot, &Outbox::logits, engine.shape().vocab, out, out_count, *rows);
  });
}

int32_t rwkv_state_set_keep_vectors(rwkv_state *state, uint32_t keep) {
  return on_state(state, [&](Slot &slot, Engine &) { verbs::set_keep_vectors(slot, keep); });
}

int32_t rwkv_state_take_vectors(rwkv_state *state, float *out, size_t out_count, size_t *rows) {
  return on_state(state, [&](Slot &slot, Engine &engine) {
    require(rows && points(out, out_count), "Cannot take vectors: an array is NULL");
    take_rows(slot, &Outbox::vectors, engine.shape().width, out, out_count, *rows);
  });
}

int32_t rwkv_state_export(rwkv_state *state, uint8_t *out, size_t out_bytes, size_t *length) {
  return rwkv_state_export_as(state, RWKV_BLOB_F32, out, out_bytes, length);
}

int32_t rwkv_state_export_as(rwkv_state *state, uint32_t kind, uint8_t *out, size_t out_bytes, size_t *length) {
  return on_state(state, [&](Slot &slot, Engine &engine) {
    require(length && points(out, out_bytes), "Cannot export the state: out is NULL");
    require(kind <= RWKV_BLOB_F16, "Cannot export the state: there is no such kind of blob");
    *length = blob_bytes(engine.shape(), static_cast<BlobKind>(kind));
    if (!out) return;
    if (out_bytes < *length) {
      fail(RWKV_SPACE, "Cannot export the state: " + std::to_string(*length) + " bytes are needed");
    }
    engine.export_state(slot, static_cast<BlobKind>(kind), {out, *length});
  });
}

int32_t rwkv_state_import(rwkv_state *state, const uint8_t *blob, size_t blob_bytes) {
  return on_state(state, [&](Slot &slot, Engine &engine) {
    require(points(blob, blob_bytes), "Cannot import the state: the blob is NULL");
    engine.import_state(slot, {blob, blob_bytes});
  });
}

} // extern "C"
