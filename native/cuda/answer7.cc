// Logits and choices on the device.
#include "model7.h"

#include "../src/failure.h"
#include "../src/limits.h"

#include <algorithm>
#include <cstring>

namespace rwkv::cuda {

void CudaModel7::logits(const float *x, size_t rows, float *out, const Team &) const {
  const auto lock = device_.use();
  for (size_t at = 0; at < rows; at += limits::logit_rows) {
    const size_t some = std::min<size_t>(limits::logit_rows, rows - at), bytes = some * shape_.width * sizeof(float);
    std::memcpy(travel_.head_x, x + at * shape_.width, bytes);
    take_up(rows_.head_x, travel_.head_x, bytes);
    launch_head(static_cast<uint32_t>(some));
    require_launched("compute logits");
    bring_back(out + at * shape_.vocab, rows_.logits, some * shape_.vocab * sizeof(float));
    device_.wait("compute logits");
  }
}

void CudaModel7::answer(const float *x, std::span<const Question> questions, std::span<Answer> answers,
                        const ChoiceScratch &, const Team &) const {
  if (questions.empty()) return;
  const auto lock = device_.use();
  const auto rows = static_cast<uint32_t>(questions.size());
  uint32_t counts = 0;
  if (rows > limits::logit_rows) fail(RWKV_INTERNAL, "too many questions at once");
  for (uint32_t i = 0; i < rows; ++i) {
    const Draw &draw = questions[i].draw;
    const uint32_t first = counts;
    for (const TokenCount &seen : draw.counts.first(std::min<size_t>(draw.counts.size(), limits::decode_tokens))) {
      travel_.counts[counts++] = {seen.token, seen.count};
    }
    travel_.questions[i] = {draw.settings.temperature, draw.settings.top_p, draw.settings.presence_penalty,
                            draw.settings.count_penalty, draw.barred, questions[i].silence_token,
                            questions[i].threshold, first, counts, uniform(draw.seed, draw.index)};
  }
  const size_t bytes = rows * shape_.width * sizeof(float);
  std::memcpy(travel_.head_x, x, bytes);
  take_up(rows_.head_x, travel_.head_x, bytes);
  take_up(rows_.questions, travel_.questions, rows * sizeof(DeviceQuestion));
  if (counts > 0) take_up(rows_.counts, travel_.counts, counts * sizeof(uint2));
  launch_head(rows);
  launch_sampling({rows_.logits, rows_.open, rows_.questions, rows_.counts, rows_.answers, rows, shape_.vocab},
                  device_.stream());
  require_launched("choose tokens");
  bring_back(travel_.answers, rows_.answers, rows * sizeof(DeviceAnswer));
  device_.wait("choose tokens");
  for (uint32_t i = 0; i < rows; ++i) {
    const DeviceAnswer &from = travel_.answers[i];
    answers[i] = {from.p_speak, from.speaks != 0, {}};
    if (answers[i].speaks) answers[i].chosen = {from.token, from.probability};
  }
}

} // namespace rwkv::cuda
