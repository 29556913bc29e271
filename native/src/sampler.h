// Logits and a seed become a token. Pure: no memory but the caller's, no clock, no global random numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace rwkv {

struct SamplerSettings {
  float temperature = 1.0f; // 0: the best token, ties to the lowest id
  float top_p = 1.0f;
  float presence_penalty = 0.0f;
  float count_penalty = 0.0f;
};

struct TokenCount {
  uint32_t token, count;
};

struct Chosen {
  uint32_t token;
  float probability; // at temperature 1, before penalties, top-p and bars
};

inline constexpr uint32_t no_token = UINT32_MAX;

struct Draw {
  SamplerSettings settings;
  std::span<const TokenCount> counts; // tokens of this decode so far, each once
  uint32_t barred = no_token;         // never chosen
  uint64_t seed = 0;
  uint64_t index = 0; // position in this decode
};

// A token with its logit after penalties; scratch memory of choose, V of them.
struct Candidate {
  float logit;
  uint32_t token;
};

// softmax(logits)[token] at temperature 1. Logits that are not numbers count as −∞.
float probability_of(std::span<const float> logits, uint32_t token);

// The nucleus is taken from the probabilities at temperature 1 after penalties, as the RWKV samplers do, and
// the temperature shapes the choice inside it.
Chosen choose(std::span<const float> logits, const Draw &draw, std::span<Candidate> scratch);

// Uniform in [0, 1): a pure function of its arguments.
double uniform(uint64_t seed, uint64_t index);

} // namespace rwkv
