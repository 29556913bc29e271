// The sampler of the device against that of the CPU: the same token and probability from the same logits, whatever the
// settings; and the exponential of both, to the bit.
// Sources: sample.cu ../src/sampler.cc
#include "../../src/ops/cpu/exp_f32.h"
#include "../../src/sampler.h"
#include "../exponential.h"
#include "../sample.h"
#include "on_device.h"

using namespace rwkv;
using namespace rwkv::cuda;

namespace {

__global__ void exponentials(const float *x, float *y, uint32_t count) {
  const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  y[3 * i] = exponential(x[i]), y[3 * i + 1] = sigmoid(x[i]), y[3 * i + 2] = hyperbolic_tangent(x[i]);
}

void same_exponential(Noise &noise) {
  auto x = noise.reals(500, 100);
  x.insert(x.end(), {0, -0.0f, 1e-30f, 88, 89, -87, -1000, 1000});
  const OnDevice<float> in(x), out(3 * x.size());
  LAUNCH(exponentials, static_cast<unsigned>(x.size() + 63) / 64, 64, 0, nullptr, static_cast<float *>(in),
         static_cast<float *>(out), static_cast<uint32_t>(x.size()));
  std::vector<float> wanted;
  for (const float value : x) wanted.insert(wanted.end(), {exp_f32(value), sigmoid_f32(value), tanh_f32(value)});
  CHECK(same_bits(out.get(), wanted));
}

struct Case {
  Draw draw;
  std::vector<TokenCount> counts;
  std::vector<float> logits;
  uint32_t silence = no_token;
  float threshold = 0;
};

Case random_case(uint32_t vocab, Noise &noise) {
  Case out;
  out.logits = noise.reals(vocab, noise.below(2) ? 3.0f : 12.0f);
  if (noise.below(3) == 0) { // ties, also of zeros of both signs
    for (float &logit : out.logits) logit = std::trunc(logit / 4);
  }
  if (noise.below(4) == 0) out.logits[noise.below(vocab)] = noise.below(2) ? NAN : INFINITY;
  if (noise.below(4) == 0) out.logits[noise.below(vocab)] = -INFINITY;
  constexpr float temperatures[] = {0, .3f, 1, 2.5f}, tops[] = {1e-6f, .3f, .9f, 1};
  out.draw.settings = {temperatures[noise.below(4)], tops[noise.below(4)], noise.below(2) ? .7f : 0, noise.below(2) ? .4f : 0};
  for (uint32_t token = noise.below(3); token < vocab && noise.below(9) > 0; token += 1 + noise.below(5)) {
    out.counts.push_back({token, 1 + noise.below(3)});
  }
  if (noise.below(3) == 0) out.draw.barred = noise.below(2) ? noise.below(vocab) : vocab - 1;
  out.draw.seed = noise.below(1 << 30), out.draw.index = noise.below(4096);
  if (noise.below(3) == 0) {
    out.silence = out.draw.barred = noise.below(vocab);
    out.threshold = noise.below(2) ? 1.0f - 1.0f / static_cast<float>(vocab) : .2f;
  }
  return out;
}

std::vector<DeviceAnswer> run(const std::vector<Case> &cases, uint32_t vocab) {
  std::vector<float> logits;
  std::vector<DeviceQuestion> questions;
  std::vector<uint2> counts{{0, 0}};
  for (const Case &one : cases) {
    const auto first = static_cast<uint32_t>(counts.size());
    for (const TokenCount &seen : one.counts) counts.push_back({seen.token, seen.count});
    logits.insert(logits.end(), one.logits.begin(), one.logits.end());
    const SamplerSettings &settings = one.draw.settings;
    questions.push_back({settings.temperature, settings.top_p, settings.presence_penalty, settings.count_penalty,
                         one.draw.barred, one.silence, one.threshold, first, static_cast<uint32_t>(counts.size()),
                         uniform(one.draw.seed, one.draw.index)});
  }
  const OnDevice<float> in(logits), open(logits.size());
  const OnDevice<DeviceQuestion> asked(questions);
  const OnDevice<uint2> seen(counts);
  const OnDevice<DeviceAnswer> answers(cases.size());
  launch_sampling({in, open, asked, seen, answers, static_cast<uint32_t>(cases.size()), vocab}, nullptr);
  return answers.get();
}

void same_tokens(uint32_t vocab, size_t count, Noise &noise) {
  std::vector<Case> cases;
  for (size_t i = 0; i < count; ++i) cases.push_back(random_case(vocab, noise));
  const auto answers = run(cases, vocab);
  std::vector<Candidate> scratch(vocab);
  for (size_t i = 0; i < count; ++i) {
    Case &one = cases[i];
    one.draw.counts = one.counts;
    float p_speak = -1;
    if (one.silence != no_token) p_speak = 1.0f - probability_of(one.logits, one.silence);
    const bool speaks = one.silence == no_token || p_speak >= one.threshold;
    CHECK_NEAR(answers[i].p_speak, p_speak, 1e-7);
    CHECK(answers[i].speaks == speaks);
    if (!speaks) continue;
    const Chosen wanted = choose(one.logits, one.draw, scratch);
    CHECK(answers[i].token == wanted.token);
    CHECK_NEAR(answers[i].probability, wanted.probability, 1e-7);
  }
}

// What one thread changes in the logits, another one has written before and reads afterwards: the greatest logit is lowered,
// or barred, by a thread that is not the one of its token.
Case greatest_changes(float penalty, bool barred, Noise &noise) {
  Case one;
  one.logits = noise.reals(300);
  const uint32_t greatest = 270, next = 60;
  one.logits[greatest] = 9, one.logits[next] = 8;
  for (uint32_t i = 0; i < 20; ++i) one.counts.push_back({i == 10 ? greatest : 100 + i, 1});
  one.draw.settings = {0, 1, penalty, 0};
  if (barred) one.draw.barred = greatest;
  return one;
}

void every_schedule_agrees(Noise &noise) {
  std::vector<Case> cases;
  cases.push_back(greatest_changes(3, false, noise)), cases.push_back(greatest_changes(0, true, noise));
  while (cases.size() < (emu::under_tsan ? 4 : 8)) {
    Case one = random_case(300, noise);
    one.draw.settings = {cases.size() % 2 ? 1.0f : .7f, cases.size() % 2 ? .6f : 1.0f, .1f, .1f};
    one.threshold = 0;
    cases.push_back(std::move(one));
  }
  const auto first = run(cases, 300);
  CHECK(first[0].token == 60 && first[1].token == 60);
  each_schedule([&] { CHECK(same_bits(run(cases, 300), first)); });
}

} // namespace

int main() {
  Noise noise;
  every_schedule_agrees(noise);
  if (emu::under_tsan) return report("sample"); // a block is 256 real threads: the rest would take minutes
  same_exponential(noise);
  same_tokens(1, 8, noise), same_tokens(2, 16, noise), same_tokens(300, 40, noise), same_tokens(1027, 12, noise);
  return report("sample");
}
