// What holds of every language batch, over the C boundary: the published loss and gradients, pieces are the whole, halves
// are the whole, a run that was interrupted is the run that was not.
#include "rig.h"

#include <algorithm>

namespace {

constexpr double tolerance = 2e-5; // of float32 against float32 in another order

struct Gradient {
  const char *name;
  size_t index;
  double wanted;
};

// Spec A.4, without the pull on the logits.
void published(const char *name, const Tensors &tensors, double loss, const std::vector<Gradient> &gradients) {
  const Rig rig(tensors);
  rig.set("l2wrap", 0);
  rig.ints("tokens", {1, 5}, {1, 5, 9, 3, 7});
  rig.ints("targets", {1, 5}, {-100, 9, 3, 7, -100});
  rig.accumulate();
  CHECK_NEAR(rig.scalar("loss"), loss, 2e-6);
  CHECK(rig.shape("loss").empty());
  CHECK(rig.shape("losses") == std::vector<int64_t>{1});
  for (const Gradient &one : gradients) {
    const auto found = rig.read(one.name, tensors.at(one.name).values.size(), RWKV_TRAIN_GRADIENT);
    CHECK_NEAR(found.at(one.index), one.wanted, 2e-8 + 1e-3 * std::fabs(one.wanted));
  }
  std::printf("%s %.7f\n", name, rig.scalar("loss"));
}

// Gradients of all tensors, one behind the other.
std::vector<float> gradients(const Rig &rig, const Tensors &tensors) {
  std::vector<float> out;
  for (const auto &[name, tensor] : tensors) {
    const auto one = rig.read(name, tensor.values.size(), RWKV_TRAIN_GRADIENT);
    out.insert(out.end(), one.begin(), one.end());
  }
  return out;
}

void put_batch(const Rig &rig, int64_t rows, int64_t time, const std::vector<int32_t> &tokens,
               const std::vector<int32_t> &targets) {
  rig.ints("tokens", {rows, time}, tokens);
  rig.ints("targets", {rows, time}, targets);
}

void checkpoints(const Tensors &tensors) {
  const auto tokens = some_tokens(3 * 40, 1), targets = some_tokens(3 * 40, 2);
  std::vector<float> found[2];
  float loss[2];
  for (int on = 0; on < 2; ++on) {
    const Rig rig(tensors);
    rig.set("grad_checkpoint", on);
    rig.set("carry", 1); // the second batch begins with a state
    for (int batch = 0; batch < 2; ++batch) put_batch(rig, 3, 40, tokens, targets), rig.accumulate();
    loss[on] = rig.scalar("loss");
    found[on] = gradients(rig, tensors);
  }
  CHECK(loss[0] == loss[1]);
  CHECK(size_of(found[0]) > 0.1);
  CHECK(distance(found[0], found[1]) <= 1e-6 * size_of(found[0]));
}

void pieces(const Tensors &tensors) {
  const auto tokens = some_tokens(2 * 60, 3), targets = some_tokens(2 * 60, 4);
  const Rig whole(tensors), parts(tensors);
  put_batch(whole, 2, 60, tokens, targets);
  whole.evaluate();
  parts.set("carry", 1);
  double sum = 0;
  const int64_t cuts[] = {0, 1, 17, 33, 60};
  const auto all = whole.output("logits");
  for (size_t piece = 0; piece + 1 < std::size(cuts); ++piece) {
    const int64_t from = cuts[piece], count = cuts[piece + 1] - from;
    std::vector<int32_t> some, wanted;
    for (int64_t row = 0; row < 2; ++row) {
      for (int64_t t = 0; t < count; ++t) {
        some.push_back(tokens[size_t(row * 60 + from + t)]), wanted.push_back(targets[size_t(row * 60 + from + t)]);
      }
    }
    put_batch(parts, 2, count, some, wanted);
    parts.accumulate();
    sum += parts.scalar("loss") * double(count) / 60;
  }
  CHECK_NEAR(sum, whole.scalar("loss"), 1e-5);
  CHECK(parts.carried().first == 2);
  // A row that is reset begins anew, the other goes on.
  const auto before = parts.carried().second;
  put_batch(parts, 2, 5, some_tokens(10, 5), some_tokens(10, 6));
  parts.ints("reset", {2}, {1, 0});
  parts.evaluate();
  const auto mixed = parts.output("logits");
  const Rig fresh(tensors);
  put_batch(fresh, 2, 5, some_tokens(10, 5), some_tokens(10, 6));
  fresh.evaluate();
  const auto anew = fresh.output("logits");
  const size_t half = anew.size() / 2;
  const auto first = [&](const std::vector<float> &x) { return std::vector<float>(x.begin(), x.begin() + long(half)); };
  const auto second = [&](const std::vector<float> &x) { return std::vector<float>(x.begin() + long(half), x.end()); };
  CHECK(distance(first(mixed), first(anew)) <= tolerance * size_of(first(anew)));
  CHECK(distance(second(mixed), second(anew)) > 0.01 * size_of(second(anew)));
  // Put back, the state gives the same again.
  CHECK(rwkv_trainer_put_carried(parts.trainer, 2, before.data(), before.size()) == RWKV_TRAIN_OK);
  parts.evaluate();
  CHECK(parts.output("logits") == mixed);
  // No rows: forgotten.
  CHECK(rwkv_trainer_put_carried(parts.trainer, 0, nullptr, 0) == RWKV_TRAIN_OK);
  CHECK(parts.carried().second.empty());
  parts.evaluate();
  CHECK(distance(parts.output("logits"), anew) <= tolerance * size_of(anew));
}

// Two micro-batches of two rows weigh as one of four, when the weights say so.
void halves(const Tensors &tensors) {
  const auto tokens = some_tokens(4 * 30, 7), targets = some_tokens(4 * 30, 8);
  std::vector<float> weights(4 * 30);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = float(i % 7) * 0.01f;
  const Rig whole(tensors), half(tensors);
  whole.set("l2wrap", 0), half.set("l2wrap", 0);
  put_batch(whole, 4, 30, tokens, targets);
  whole.floats("weights", {4, 30}, weights);
  whole.accumulate();
  double loss = 0;
  std::vector<float> losses;
  for (long at : {0L, 60L}) {
    put_batch(half, 2, 30, {tokens.begin() + at, tokens.begin() + at + 60}, {targets.begin() + at, targets.begin() + at + 60});
    half.floats("weights", {2, 30}, {weights.begin() + at, weights.begin() + at + 60});
    half.accumulate();
    loss += half.scalar("loss");
    const auto rows = half.output("losses");
    losses.insert(losses.end(), rows.begin(), rows.end());
  }
  CHECK_NEAR(loss, whole.scalar("loss"), 1e-5 * loss);
  CHECK(distance(losses, whole.output("losses")) < 1e-5);
  double sum = 0;
  for (const float one : losses) sum += one;
  CHECK_NEAR(sum, loss, 1e-5 * loss);
  const auto wanted = gradients(whole, tensors);
  CHECK(distance(gradients(half, tensors), wanted) <= tolerance * size_of(wanted));
  whole.apply(), half.apply();
  CHECK_NEAR(half.scalar("grad_norm"), size_of(wanted), 1e-4 * size_of(wanted));
  CHECK(size_of(gradients(half, tensors)) == 0);
}

// The pull on the largest logit, alone: gradients with it less those without.
void pull(const Tensors &tensors) {
  const auto tokens = some_tokens(2 * 6, 9);
  std::vector<int32_t> targets(2 * 6, -100);
  targets[3] = 4;
  std::vector<float> head[2];
  std::vector<float> logits;
  for (int on = 0; on < 2; ++on) {
    const Rig rig(tensors);
    rig.set("l2wrap", on * 0.5);
    put_batch(rig, 2, 6, tokens, targets);
    if (on) rig.evaluate(), logits = rig.output("logits");
    rig.accumulate();
    head[on] = rig.read("head.weight", 32 * 128, RWKV_TRAIN_GRADIENT);
  }
  // Σ over positions of largest² * .5 / 12 = Σ of the pull's gradient times the weights, as logits are linear in them.
  double wanted = 0, found = 0;
  for (size_t at = 0; at < 12; ++at) {
    const float largest = *std::max_element(logits.begin() + long(at * 32), logits.begin() + long(at * 32 + 32));
    wanted += double(largest) * largest * 0.5 / 12;
  }
  const auto &weight = tensors.at("head.weight").values;
  for (size_t i = 0; i < weight.size(); ++i) found += double(head[1][i] - head[0][i]) * weight[i];
  CHECK_NEAR(found, wanted, 1e-4 * wanted);
}

void train(const Rig &rig, int from, int to) {
  for (int step = from; step < to; ++step) {
    put_batch(rig, 2, 20, some_tokens(40, uint32_t(100 + step)), some_tokens(40, uint32_t(200 + step)));
    rig.ints("reset", {2}, {step % 3 == 0, step % 2});
    rig.accumulate();
    rig.apply();
  }
}

// A run read out after six steps and put into a new trainer goes on as the one that never stopped, to the bit.
void resume(const Tensors &tensors) {
  const auto settle = [&](const Rig &rig) {
    rig.set("lr", 1e-3), rig.set("carry", 1), rig.set("clip", 0.5);
    for (const auto &[name, tensor] : tensors) rig.group(name, name == "emb.weight" ? 0.5 : 1, 0.05);
    rig.group("blocks.0.ln0.weight", 0, 0);
  };
  const Rig through(tensors), before(tensors);
  settle(through), settle(before);
  train(through, 0, 11);
  train(before, 0, 6);
  const Rig after;
  for (const auto &[name, tensor] : tensors) {
    for (const uint32_t what : {RWKV_TRAIN_VALUE, RWKV_TRAIN_MOMENT1, RWKV_TRAIN_MOMENT2}) {
      after.good(after.put(name, {tensor.shape, before.read(name, tensor.values.size(), what)}, what));
    }
  }
  settle(after);
  after.set("step", 6);
  const auto [rows, state] = before.carried();
  CHECK(rows == 2 && size_of(state) > 0);
  CHECK(rwkv_trainer_put_carried(after.trainer, rows, state.data(), state.size()) == RWKV_TRAIN_OK);
  train(after, 6, 11);
  for (const auto &[name, tensor] : tensors) {
    CHECK(after.read(name, tensor.values.size()) == through.read(name, tensor.values.size()));
    CHECK((through.read(name, tensor.values.size()) == tensor.values) == (name == "blocks.0.ln0.weight"));
  }
  CHECK(after.carried().second == through.carried().second);
}

// Vectors stand where −1 is; a token's own embedding put there is the token. Padding changes nothing before it.
void vectors(const Tensors &tensors) {
  const Rig rig(tensors);
  const auto tokens = some_tokens(2 * 8, 11);
  rig.ints("tokens", {2, 8}, tokens);
  rig.evaluate();
  const auto wanted = rig.output("logits");
  auto mixed = tokens;
  std::vector<float> rows;
  for (const size_t at : {1, 2, 6, 9, 15}) {
    const float *const row = &tensors.at("emb.weight").values[size_t(tokens[at]) * 128];
    rows.insert(rows.end(), row, row + 128);
    mixed[at] = -1;
  }
  rig.ints("tokens", {2, 8}, mixed);
  rig.floats("vectors", {5, 128}, rows);
  rig.evaluate();
  CHECK(rig.output("logits") == wanted);
  mixed = tokens;
  mixed[6] = mixed[7] = mixed[15] = -2;
  rig.clear();
  rig.ints("tokens", {2, 8}, mixed);
  rig.evaluate();
  const auto padded = rig.output("logits");
  for (size_t row = 0; row < 2; ++row) {
    const size_t from = row * 8 * 32, count = (row == 0 ? 6 : 7) * 32;
    CHECK(std::equal(padded.begin() + long(from), padded.begin() + long(from + count), wanted.begin() + long(from)));
  }
}

} // namespace

int main() {
  const Tensors seven = tiny_rwkv7(), six = tiny_rwkv6();
  published("RWKV-7", seven, 3.7681756539,
            {{"emb.weight", 128, 1.038265e-2}, {"blocks.0.att.x_a", 9, 1.556085e-3},
             {"blocks.0.att.k_a", 6, -5.082922e-3}, {"blocks.1.att.r_k", 66, 6.974680e-3},
             {"blocks.0.att.a2", 4 * 128 + 5, 1.064218e-3}, {"blocks.0.ffn.key.weight", 3 * 128 + 4, 3.644410e-3},
             {"head.weight", 9 * 128 + 11, 3.161371e-1}});
  published("RWKV-6", six, 3.6806555630,
            {{"emb.weight", 128, 6.621278e-2}, {"blocks.0.att.time_faaaa", 66, 5.654385e-2},
             {"blocks.0.att.time_maa_x", 9, 1.857363e-2}, {"blocks.0.att.value.weight", 8 * 128 + 9, -2.970602e-2},
             {"head.weight", 9 * 128 + 11, -3.409912e-1}});
  for (const Tensors &tensors : {seven, six}) {
    checkpoints(tensors);
    pieces(tensors);
    halves(tensors);
    pull(tensors);
    resume(tensors);
    vectors(tensors);
  }
  return report("laws");
}
