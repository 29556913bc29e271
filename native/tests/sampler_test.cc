// The sampler alone: greedy, temperature, top-p, penalties, bars, determinism, and logits that are no numbers.
#include "../src/sampler.h"

#include "check.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

using namespace rwkv;

namespace {

const std::vector<float> logits{1, 3, 2, 3, -1, 0};

Chosen pick(Draw draw, const std::vector<float> &from = logits) {
  std::vector<Candidate> scratch(from.size());
  return choose(from, draw, scratch);
}

// How often each token is chosen in 20,000 draws.
std::vector<double> shares(Draw draw, const std::vector<float> &from = logits) {
  constexpr int count = 20000;
  std::vector<double> out(from.size());
  for (int i = 0; i < count; ++i) {
    draw.index = static_cast<uint64_t>(i);
    out[pick(draw, from).token] += 1.0 / count;
  }
  return out;
}

std::vector<double> softmax(double temperature, const std::vector<float> &from = logits) {
  std::vector<double> out;
  double total = 0;
  for (const float logit : from) total += std::exp(logit / temperature);
  for (const float logit : from) out.push_back(std::exp(logit / temperature) / total);
  return out;
}

void greedy() {
  CHECK(pick({{0, 1, 0, 0}, {}}).token == 1); // 1 and 3 tie
  CHECK(pick({{0, 1, 0, 0}, {}, 1}).token == 3);
  CHECK(pick({{0, 0.01f, 0, 0}, {}}).token == 1);
  for (uint64_t seed = 0; seed < 50; ++seed) CHECK(pick({{0, 1, 0, 0}, {}, no_token, seed, seed}).token == 1);
}

void probabilities_are_raw() {
  const auto wanted = softmax(1);
  const std::vector<TokenCount> seen{{1, 4}, {3, 1}};
  for (uint64_t i = 0; i < 200; ++i) {
    const Chosen chosen = pick({{2.0f, 0.9f, 0.5f, 0.2f}, seen, 2, 9, i});
    CHECK_NEAR(chosen.probability, wanted[chosen.token], 1e-6);
  }
  for (uint32_t token = 0; token < logits.size(); ++token) {
    CHECK_NEAR(probability_of(logits, token), wanted[token], 1e-6);
  }
}

void temperature_shapes_the_choice() {
  for (const double temperature : {0.5, 1.0, 3.0}) {
    const auto got = shares({{static_cast<float>(temperature), 1, 0, 0}, {}}), wanted = softmax(temperature);
    // Four standard deviations of 20,000 draws are below 0.015.
    for (size_t i = 0; i < got.size(); ++i) CHECK_NEAR(got[i], wanted[i], 0.015);
  }
}

void top_p_keeps_the_likeliest() {
  // softmax: .063 .463/… the two best hold 0.77, the third lifts them to 0.92.
  const auto two = shares({{1, 0.6f, 0, 0}, {}});
  CHECK_NEAR(two[1], 0.5, 0.015);
  CHECK_NEAR(two[3], 0.5, 0.015);
  CHECK(two[0] + two[2] + two[4] + two[5] == 0);
  const auto three = shares({{1, 0.85f, 0, 0}, {}});
  CHECK(three[2] > 0.1 && three[0] + three[4] + three[5] == 0);
  const auto one = shares({{1, 1e-6f, 0, 0}, {}});
  CHECK_NEAR(one[1], 1, 1e-9);
  // The nucleus is taken at temperature 1: heat shapes the choice inside it and lets nobody in.
  const auto hot = shares({{50, 0.85f, 0, 0}, {}});
  CHECK(hot[0] + hot[4] + hot[5] == 0);
  CHECK_NEAR(hot[2], 1.0 / 3, 0.02);
}

void penalties() {
  const std::vector<TokenCount> seen{{1, 1}, {3, 3}};
  CHECK(pick({{0, 1, 0.5f, 0}, seen}).token == 1);    // 2.5, 2.5: still a tie
  CHECK(pick({{0, 1, 0, 0.5f}, seen}).token == 1);    // 2.5 against 1.5
  CHECK(pick({{0, 1, 1.5f, 0}, seen}).token == 2);    // both fall to 1.5
  CHECK(pick({{0, 1, 0, -0.1f}, seen}).token == 3);   // a negative penalty rewards
  const auto got = shares({{1, 1, 1, 0.5f}, seen});
  const auto wanted = softmax(1, {1, 1.5f, 2, 0.5f, -1, 0});
  for (size_t i = 0; i < got.size(); ++i) CHECK_NEAR(got[i], wanted[i], 0.015);
}

void barred_token_never_comes() {
  for (uint32_t barred = 0; barred < logits.size(); ++barred) {
    const auto got = shares({{2, 1, 0, 0}, {}, barred});
    CHECK(got[barred] == 0);
    CHECK(shares({{1, 0.9f, 0, 0}, {}, barred})[barred] == 0);
    CHECK(pick({{0, 1, 0, 0}, {}, barred}).token != barred);
  }
}

void seed_decides() {
  const SamplerSettings settings{1.5f, 0.95f, 0, 0};
  int different = 0;
  for (uint64_t i = 0; i < 500; ++i) {
    CHECK(pick({settings, {}, no_token, 11, i}).token == pick({settings, {}, no_token, 11, i}).token);
    different += pick({settings, {}, no_token, 11, i}).token != pick({settings, {}, no_token, 12, i}).token;
  }
  CHECK(different > 100);
  double sum = 0;
  for (uint64_t i = 0; i < 10000; ++i) {
    const double u = uniform(i % 7, i);
    CHECK(u >= 0 && u < 1);
    sum += u / 10000;
  }
  CHECK_NEAR(sum, 0.5, 0.02);
}

void odd_logits() {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> mixed{nan, -infinity, 2, 1};
  for (uint64_t i = 0; i < 300; ++i) {
    const Chosen chosen = pick({{1, 1, 0, 0}, {}, no_token, 1, i}, mixed);
    CHECK(chosen.token >= 2);
    CHECK(std::isfinite(chosen.probability));
  }
  CHECK(pick({{0, 1, 0, 0}, {}}, {nan, nan, nan}).token == 0);
  CHECK(pick({{1, 0.5f, 0, 0}, {}}, {0, infinity, 0}).token == 1);
  CHECK(std::isfinite(probability_of(std::vector<float>{nan, nan}, 0)));
  CHECK(pick({{1, 1, 0, 0}, {}, 0}, {5}).token == 0); // a vocabulary of one cannot bar it
}

// The definition, with everything sorted and every sum from front to back.
uint32_t sorted_draw(const Draw &draw, std::vector<float> from) {
  const SamplerSettings &settings = draw.settings;
  for (const TokenCount &seen : draw.counts) {
    from[seen.token] -= settings.presence_penalty + settings.count_penalty * static_cast<float>(seen.count);
  }
  std::vector<uint32_t> order(from.size());
  std::iota(order.begin(), order.end(), 0u);
  if (draw.barred < order.size()) order[draw.barred] = order.back(), order.pop_back();
  const float best = from[*std::max_element(order.begin(), order.end(),
                                            [&](uint32_t a, uint32_t b) { return from[a] < from[b]; })];
  if (settings.top_p < 1) {
    std::sort(order.begin(), order.end(),
              [&](uint32_t a, uint32_t b) { return from[a] != from[b] ? from[a] > from[b] : a < b; });
    double total = 0, sum = 0;
    for (const uint32_t token : order) total += std::exp(double{from[token]} - best);
    size_t taken = 0;
    while (taken < order.size() && (taken == 0 || sum < settings.top_p * total)) {
      sum += std::exp(double{from[order[taken++]]} - best);
    }
    order.resize(taken);
  }
  const auto weight = [&](uint32_t token) { return std::exp((double{from[token]} - best) / settings.temperature); };
  double total = 0;
  for (const uint32_t token : order) total += weight(token);
  double left = uniform(draw.seed, draw.index) * total;
  for (const uint32_t token : order) {
    if ((left -= weight(token)) < 0) return token;
  }
  return order[0];
}

// Logits alike (all in one drawer, with ties), near each other, far apart, and a vocabulary that ends inside a piece.
void large_vocabularies() {
  size_t wrong = 0, draws = 0;
  for (const size_t vocab : {size_t{63}, size_t{64}, size_t{1001}, size_t{4096}}) {
    for (const float spread : {0.0f, 0.02f, 3.0f, 60.0f}) {
      std::vector<float> row(vocab);
      for (size_t i = 0; i < vocab; ++i) row[i] = spread * static_cast<float>(uniform(vocab, i / 2)) - 1; // pairs tie
      const std::vector<TokenCount> seen{{3, 2}, {17, 1}};
      for (const SamplerSettings settings : {SamplerSettings{1, 1, 0, 0}, SamplerSettings{1, 0.9f, 0.3f, 0.1f},
                                             SamplerSettings{0.7f, 0.5f, 0, 0}, SamplerSettings{2, 0.05f, 0, 0},
                                             SamplerSettings{1.5f, 0.999f, -0.2f, 0}}) {
        for (uint64_t i = 0; i < 12; ++i) {
          const Draw draw{settings, seen, i % 3 ? no_token : static_cast<uint32_t>(i), 5, i};
          wrong += pick(draw, row).token != sorted_draw(draw, row);
          ++draws;
        }
      }
      std::vector<float> cut = row;
      const auto first_best = static_cast<uint32_t>(std::max_element(row.begin(), row.end()) - row.begin());
      CHECK(pick({{0, 1, 0, 0}, {}, no_token, 0, 0}, row).token == first_best);
      cut[first_best] = -10;
      const auto second = static_cast<uint32_t>(std::max_element(cut.begin(), cut.end()) - cut.begin());
      CHECK(pick({{0, 1, 0, 0}, {}, first_best, 0, 0}, row).token == second);
    }
  }
  CHECK(draws == 960);
  CHECK(wrong <= 2); // fp32 weights here, double there: a draw may end within 1e-7 of a border
  if (wrong) std::fprintf(stderr, "%zu of %zu draws differ\n", wrong, draws);
}

} // namespace

int main() {
  greedy();
  probabilities_are_raw();
  temperature_shapes_the_choice();
  top_p_keeps_the_likeliest();
  penalties();
  barred_token_never_comes();
  seed_decides();
  odd_logits();
  large_vocabularies();
  return report("sampler");
}
