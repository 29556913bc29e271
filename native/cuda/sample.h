// The sampler on the device: the contract of src/sampler.h, so the same token as there from the same logits. Sums are of
// doubles in another order, which a token can only notice when a random number meets a sum to the last bit.
#pragma once

#include "emu/simt.h"

#include <cstdint>

namespace rwkv::cuda {

struct DeviceQuestion {
  float temperature, top_p, presence_penalty, count_penalty;
  uint32_t barred, silence; // no_token: none
  float threshold;
  uint32_t first_count, count_end; // of its tokens so far, in `counts`
  double random;                   // uniform(seed, index)
};
struct DeviceAnswer {
  float p_speak;   // -1 without a decision
  uint32_t speaks; // 0: nothing was chosen
  uint32_t token;
  float probability;
};

struct Sampling {
  const float *logits;             // [questions][vocab]
  float *open;                     // [questions][vocab], scratch: logits after penalties
  const DeviceQuestion *questions;
  const uint2 *counts;             // token, count
  DeviceAnswer *answers;
  uint32_t question_count, vocab;
};
void launch_sampling(const Sampling &sampling, cudaStream_t stream);

} // namespace rwkv::cuda
