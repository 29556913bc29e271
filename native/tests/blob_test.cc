// States that travel in fp16: half the bytes, and an error that is stated here, of the numbers themselves and of the
// logits a hundred positions later. The order of the payload. What cannot be held is refused.
#include "rig.h"

#include <algorithm>

namespace {

constexpr uint32_t vocab = 32;

struct Setting {
  const char *name;
  Tensors weights;
};

double rms(const std::vector<float> &row) {
  double sum = 0;
  for (const float value : row) sum += double{value} * value;
  return std::sqrt(sum / static_cast<double>(row.size()));
}

// Root mean square of the difference, as a share of that of b.
double error_of(const std::vector<float> &a, const std::vector<float> &b) {
  std::vector<float> difference(a.size());
  for (size_t i = 0; i < a.size(); ++i) difference[i] = a[i] - b[i];
  return rms(difference) / rms(b);
}

void round_trip(const Setting &setting) {
  const TemporaryFile file(bytes_of(setting.weights));
  const Engine engine(file.path());
  const State origin = engine.open(), whole = engine.open(), half = engine.open();
  engine.feed(origin, some_tokens(200, vocab));
  const auto full = origin.blob(), blob = origin.half_blob();
  CHECK(blob.size() == engine.info(RWKV_INFO_BLOB_HALF_BYTES));
  CHECK(2 * (blob.size() - 104) == full.size() - 104); // all but header and checksum
  CHECK(origin.blob() == full);                        // unchanged by what left
  CHECK(whole.import(full) == RWKV_OK && half.import(blob) == RWKV_OK);
  const auto exact = whole.memory(), rounded = half.memory();
  for (size_t i = 0; i < exact.size(); ++i) {
    CHECK_NEAR(rounded[i], exact[i], std::max(std::fabs(exact[i]) * 0x1p-11, 0x1p-25)); // as rwkv.h says
  }
  CHECK(half.half_blob() == blob); // a second trip rounds nothing

  const double now = error_of(half.logits(vocab), whole.logits(vocab));
  const auto more = some_tokens(100, vocab, 7);
  engine.feed(whole, more), engine.feed(half, more);
  const double later = error_of(half.logits(vocab), whole.logits(vocab));
  std::printf("%s: logits off by %.1e at once, %.1e after 100 positions\n", setting.name, now, later);
  CHECK(now > 0 && now < 1e-3 && later < 1e-3);
}

// [layer: att_prev | S | ffn_prev], S of RWKV-7 as [head][value][key]: what one token leaves is v kᵀ.
void order_of_the_payload() {
  const TemporaryFile file(bytes_of(tiny_rwkv7()));
  const Engine engine(file.path());
  const State state = engine.open();
  engine.feed(state, {3});
  const auto memory = state.memory();
  const float *const s = memory.data() + 128; // of layer 0, head 0
  // Rank 1: every 2 x 2 minor vanishes, so the payload is a product of values and keys. That rows are values follows from
  // the second token: what is removed is along a key, and golden numbers of the specification (model_test.cc) see it.
  for (size_t i = 1; i < 64; ++i) {
    CHECK_NEAR(double{s[0]} * s[i * 64 + i], double{s[i]} * s[i * 64], 1e-6);
  }
}

void what_fp16_cannot_hold() {
  Tensors loud = tiny_rwkv7(); // the newest vector is a norm times this weight
  for (float &value : loud["ln_out.weight"].values) value *= 1e6f;
  const TemporaryFile file(bytes_of(loud));
  const Engine engine(file.path());
  const State large = engine.open();
  engine.feed(large, {1, 2});
  size_t length = 0;
  std::vector<uint8_t> out(engine.info(RWKV_INFO_BLOB_HALF_BYTES));
  CHECK(rwkv_state_export_as(large, RWKV_BLOB_F16, out.data(), out.size(), &length) == RWKV_MISUSE);
  CHECK(engine.sentence().starts_with("Cannot export the state as fp16: it holds "));
  const State again = engine.open();
  CHECK(again.import(large.blob()) == RWKV_OK && again.blob() == large.blob());
}

void damage_is_seen() {
  const TemporaryFile file(bytes_of(tiny_rwkv7()));
  const Engine engine(file.path());
  const State state = engine.open();
  engine.feed(state, {1, 2});
  const auto good = state.half_blob(), before = state.blob();
  for (size_t at = 0; at < good.size(); at += at < 128 ? 1 : 97) {
    auto bad = good;
    bad[at] ^= static_cast<uint8_t>(1 << at % 8);
    CHECK(state.import(bad) == RWKV_FOREIGN);
  }
  CHECK(state.blob() == before);
}

} // namespace

int main() {
  round_trip({"RWKV-7", tiny_rwkv7()});
  round_trip({"RWKV-6", tiny_rwkv6()});
  round_trip({"RWKV-5", tiny_rwkv5()});
  order_of_the_payload();
  what_fp16_cannot_hold();
  damage_is_seen();
  return report("blob");
}
