#include "model.h"

#include "host_memory.h"

namespace rwkv {

StateMemory &Model::memory() const { return host_memory(); }

void Model::answer(const float *x, std::span<const Question> questions, std::span<Answer> answers,
                   const ChoiceScratch &scratch, const Team &team) const {
  if (questions.empty()) return;
  const size_t vocab = shape_.vocab;
  logits(x, questions.size(), scratch.logits.data(), team);
  for (size_t i = 0; i < questions.size(); ++i) {
    const Question &question = questions[i];
    const auto row = scratch.logits.subspan(i * vocab, vocab);
    Answer answer;
    if (question.silence_token != no_token) {
      answer.p_speak = 1.0f - probability_of(row, question.silence_token);
      answer.speaks = answer.p_speak >= question.threshold;
    }
    if (answer.speaks) answer.chosen = choose(row, question.draw, scratch.candidates);
    answers[i] = answer;
  }
}

} // namespace rwkv
