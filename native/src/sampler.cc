#include "sampler.h"

#include "ops/cpu/exp_f32.h"
#include "ops/cpu/lanes.h"

#include <algorithm>
#include <new>

namespace rwkv {
namespace {

constexpr float lowest = -3.0e38f; // stands for −∞; a difference with it stays a number after clamping

float readable(float logit) { return logit > lowest ? std::min(logit, -lowest) : lowest; } // NaN is not > lowest
Part readable(Part logits) {
  const Part least = splat<Part>(lowest), most = splat<Part>(-lowest);
  logits = logits > least ? logits : least;
  return logits < most ? logits : most;
}

// A row is as long as a vocabulary: it is gone through a piece at a time, in loops that are done in whole registers.
constexpr size_t piece = 64;

// f(first, count) for every piece of [0, size).
template <typename F> void each_piece(size_t size, const F &f) {
  for (size_t first = 0; first < size; first += piece) f(first, std::min(piece, size - first));
}

float maximum(std::span<const float> logits) {
  constexpr size_t lanes = piece / 4;
  Part best[lanes / part_lanes * 4];
  std::fill_n(best, std::size(best), splat<Part>(lowest));
  each_piece(logits.size(), [&](size_t first, size_t count) {
    float padded[piece];
    const float *from = logits.data() + first;
    if (count < piece) {
      std::fill(std::copy_n(from, count, padded), std::end(padded), lowest);
      from = padded;
    }
    for (size_t i = 0; i < std::size(best); ++i) {
      const Part now = readable(load<Part>(from + i * part_lanes));
      best[i] = now > best[i] ? now : best[i];
    }
  });
  float most = lowest;
  for (const Part &part : best) {
    for (size_t i = 0; i < part_lanes; ++i) most = std::max(most, part[i]);
  }
  return most;
}

// weights = e^((logit − best) / temperature) of a piece; returns their sum. The same bits in any vector unit: nothing is
// fused, and the eight running sums are added in one order.
inline __attribute__((always_inline)) double weigh(float *weights, const float *logits, float best, float temperature) {
  constexpr size_t running = 8;
  for (size_t i = 0; i < piece; ++i) weights[i] = exp_f32((logits[i] - best) / temperature);
  double total[running] = {};
  for (size_t i = 0; i < piece; i += running) {
    for (size_t j = 0; j < running; ++j) total[j] += weights[i + j];
  }
  return ((total[0] + total[4]) + (total[2] + total[6])) + ((total[1] + total[5]) + (total[3] + total[7]));
}

using Weigh = double (*)(float *, const float *, float, float);
double weigh_plain(float *weights, const float *logits, float best, float temperature) {
  return weigh(weights, logits, best, temperature);
}
#if defined(__x86_64__)
__attribute__((target("avx2"))) double weigh_avx2(float *weights, const float *logits, float best, float temperature) {
  return weigh(weights, logits, best, temperature);
}
__attribute__((target("avx512f,avx512dq,avx512vl,prefer-vector-width=512"))) double
weigh_avx512(float *weights, const float *logits, float best, float temperature) {
  return weigh(weights, logits, best, temperature);
}
Weigh pick_weigh() {
  const bool most = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl");
  return most ? weigh_avx512 : __builtin_cpu_supports("avx2") ? weigh_avx2 : weigh_plain;
}
#else
Weigh pick_weigh() { return weigh_plain; }
#endif

struct Weights {
  float best, temperature;

  // Of a piece of `count`, 0 behind them; returns their sum.
  double of(float *weights, const float *logits, size_t count) const {
    static const Weigh weigh_piece = pick_weigh();
    float clean[piece];
    each(clean, count, [](Part some) { return readable(some); }, logits);
    std::fill(clean + count, clean + piece, best);
    double sum = weigh_piece(weights, clean, best, temperature);
    for (size_t i = count; i < piece; ++i) weights[i] = 0;
    return sum - static_cast<double>(piece - count); // a padded one weighs 1
  }
  double total(std::span<const float> logits) const {
    double sum = 0;
    each_piece(logits.size(), [&](size_t first, size_t count) {
      float weights[piece];
      sum += of(weights, logits.data() + first, count);
    });
    return sum;
  }
  double one(float logit) const { return exp_f32((logit - best) / temperature); }
};

// The tokens that may be chosen: places with a logit after penalties. Place and token are the same, but the last token
// has the place of a barred one.
struct Open {
  std::span<float> logits;
  uint32_t moved = no_token; // the place of a barred token
  float best = 0;

  uint32_t token_at(size_t place) const {
    return static_cast<uint32_t>(place == moved ? logits.size() : place);
  }
  bool before(uint32_t a, uint32_t b) const { // of places: the likelier first, then the lower token
    return logits[a] != logits[b] ? logits[a] > logits[b] : token_at(a) < token_at(b);
  }
};

uint32_t best_token(const Open &open) {
  uint32_t found = no_token;
  for (size_t first = 0; first < open.logits.size() && found == no_token; first += piece) {
    const size_t end = std::min(first + piece, open.logits.size());
    int equal = 0;
    for (size_t place = first; place < end; ++place) equal |= open.logits[place] == open.best;
    for (size_t place = first; equal && place < end; ++place) {
      if (open.logits[place] == open.best && place != open.moved) {
        found = static_cast<uint32_t>(place);
        break;
      }
    }
  }
  return found != no_token ? found : open.token_at(open.moved); // the moved one is the highest token
}

// Without a nucleus the order is that of the places.
uint32_t draw_in_order(const Open &open, const Weights &weights, double random) {
  double left = random * weights.total(open.logits);
  for (size_t first = 0; first < open.logits.size(); first += piece) {
    const size_t count = std::min(piece, open.logits.size() - first);
    float some[piece];
    const double sum = weights.of(some, open.logits.data() + first, count);
    if (left >= sum) {
      left -= sum;
      continue;
    }
    for (size_t i = 0; i < count; ++i) {
      left -= some[i];
      if (left < 0 || i + 1 == count) return open.token_at(first + i);
    }
  }
  return best_token(open); // rounding ate the last sliver
}

// Places in the order of Open::before, without sorting them all: a drawer has those whose logits lie in one small
// interval, the likeliest in the first; only a drawer that something ends in is sorted.
class Drawers {
 public:
  Drawers(const Open &open, std::span<uint32_t> room) : open_(open), room_(room) {}

  // Sums of the weights, drawer by drawer.
  void add_up(const Weights &weights) {
    std::fill_n(sums_, count, 0.0);
    each_piece(open_.logits.size(), [&](size_t first, size_t size) {
      float some[piece];
      int32_t numbers[piece];
      weights.of(some, open_.logits.data() + first, size);
      numbers_of(numbers, first, size);
      for (size_t i = 0; i < size; ++i) sums_[numbers[i]] += some[i];
    });
  }
  // The sums end with this one.
  void cut(size_t last, double sum) {
    sums_[last] = sum;
    std::fill(sums_ + last + 1, sums_ + count, 0.0);
  }
  double total() const {
    double sum = 0;
    for (const double of_drawer : sums_) sum += of_drawer;
    return sum;
  }
  // The first drawer with which the sums are enough(sum), else the last; *before: their sum without it.
  template <typename Enough> size_t find(const Enough &enough, double *before) const {
    *before = 0;
    for (size_t at = 0; at + 1 < count; ++at) {
      if (enough(*before + sums_[at])) return at;
      *before += sums_[at];
    }
    return count - 1;
  }
  std::span<const uint32_t> sorted(size_t drawer) {
    size_t found = 0;
    each_piece(open_.logits.size(), [&](size_t first, size_t size) {
      int32_t numbers[piece];
      numbers_of(numbers, first, size);
      int any = 0;
      for (size_t i = 0; i < size; ++i) any |= numbers[i] == static_cast<int32_t>(drawer);
      for (size_t i = 0; any && i < size; ++i) {
        if (numbers[i] == static_cast<int32_t>(drawer)) room_[found++] = static_cast<uint32_t>(first + i);
      }
    });
    std::sort(room_.begin(), room_.begin() + static_cast<ptrdiff_t>(found),
              [this](uint32_t a, uint32_t b) { return open_.before(a, b); });
    return room_.first(found);
  }

 private:
  static constexpr size_t count = 1024;
  static constexpr float per_unit = 32; // of logits: the last drawer begins at a weight of e^−32

  void numbers_of(int32_t *numbers, size_t first, size_t size) const {
    const float *const logits = open_.logits.data() + first, best = open_.best;
    constexpr float last = count - 1;
    for (size_t i = 0; i < size; ++i) {
      const float below = (best - logits[i]) * per_unit;
      numbers[i] = static_cast<int32_t>(below < last ? below : last);
    }
  }

  const Open &open_;
  std::span<uint32_t> room_;
  double sums_[count];
};

// The smallest set of likeliest tokens that reaches top_p, and a draw from it in the order of likelihood.
uint32_t draw_from_nucleus(const Open &open, const Draw &draw, std::span<uint32_t> room) {
  const Weights plain{open.best, 1.0f}, shaped{open.best, draw.settings.temperature};
  Drawers drawers(open, room);
  drawers.add_up(plain);
  const double reached = draw.settings.top_p * drawers.total();
  double sum = 0;
  const size_t last = drawers.find([&](double with) { return with >= reached; }, &sum);
  std::span<const uint32_t> inside = drawers.sorted(last);
  size_t taken = 0;
  while (taken < inside.size() && (taken == 0 || sum < reached)) sum += plain.one(open.logits[inside[taken++]]);
  inside = inside.first(taken);

  double of_last = 0;
  for (const uint32_t place : inside) of_last += shaped.one(open.logits[place]);
  if (shaped.temperature != 1.0f) drawers.add_up(shaped);
  drawers.cut(last, of_last);
  const double wanted = uniform(draw.seed, draw.index) * drawers.total();
  double before = 0;
  const size_t drawn = std::min(last, drawers.find([&](double with) { return with > wanted; }, &before));
  if (drawn != last) inside = drawers.sorted(drawn);
  for (const uint32_t place : inside) {
    before += shaped.one(open.logits[place]);
    if (before > wanted || place == inside.back()) return open.token_at(place);
  }
  return best_token(open);
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
  const Weights weights{maximum(logits), 1.0f};
  return static_cast<float>(weights.one(readable(logits[token])) / weights.total(logits));
}

Chosen choose(std::span<const float> logits, const Draw &draw, std::span<Candidate> scratch) {
  const SamplerSettings &settings = draw.settings;
  const size_t vocab = logits.size();
  // The scratch memory is a row of logits and a row of places.
  float *const copy = new (scratch.data()) float[vocab];
  uint32_t *const places = new (reinterpret_cast<std::byte *>(scratch.data()) + vocab * sizeof(float)) uint32_t[vocab];
  each(copy, vocab, [](Part some) { return readable(some); }, logits.data());
  for (const TokenCount &seen : draw.counts) {
    float &logit = copy[seen.token];
    logit = readable(logit - settings.presence_penalty - settings.count_penalty * static_cast<float>(seen.count));
  }
  Open open{{copy, vocab}};
  if (draw.barred < vocab && vocab > 1) {
    copy[draw.barred] = copy[vocab - 1];
    if (draw.barred != vocab - 1) open.moved = draw.barred;
    open.logits = open.logits.first(vocab - 1);
  }
  open.best = maximum(open.logits);
  const uint32_t token = settings.temperature == 0.0f ? best_token(open)
                         : settings.top_p < 1.0f
                             ? draw_from_nucleus(open, draw, {places, vocab})
                             : draw_in_order(open, {open.best, settings.temperature}, uniform(draw.seed, draw.index));
  return {token, probability_of(logits, token)};
}

} // namespace rwkv
