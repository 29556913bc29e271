// A trainer of a tiny model over the C boundary, for tests. Failures print their sentence.
#pragma once

#include "rwkv_train.h"

#include "../../tests/check.h"
#include "../../tests/tiny_model.h"

#include <string>
#include <utility>
#include <vector>

struct Rig {
  rwkv_trainer *trainer = nullptr;

  explicit Rig(const Tensors &tensors = {}, uint32_t threads = 1, uint32_t kind = RWKV_TRAIN_LANGUAGE) {
    CHECK(rwkv_trainer_new(kind, RWKV_TRAIN_DEVICE_CPU, threads, &trainer) == RWKV_TRAIN_OK);
    for (const auto &[name, tensor] : tensors) CHECK(put(name, tensor) == RWKV_TRAIN_OK);
  }
  ~Rig() { rwkv_trainer_close(trainer); }
  Rig(const Rig &) = delete;
  Rig &operator=(const Rig &) = delete;

  static const uint8_t *bytes(const std::string &text) { return reinterpret_cast<const uint8_t *>(text.data()); }

  std::string sentence() const {
    size_t length = 0;
    rwkv_trainer_sentence(trainer, nullptr, 0, &length);
    std::string out(length, ' ');
    rwkv_trainer_sentence(trainer, reinterpret_cast<uint8_t *>(out.data()), length, &length);
    return out;
  }
  // Tells what went wrong where nothing should.
  void good(int32_t status) const {
    CHECK(status == RWKV_TRAIN_OK);
    if (status != RWKV_TRAIN_OK) std::fprintf(stderr, "  %d: %s\n", status, sentence().c_str());
  }

  int32_t put(const std::string &name, const Tensor &tensor, uint32_t what = RWKV_TRAIN_VALUE) const {
    const std::vector<int64_t> dims(tensor.shape.begin(), tensor.shape.end());
    return rwkv_trainer_put_tensor(trainer, bytes(name), name.size(), what, dims.data(), uint32_t(dims.size()),
                                   tensor.values.data(), tensor.values.size());
  }
  std::vector<float> read(const std::string &name, size_t elements, uint32_t what = RWKV_TRAIN_VALUE) const {
    std::vector<float> out(elements);
    good(rwkv_trainer_read_tensor(trainer, bytes(name), name.size(), what, out.data(), elements));
    return out;
  }
  void set(const std::string &name, double value) const {
    good(rwkv_trainer_set_number(trainer, bytes(name), name.size(), value));
  }
  void group(const std::string &name, double lr_scale, double weight_decay) const {
    good(rwkv_trainer_set_group(trainer, bytes(name), name.size(), lr_scale, weight_decay));
  }
  void ints(const std::string &name, std::vector<int64_t> dims, const std::vector<int32_t> &data) const {
    good(rwkv_trainer_put_input(trainer, bytes(name), name.size(), RWKV_TRAIN_INT32, dims.data(), uint32_t(dims.size()),
                                data.data(), data.size() * sizeof(int32_t)));
  }
  void floats(const std::string &name, std::vector<int64_t> dims, const std::vector<float> &data) const {
    good(rwkv_trainer_put_input(trainer, bytes(name), name.size(), RWKV_TRAIN_FLOAT32, dims.data(),
                                uint32_t(dims.size()), data.data(), data.size() * sizeof(float)));
  }
  void clear() const { good(rwkv_trainer_clear_inputs(trainer)); }
  void accumulate() const { good(rwkv_trainer_accumulate(trainer)); }
  void apply() const { good(rwkv_trainer_apply(trainer)); }
  void evaluate() const { good(rwkv_trainer_evaluate(trainer)); }

  std::vector<int64_t> shape(const std::string &name) const {
    int64_t dims[5] = {};
    uint32_t rank = 0;
    good(rwkv_trainer_output_shape(trainer, bytes(name), name.size(), dims, &rank));
    return {dims, dims + rank};
  }
  std::vector<float> output(const std::string &name) const {
    size_t count = 1;
    for (const int64_t size : shape(name)) count *= size_t(size);
    std::vector<float> out(count);
    good(rwkv_trainer_read_output(trainer, bytes(name), name.size(), out.data(), count));
    return out;
  }
  float scalar(const std::string &name) const { return output(name).at(0); }

  std::pair<uint64_t, std::vector<float>> carried() const {
    uint64_t rows = 0, floats = 0;
    good(rwkv_trainer_carried_floats(trainer, &rows, &floats));
    std::vector<float> out(floats);
    good(rwkv_trainer_read_carried(trainer, out.data(), out.size()));
    return {rows, out};
  }
};

// Numbers 0..below−1 that look like nothing in particular.
inline std::vector<int32_t> some_tokens(size_t count, uint32_t seed, int32_t below = 32) {
  std::vector<int32_t> out(count);
  uint32_t x = seed * 2654435761u + 12345;
  for (int32_t &token : out) x = x * 1664525u + 1013904223u, token = int32_t((x >> 8) % uint32_t(below));
  return out;
}

inline double distance(const std::vector<float> &a, const std::vector<float> &b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
  return a.size() == b.size() ? std::sqrt(sum) : HUGE_VAL;
}
inline double size_of(const std::vector<float> &a) { return distance(a, std::vector<float>(a.size())); }
