// A block answers one question. Order among candidates is one number: the logit's bits in rising order, then the lowest id
// first; a nucleus and a draw from it are searches for such a number, bit by bit, each bit one pass over the logits, which
// are in the cache. Nothing is sorted.
#include "sample.h"

#include "exponential.h"
#include "reduce.h"

namespace rwkv::cuda {
namespace {

constexpr unsigned sample_threads = 256;
constexpr float lowest = -3.0e38f; // stands for −∞, as in src/sampler.cc
constexpr uint32_t no_token = 0xffffffffu;

__device__ __forceinline__ float readable(float logit) { return logit > lowest ? fminf(logit, -lowest) : lowest; }
__device__ __forceinline__ bool is_open(float logit) { return logit >= lowest; } // what is barred is −∞

struct Candidates {
  const float *logits;
  uint32_t vocab, id_bits;

  // Rises with the logit, then with lower ids. Adding 0 makes −0 the same as 0.
  __device__ uint64_t key(uint32_t token) const {
    const uint32_t bits = __float_as_uint(logits[token] + 0.0f);
    const uint32_t rising = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
    return static_cast<uint64_t>(rising) << id_bits | (vocab - 1 - token);
  }
  __device__ uint32_t token_of(uint64_t key) const {
    return vocab - 1 - static_cast<uint32_t>(key & ((uint64_t{1} << id_bits) - 1));
  }
};

// `parts` is shared memory that the block has not used before.
__device__ uint64_t block_max(uint64_t value, uint64_t *parts) {
  const auto greater = [](uint64_t a, uint64_t b) { return a > b ? a : b; };
  for (int offset = 16; offset > 0; offset /= 2) value = greater(value, __shfl_xor_sync(every_lane, value, offset));
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = value;
  __syncthreads();
  for (unsigned warp = 0; warp < blockDim.x / 32; ++warp) value = greater(value, parts[warp]);
  return value;
}

// softmax(logits)[token], at temperature 1 and before everything else.
__device__ float probability_of(const float *logits, uint32_t vocab, uint32_t token, double *parts) {
  float best = lowest;
  for (uint32_t i = threadIdx.x; i < vocab; i += blockDim.x) best = fmaxf(best, readable(logits[i]));
  for (int offset = 16; offset > 0; offset /= 2) best = fmaxf(best, __shfl_xor_sync(every_lane, best, offset));
  __syncthreads();
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = best;
  __syncthreads();
  for (unsigned warp = 0; warp < blockDim.x / 32; ++warp) best = fmaxf(best, static_cast<float>(parts[warp]));
  double total = 0;
  for (uint32_t i = threadIdx.x; i < vocab; i += blockDim.x) total += exponential(readable(logits[i]) - best);
  total = block_sum(total, parts);
  return static_cast<float>(exponential(readable(logits[token]) - best) / total);
}

// Sum of weight(token) over the open candidates whose key is at least `least`.
template <typename Weight>
__device__ double sum_from(const Candidates &all, uint64_t least, const Weight &weight, double *parts) {
  double sum = 0;
  for (uint32_t i = threadIdx.x; i < all.vocab; i += blockDim.x) {
    if (is_open(all.logits[i]) && all.key(i) >= least) sum += weight(i);
  }
  return block_sum(sum, parts);
}

// The greatest key from which on the weights make enough(sum); 0 when none does.
template <typename Weight, typename Enough>
__device__ uint64_t key_where(const Candidates &all, uint64_t at_least, const Weight &weight, const Enough &enough,
                              double *parts) {
  uint64_t key = 0;
  for (int bit = 31 + static_cast<int>(all.id_bits); bit >= 0; --bit) {
    const uint64_t tried = key | uint64_t{1} << bit;
    if (enough(sum_from(all, tried > at_least ? tried : at_least, weight, parts))) key = tried;
  }
  return key;
}

// Without a nucleus the candidates come in the order of their ids, the last one in the place of the barred one.
template <typename Weight>
__device__ uint32_t draw_in_order(const Candidates &all, uint32_t barred, double random, const Weight &weight,
                                  double *sums, uint32_t *chosen) {
  const bool bars = barred < all.vocab && all.vocab > 1;
  const uint32_t count = all.vocab - bars, share = (count + blockDim.x - 1) / blockDim.x;
  const uint32_t first = share * threadIdx.x, end = first + share < count ? first + share : count;
  const auto token_at = [&](uint32_t place) { return bars && place == barred ? all.vocab - 1 : place; };
  double sum = 0;
  for (uint32_t i = first; i < end; ++i) sum += weight(token_at(i));
  sums[threadIdx.x] = sum;
  if (threadIdx.x == 0) *chosen = no_token;
  __syncthreads();
  double before = 0, total = 0;
  for (unsigned thread = 0; thread < blockDim.x; ++thread) {
    if (thread == threadIdx.x) before = total;
    total += sums[thread];
  }
  const double wanted = random * total;
  const bool mine = before <= wanted && wanted < before + sum;
  for (uint32_t i = first; mine && i < end; ++i) {
    before += weight(token_at(i));
    if (before > wanted || i + 1 == end) {
      *chosen = token_at(i);
      break;
    }
  }
  __syncthreads();
  return *chosen;
}

__global__ void __launch_bounds__(sample_threads) sample(Sampling p) {
  SHARED(double, parts, [32]);
  SHARED(uint64_t, keys, [32]);
  SHARED(double, sums, [sample_threads]);
  SHARED(uint32_t, chosen, );
  const DeviceQuestion question = p.questions[blockIdx.x];
  const float *const logits = p.logits + size_t{blockIdx.x} * p.vocab;
  float *const open = p.open + size_t{blockIdx.x} * p.vocab;
  DeviceAnswer answer{-1.0f, 1, 0, 0};
  if (question.silence != no_token) {
    answer.p_speak = 1.0f - probability_of(logits, p.vocab, question.silence, parts);
    if (answer.p_speak < question.threshold) {
      answer.speaks = 0;
      if (threadIdx.x == 0) p.answers[blockIdx.x] = answer;
      return;
    }
  }
  for (uint32_t i = threadIdx.x; i < p.vocab; i += blockDim.x) open[i] = readable(logits[i]);
  __syncthreads();
  for (uint32_t i = question.first_count + threadIdx.x; i < question.count_end; i += blockDim.x) {
    float &logit = open[p.counts[i].x];
    logit = readable(logit - question.presence_penalty - question.count_penalty * static_cast<float>(p.counts[i].y));
  }
  __syncthreads();
  if (threadIdx.x == 0 && question.barred < p.vocab && p.vocab > 1) open[question.barred] = -INFINITY;
  __syncthreads();

  uint32_t id_bits = 1;
  while ((p.vocab - 1) >> id_bits > 0) ++id_bits;
  const Candidates all{open, p.vocab, id_bits};
  uint64_t best = 0;
  for (uint32_t i = threadIdx.x; i < p.vocab; i += blockDim.x) {
    if (is_open(open[i]) && all.key(i) > best) best = all.key(i);
  }
  const uint32_t top = all.token_of(block_max(best, keys));
  const auto weight = [&](uint32_t i) { return exponential((open[i] - open[top]) / question.temperature); };
  answer.token = top;
  if (question.temperature != 0 && question.top_p < 1) {
    const auto plain = [&](uint32_t i) { return exponential(open[i] - open[top]); };
    const double reached = static_cast<double>(question.top_p) * sum_from(all, 0, plain, parts);
    const uint64_t nucleus = key_where(all, 0, plain, [&](double sum) { return sum >= reached; }, parts);
    const double wanted = question.random * sum_from(all, nucleus, weight, parts);
    const uint64_t key = key_where(all, nucleus, weight, [&](double sum) { return sum > wanted; }, parts);
    if (key > 0) answer.token = all.token_of(key);
  } else if (question.temperature != 0) {
    const uint32_t drawn = draw_in_order(all, question.barred, question.random, weight, sums, &chosen);
    if (drawn != no_token) answer.token = drawn;
  }
  answer.probability = probability_of(logits, p.vocab, answer.token, parts);
  if (threadIdx.x == 0) p.answers[blockIdx.x] = answer;
}

} // namespace

void launch_sampling(const Sampling &sampling, cudaStream_t stream) {
  LAUNCH(sample, sampling.question_count, sample_threads, 0, stream, sampling);
}

} // namespace rwkv::cuda
