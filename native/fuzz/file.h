// A file without a name that is written anew for each input, and loading weights from it. Must not know what the bytes
// mean.
#pragma once

#include "targets.h"

#include <string>
#include <string_view>
#include <unistd.h>

namespace fuzz {

class File {
 public:
  // The bytes, and zeros behind them as a hole.
  void write(std::string_view bytes, size_t zeros) const {
    const auto size = static_cast<off_t>(bytes.size() + zeros);
    rule(file_ && ftruncate(number(), 0) == 0 && ftruncate(number(), size) == 0, "the file takes its size");
    rule(pwrite(number(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()), "the file is written");
  }
  std::string path() const { return "/dev/fd/" + std::to_string(number()); }

 private:
  int number() const { return fileno(file_); }
  std::FILE *file_ = std::tmpfile();
};

// An engine that named the file; load is still to come.
inline rwkv_engine *engine_of(const File &file, uint32_t states_max, uint32_t threads) {
  rwkv_engine *engine = nullptr;
  rule(rwkv_engine_new(RWKV_DEVICE_AUTO, states_max, threads, &engine) == RWKV_OK, "an engine is made");
  const std::string path = file.path();
  const auto *const text = reinterpret_cast<const uint8_t *>(path.data());
  rule(rwkv_engine_put_path(engine, text, path.size()) == RWKV_OK, "a path is put");
  return engine;
}

// What every file of weights must bear: it loads and steps, or it is refused with a status and a sentence.
// The input begins with two bytes of settings: zeros behind the rest, in pieces of 64 bytes, and the format.
inline void load_any(const uint8_t *bytes, size_t count) {
  static const File file;
  if (count < 2) return;
  const size_t zeros = (bytes[0] + (bytes[1] & 31u) * 256) * 64;
  file.write({reinterpret_cast<const char *>(bytes) + 2, count - 2}, zeros);
  rwkv_engine *const engine = engine_of(file, 2, 1);
  rule(rwkv_engine_set_format(engine, (bytes[1] >> 5) % 5) == RWKV_OK, "a format is set");
  const int32_t status = rwkv_engine_load(engine);
  rwkv_state *state = nullptr;
  if (status != RWKV_OK) {
    rule(status == RWKV_FORMAT || status == RWKV_FILE || status == RWKV_MEMORY, "a bad file is FORMAT, FILE or MEMORY");
    uint8_t sentence[1024];
    size_t length = 0;
    const int32_t told = rwkv_engine_sentence(engine, sentence, sizeof sentence, &length);
    rule(told == RWKV_OK && length > 0, "it has a sentence");
    rule(rwkv_state_new(engine, &state) == RWKV_MISUSE, "the engine stays unloaded");
  } else {
    rule(rwkv_state_new(engine, &state) == RWKV_OK, "a state opens");
    const uint32_t tokens[] = {0, 0};
    uint64_t vocab = 0;
    rule(rwkv_engine_info(engine, RWKV_INFO_VOCAB, &vocab) == RWKV_OK, "the vocabulary is known");
    rule(rwkv_state_put_tokens(state, tokens, 2) == (vocab > 0 ? RWKV_OK : RWKV_MISUSE), "tokens are put");
    if (vocab > 0) answered(rwkv_state_put_decode(state, 2, 1));
    rule(rwkv_engine_run(engine) == RWKV_OK && rwkv_engine_run(engine) == RWKV_OK, "it steps");
    rwkv_state_close(state);
  }
  rwkv_engine_close(engine);
}

} // namespace fuzz
