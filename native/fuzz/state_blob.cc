// Any bytes as the blob of a state. The first byte says how much is made right before import, as no fuzzer guesses a
// hash of 32 bytes or a checksum: what is behind them is tried too.
#include "small_model.h"

#include <bit>
#include <cstring>
#include <vector>

namespace {

constexpr size_t header_bytes = 96, checksum_bytes = 8;

// As state.cc defines it, over `count` bytes.
uint64_t checksum(const uint8_t *bytes, size_t count) {
  const auto take = [](uint64_t sum, uint64_t word) { return std::rotl((sum ^ word) * 0x9e3779b97f4a7c15, 29); };
  uint64_t lanes[4] = {1, 2, 3, 4}, sum = count;
  for (size_t at = 0; at < count; at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, bytes + at, std::min<size_t>(8, count - at));
    lanes[at / 8 % 4] = take(lanes[at / 8 % 4], word);
  }
  for (const uint64_t lane : lanes) sum = take(sum, lane);
  return sum;
}

std::vector<uint8_t> exported(rwkv_state *state, uint32_t kind) {
  size_t length = 0;
  fuzz::rule(rwkv_state_export_as(state, kind, nullptr, 0, &length) == RWKV_OK, "an export tells its size");
  std::vector<uint8_t> out(length);
  const int32_t status = rwkv_state_export_as(state, kind, out.data(), out.size(), &length);
  if (kind == RWKV_BLOB_F16 && status == RWKV_MISUSE) return {}; // beyond fp16
  fuzz::rule(status == RWKV_OK, "a state is exported");
  return out;
}

rwkv_engine *loaded() {
  rwkv_engine *const engine = fuzz::engine_of(fuzz::small_model(), 2, 1);
  fuzz::rule(rwkv_engine_load(engine) == RWKV_OK, "the small model loads");
  return engine;
}

// A good blob, with bytes of the input instead of its own from a place on.
std::vector<uint8_t> patched(const std::vector<uint8_t> &good, const uint8_t *bytes, size_t count) {
  std::vector<uint8_t> blob = good;
  uint16_t at = 0;
  if (count >= 2) std::memcpy(&at, bytes, 2), bytes += 2, count -= 2;
  const size_t from = at * size_t{4} % blob.size();
  if (count > 0) std::memcpy(blob.data() + from, bytes, std::min(count, blob.size() - from));
  return blob;
}

} // namespace

void fuzz::state_blob(const uint8_t *bytes, size_t count) {
  static rwkv_engine *const engine = loaded();
  if (count == 0) return;
  const uint8_t how = bytes[0];
  rwkv_state *state = nullptr;
  rule(rwkv_state_new(engine, &state) == RWKV_OK, "a state opens");
  const uint32_t token = 3;
  const auto feed = [&] {
    rule(rwkv_state_put_tokens(state, &token, 1) == RWKV_OK && rwkv_engine_run(engine) == RWKV_OK, "it steps");
  };
  feed();
  const std::vector<uint8_t> before = exported(state, RWKV_BLOB_F32);
  const uint32_t kind = how & 4 ? RWKV_BLOB_F16 : RWKV_BLOB_F32;
  std::vector<uint8_t> blob(bytes + 1, bytes + count);
  if (how & 1) blob = patched(exported(state, kind), bytes + 1, count - 1);
  if ((how & 2) && blob.size() >= checksum_bytes) {
    const uint64_t sum = checksum(blob.data(), blob.size() - checksum_bytes);
    std::memcpy(blob.data() + blob.size() - checksum_bytes, &sum, sizeof sum);
  }
  const int32_t status = rwkv_state_import(state, blob.data(), blob.size());
  if (status != RWKV_OK) {
    rule(status == RWKV_FOREIGN, "a bad blob is FOREIGN");
    rule(exported(state, RWKV_BLOB_F32) == before, "a refused blob changes nothing");
  } else {
    const auto after = exported(state, kind);
    const bool same = after.empty() || std::equal(blob.begin() + header_bytes, blob.end() - checksum_bytes,
                                                  after.begin() + header_bytes, after.end() - checksum_bytes);
    rule(same || kind == RWKV_BLOB_F16, "what was imported is exported");
    feed(); // whatever numbers it holds
    rule(rwkv_state_put_decode(state, 3, 7) == RWKV_OK, "a decode is queued");
    for (int run = 0; run < 3; ++run) rule(rwkv_engine_run(engine) == RWKV_OK, "it steps");
    float logits[small_vocab];
    rule(rwkv_state_read_logits(state, logits, small_vocab) == RWKV_OK, "it has logits");
  }
  rwkv_state_close(state);
}
