#include "language_batch.h"

#include "failure.h"

#include <sstream>

namespace rwkv_train {
namespace {

using torch::Tensor;

constexpr int64_t takes_vector = -1, padding = -2, no_target = -100;

template <class... Parts>
void check(bool holds, int32_t status, const Parts &...parts) {
  if (holds) return;
  std::ostringstream sentence;
  sentence << "Cannot read the batch: ";
  (sentence << ... << parts);
  fail(status, sentence.str());
}

// On the CPU; undefined when it was not put.
Tensor find(const Inputs &inputs, const char *name, torch::ScalarType type) {
  const auto found = inputs.find(name);
  if (found == inputs.end()) return {};
  check(found->second.scalar_type() == type, RWKV_TRAIN_FORMAT, "\"", name, "\" is of the wrong type");
  return found->second.cpu().contiguous();
}

void check_grid(const Tensor &tensor, const char *name, const LanguageBatch &batch) {
  check(tensor.dim() == 2 && tensor.size(0) == batch.rows && tensor.size(1) == batch.time, RWKV_TRAIN_FORMAT, "\"", name,
        "\" has the shape ", tensor.sizes(), ", not that of \"tokens\"");
}

Tensor of(const std::vector<int64_t> &values) { return torch::tensor(values, torch::kInt64); }

void read_tokens(LanguageBatch &batch, const int64_t *tokens, int64_t vocabulary, const Inputs &inputs) {
  std::vector<int64_t> text;
  int64_t vectors = 0;
  for (int64_t row = 0; row < batch.rows; ++row) {
    bool ended = false;
    for (int64_t t = 0; t < batch.time; ++t) {
      const int64_t id = tokens[row * batch.time + t];
      check(id >= padding && id < vocabulary, RWKV_TRAIN_MISUSE, "\"tokens\" has ", id, " at row ", row, ", position ", t,
            "; the vocabulary has ", vocabulary);
      check(!ended || id == padding, RWKV_TRAIN_MISUSE, "row ", row, " goes on behind its padding at position ", t);
      ended = id == padding;
      batch.padded |= ended;
      if (id >= 0) text.push_back(id);
      if (id == takes_vector) ++vectors;
    }
  }
  const auto put = inputs.find("vectors");
  const int64_t there = put == inputs.end() ? 0 : put->second.size(0);
  check(there == vectors, RWKV_TRAIN_FORMAT, "\"tokens\" takes ", vectors, " vectors and \"vectors\" has ", there);
  if (vectors > 0) {
    batch.vectors = put->second;
    check(batch.vectors.dim() == 2 && batch.vectors.scalar_type() == torch::kFloat32, RWKV_TRAIN_FORMAT,
          "\"vectors\" is not float32 of [count, width]");
  }
  const auto words = int64_t(text.size());
  batch.text_only = words == batch.rows * batch.time;
  batch.text = of(text);
  if (batch.text_only) return;
  Tensor places = torch::empty({batch.rows * batch.time}, torch::kInt64);
  int64_t word = 0, vector = words;
  for (int64_t index = 0; index < places.numel(); ++index) {
    const int64_t id = tokens[index];
    places.data_ptr<int64_t>()[index] = id >= 0 ? word++ : id == takes_vector ? vector++ : words + vectors;
  }
  batch.places = places;
}

void read_targets(LanguageBatch &batch, const int64_t *tokens, const int64_t *targets, const float *weights,
                  int64_t vocabulary) {
  std::vector<int64_t> at, rows, wanted;
  std::vector<float> weight;
  for (int64_t row = 0; row < batch.rows; ++row) {
    const size_t from = at.size();
    for (int64_t t = 0; t < batch.time; ++t) {
      const int64_t index = row * batch.time + t, target = targets[index];
      if (target == no_target) continue;
      check(target >= 0 && target < vocabulary, RWKV_TRAIN_MISUSE, "\"targets\" has ", target, " at row ", row,
            ", position ", t, "; the vocabulary has ", vocabulary);
      check(tokens[index] != padding, RWKV_TRAIN_MISUSE, "\"targets\" wants something of the padding in row ", row);
      at.push_back(index), rows.push_back(row), wanted.push_back(target);
      if (weights) weight.push_back(weights[index]);
    }
    if (weights) continue;
    const size_t count = at.size() - from;
    weight.insert(weight.end(), count, float(1.0 / (double(batch.rows) * double(count))));
  }
  batch.at = of(at), batch.row = of(rows), batch.target = of(wanted);
  batch.weight = torch::tensor(weight, torch::kFloat32);
}

} // namespace

LanguageBatch read_language_batch(const Inputs &inputs, int64_t vocabulary, torch::Device device) {
  const Tensor tokens = find(inputs, "tokens", torch::kInt64), targets = find(inputs, "targets", torch::kInt64);
  const Tensor weights = find(inputs, "weights", torch::kFloat32), reset = find(inputs, "reset", torch::kInt64);
  check(tokens.defined(), RWKV_TRAIN_FORMAT, "the input \"tokens\" is missing");
  check(tokens.dim() == 2 && tokens.numel() > 0, RWKV_TRAIN_FORMAT, "\"tokens\" is not [rows, time]");
  LanguageBatch batch;
  batch.rows = tokens.size(0), batch.time = tokens.size(1);
  read_tokens(batch, tokens.data_ptr<int64_t>(), vocabulary, inputs);
  if (weights.defined()) check_grid(weights, "weights", batch);
  batch.has_targets = targets.defined();
  if (targets.defined()) {
    check_grid(targets, "targets", batch);
    read_targets(batch, tokens.data_ptr<int64_t>(), targets.data_ptr<int64_t>(),
                 weights.defined() ? weights.data_ptr<float>() : nullptr, vocabulary);
  }
  if (reset.defined()) {
    check(reset.dim() == 1 && reset.size(0) == batch.rows, RWKV_TRAIN_FORMAT, "\"reset\" is not [rows]");
    batch.goes_on = (reset == 0).to(torch::kFloat32);
  }
  for (Tensor *const tensor : {&batch.text, &batch.places, &batch.at, &batch.row, &batch.target, &batch.weight,
                               &batch.goes_on}) {
    if (tensor->defined()) *tensor = tensor->to(device);
  }
  return batch;
}

} // namespace rwkv_train
