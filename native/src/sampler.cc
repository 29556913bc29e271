#include "sampler.h"

#include "ops/cpu/exp_f32.h"

#include <algorithm>

namespace rwkv {
namespace {

constexpr float lowest = -3.0e38f; // stands for −∞; a difference with it stays a number after clamping

float readable(float logit) { return logit > lowest ? std::min(logit, -lowest) : lowest; } // NaN is not > lowest

float maximum(std::span<const float> logits) {
  float best = lowest;
  for (const float logit : logits) best = std::max(best, readable(logit));
  return best;
}

double total_weight(std::span<const float> logits, float best) {
  double total = 0;
  for (const float logit : logits) total += exp_f32(readable(logit) - best);
  return total;
}

bool before(const Candidate &a, const Candidate &b) {
  return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
}

// Moves the smallest set of likeliest candidates that reaches top_p to the front, likeliest first.
size_t nucleus(std::span<Candidate> all, float best, float top_p) {
  double total = 0;
  for (const Candidate &candidate : all) total += exp_f32(candidate.logit - best);
  const auto after = [](const Candidate &a, const Candidate &b) { return before(b, a); };
  // pop_heap puts the best at the back, so the nucleus grows from the back and is turned round at the end.
  std::make_heap(all.begin(), all.end(), after);
  size_t taken = 0;
  double sum = 0;
  while (taken < all.size() && (taken == 0 || sum < top_p * total)) {
    std::pop_heap(all.begin(), all.end() - static_cast<ptrdiff_t>(taken), after);
    ++taken;
    sum += exp_f32(all[all.size() - taken].logit - best);
  }
  std::reverse(all.begin(), all.end());
  return taken;
}

} // namespace

double uniform(uint64_t seed, uint64_t index) {
  // Two rounds of a mixing function (splitmix64) over seed and index.
  const auto mix = [](uint64_t x) {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
  };
  return static_cast<double>(mix(mix(seed) ^ index) >> 11) * 0x1p-53;
}

float probability_of(std::span<const float> logits, uint32_t token) {
  const float best = maximum(logits);
  return static_cast<float>(exp_f32(readable(logits[token]) - best) / total_weight(logits, best));
}

Chosen choose(std::span<const float> logits, const Draw &draw, std::span<Candidate> scratch) {
  const SamplerSettings &settings = draw.settings;
  const auto all = scratch.first(logits.size());
  for (uint32_t token = 0; token < logits.size(); ++token) all[token] = {readable(logits[token]), token};
  for (const TokenCount &seen : draw.counts) {
    float &logit = all[seen.token].logit;
    logit = readable(logit - settings.presence_penalty - settings.count_penalty * static_cast<float>(seen.count));
  }
  auto open = all;
  if (draw.barred < all.size() && all.size() > 1) {
    std::swap(all[draw.barred], all.back());
    open = all.first(all.size() - 1);
  }
  const auto chosen = [&](uint32_t token) { return Chosen{token, probability_of(logits, token)}; };

  const Candidate top = *std::min_element(open.begin(), open.end(), before);
  if (settings.temperature == 0.0f) return chosen(top.token);

  const auto inside = open.first(settings.top_p < 1.0f ? nucleus(open, top.logit, settings.top_p) : open.size());
  const auto weight = [&](const Candidate &candidate) {
    return exp_f32((candidate.logit - top.logit) / settings.temperature);
  };
  double total = 0;
  for (const Candidate &candidate : inside) total += weight(candidate);
  double left = uniform(draw.seed, draw.index) * total;
  for (const Candidate &candidate : inside) {
    left -= weight(candidate);
    if (left < 0) return chosen(candidate.token);
  }
  return chosen(top.token); // rounding ate the last sliver
}

} // namespace rwkv
