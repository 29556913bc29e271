// What crosses the C boundary wrongly: every verb answers the right status and a sentence, and nothing changes.
#include "rig.h"

#include <chrono>
#include <cmath>
#include <limits>
#include <thread>

namespace {

const float *no_floats = nullptr;

void null_handles() {
  float value = 0;
  int64_t dims[5] = {};
  uint32_t rank = 0;
  uint64_t rows = 0, floats = 0;
  size_t length = 0;
  uint8_t byte = 'x';
  CHECK(rwkv_train_abi_version() == RWKV_TRAIN_ABI_VERSION);
  CHECK(rwkv_trainer_new(RWKV_TRAIN_LANGUAGE, RWKV_TRAIN_DEVICE_CPU, 1, nullptr) == RWKV_TRAIN_MISUSE);
  rwkv_trainer_close(nullptr);
  CHECK(rwkv_trainer_sentence(nullptr, &byte, 1, &length) == RWKV_TRAIN_MISUSE);
  CHECK(rwkv_trainer_put_tensor(nullptr, &byte, 1, 0, dims, 0, &value, 1) == RWKV_TRAIN_MISUSE);
  CHECK(rwkv_trainer_read_tensor(nullptr, &byte, 1, 0, &value, 1) == RWKV_TRAIN_MISUSE);
  CHECK(rwkv_trainer_set_group(nullptr, &byte, 1, 1, 0) == RWKV_TRAIN_MISUSE);
  CHECK(rwkv_trainer_set_number(nullptr, &byte, 1, 1) == RWKV_TRAIN_MISUSE);
  CHECK(rwkv_trainer_put_input(nullptr, &byte, 1, 1, dims, 0, &value, 4) == RWKV_TRAIN_MISUSE);
  CHECK(rwkv_trainer_clear_inputs(nullptr) == RWKV_TRAIN_MISUSE);
  CHECK(rwkv_trainer_accumulate(nullptr) == RWKV_TRAIN_MISUSE);
  CHECK(rwkv_trainer_apply(nullptr) == RWKV_TRAIN_MISUSE);
  CHECK(rwkv_trainer_evaluate(nullptr) == RWKV_TRAIN_MISUSE);
  CHECK(rwkv_trainer_output_shape(nullptr, &byte, 1, dims, &rank) == RWKV_TRAIN_MISUSE);
  CHECK(rwkv_trainer_read_output(nullptr, &byte, 1, &value, 1) == RWKV_TRAIN_MISUSE);
  CHECK(rwkv_trainer_carried_floats(nullptr, &rows, &floats) == RWKV_TRAIN_MISUSE);
  CHECK(rwkv_trainer_read_carried(nullptr, &value, 1) == RWKV_TRAIN_MISUSE);
  CHECK(rwkv_trainer_put_carried(nullptr, 1, &value, 1) == RWKV_TRAIN_MISUSE);
}

void making() {
  rwkv_trainer *trainer = nullptr;
  const auto make = [&](uint32_t kind, uint32_t device, uint32_t threads) {
    const int32_t status = rwkv_trainer_new(kind, device, threads, &trainer);
    CHECK((status == RWKV_TRAIN_OK) == (trainer != nullptr));
    rwkv_trainer_close(trainer);
    return status;
  };
  CHECK(make(RWKV_TRAIN_LANGUAGE, RWKV_TRAIN_DEVICE_CPU, 1) == RWKV_TRAIN_OK);
  CHECK(make(RWKV_TRAIN_TOWER, RWKV_TRAIN_DEVICE_CPU, 1) == RWKV_TRAIN_OK);
  CHECK(make(RWKV_TRAIN_LANGUAGE, RWKV_TRAIN_DEVICE_CPU, 0) == RWKV_TRAIN_MISUSE);
  CHECK(make(RWKV_TRAIN_LANGUAGE, RWKV_TRAIN_DEVICE_CPU, 257) == RWKV_TRAIN_MISUSE);
  CHECK(make(3, RWKV_TRAIN_DEVICE_CPU, 1) == RWKV_TRAIN_MISUSE);
  CHECK(make(RWKV_TRAIN_LANGUAGE, 3, 1) == RWKV_TRAIN_MISUSE);
  const int32_t cuda = make(RWKV_TRAIN_LANGUAGE, RWKV_TRAIN_DEVICE_CUDA, 1);
  CHECK(cuda == RWKV_TRAIN_NO_DEVICE || cuda == RWKV_TRAIN_OK); // OK only where there is one
}

int32_t put(const Rig &rig, const std::string &name, std::vector<int64_t> dims, size_t elements, uint32_t what = 0) {
  const std::vector<float> data(elements + 1);
  return rwkv_trainer_put_tensor(rig.trainer, Rig::bytes(name), name.size(), what, dims.data(), uint32_t(dims.size()),
                                 data.data(), elements);
}

void tensors() {
  const Rig rig;
  CHECK(put(rig, "", {1}, 1) == RWKV_TRAIN_MISUSE);
  CHECK(put(rig, std::string(201, 'n'), {1}, 1) == RWKV_TRAIN_MISUSE);
  CHECK(put(rig, std::string(200, 'n'), {1}, 1) == RWKV_TRAIN_OK);
  for (const char *name : {"\xff", "a\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe0\x80\x80"}) {
    CHECK(put(rig, name, {1}, 1) == RWKV_TRAIN_MISUSE);
  }
  CHECK(put(rig, "\xe2\x82\xac", {1}, 1) == RWKV_TRAIN_OK);
  CHECK(put(rig, "x", {2, 3}, 5) == RWKV_TRAIN_MISUSE);
  CHECK(put(rig, "x", {2, 0}, 0) == RWKV_TRAIN_MISUSE);
  CHECK(put(rig, "x", {-2, -3}, 6) == RWKV_TRAIN_MISUSE);
  CHECK(put(rig, "x", {1, 1, 1, 1, 1, 1}, 1) == RWKV_TRAIN_MISUSE);
  CHECK(put(rig, "x", {int64_t{1} << 40, int64_t{1} << 40}, 1) == RWKV_TRAIN_MISUSE);
  CHECK(put(rig, "x", {2, 3}, 6, RWKV_TRAIN_MOMENT1) == RWKV_TRAIN_FORMAT);
  CHECK(rig.sentence().find("\"x\"") != std::string::npos);
  CHECK(put(rig, "x", {2, 3}, 6) == RWKV_TRAIN_OK);
  CHECK(put(rig, "x", {3, 2}, 6) == RWKV_TRAIN_FORMAT);
  CHECK(rig.sentence().find("[2, 3]") != std::string::npos);
  CHECK(put(rig, "x", {2, 3}, 6, RWKV_TRAIN_MOMENT2) == RWKV_TRAIN_OK);
  CHECK(put(rig, "x", {2, 3}, 6, RWKV_TRAIN_GRADIENT) == RWKV_TRAIN_MISUSE);
  CHECK(put(rig, "s", {}, 1) == RWKV_TRAIN_OK);
  const std::string name = "x";
  std::vector<float> out(6);
  const auto read = [&](const std::string &of, uint32_t what, size_t elements) {
    return rwkv_trainer_read_tensor(rig.trainer, Rig::bytes(of), of.size(), what, out.data(), elements);
  };
  CHECK(read("x", RWKV_TRAIN_VALUE, 6) == RWKV_TRAIN_OK);
  CHECK(read("x", RWKV_TRAIN_GRADIENT, 6) == RWKV_TRAIN_OK);
  CHECK(read("x", RWKV_TRAIN_VALUE, 5) == RWKV_TRAIN_SPACE);
  CHECK(read("x", 4, 6) == RWKV_TRAIN_MISUSE);
  CHECK(read("y", RWKV_TRAIN_VALUE, 6) == RWKV_TRAIN_FORMAT);
  CHECK(rwkv_trainer_read_tensor(rig.trainer, nullptr, 1, 0, out.data(), 6) == RWKV_TRAIN_MISUSE);
  CHECK(rwkv_trainer_read_tensor(rig.trainer, Rig::bytes(name), 1, 0, nullptr, 6) == RWKV_TRAIN_MISUSE);
  const auto group = [&](const std::string &of, double scale, double decay) {
    return rwkv_trainer_set_group(rig.trainer, Rig::bytes(of), of.size(), scale, decay);
  };
  CHECK(group("x", 0, 0) == RWKV_TRAIN_OK);
  CHECK(group("y", 1, 0) == RWKV_TRAIN_FORMAT);
  CHECK(group("x", -1, 0) == RWKV_TRAIN_MISUSE);
  CHECK(group("x", 1, NAN) == RWKV_TRAIN_MISUSE);
}

void numbers() {
  const Rig rig;
  const auto set = [&](const std::string &name, double value) {
    return rwkv_trainer_set_number(rig.trainer, Rig::bytes(name), name.size(), value);
  };
  for (const char *name : {"lr", "beta1", "beta2", "clip", "step", "l2wrap", "grad_checkpoint", "carry", "bf16"}) {
    CHECK(set(name, 0) == RWKV_TRAIN_OK);
    CHECK(set(name, -1) == RWKV_TRAIN_MISUSE);
    CHECK(set(name, NAN) == RWKV_TRAIN_MISUSE);
    CHECK(set(name, HUGE_VAL) == RWKV_TRAIN_MISUSE);
  }
  CHECK(set("eps", 0) == RWKV_TRAIN_MISUSE);
  CHECK(set("beta1", 1) == RWKV_TRAIN_MISUSE);
  CHECK(set("carry", 0.5) == RWKV_TRAIN_MISUSE);
  CHECK(set("step", 1.5) == RWKV_TRAIN_MISUSE);
  CHECK(set("bf16", 1) == RWKV_TRAIN_MISUSE); // on the CPU
  CHECK(set("momentum", 1) == RWKV_TRAIN_MISUSE);
  CHECK(rig.sentence().find("\"momentum\"") != std::string::npos);
}

void sentences() {
  const Rig rig;
  CHECK(rig.sentence().empty());
  CHECK(rwkv_trainer_apply(rig.trainer) == RWKV_TRAIN_MISUSE);
  const std::string all = rig.sentence();
  uint8_t some[5] = {};
  size_t length = 0;
  CHECK(rwkv_trainer_sentence(rig.trainer, some, 4, &length) == RWKV_TRAIN_SPACE);
  CHECK(length == all.size() && std::memcmp(some, all.data(), 4) == 0 && some[4] == 0);
  CHECK(rwkv_trainer_sentence(rig.trainer, some, 4, nullptr) == RWKV_TRAIN_MISUSE);
}

void inputs(const Tensors &tiny) {
  const Rig rig(tiny);
  const auto raw = [&](uint32_t type, std::vector<int64_t> dims, size_t bytes) {
    const std::vector<uint8_t> data(bytes + 1);
    const std::string name = "tokens";
    return rwkv_trainer_put_input(rig.trainer, Rig::bytes(name), name.size(), type, dims.data(), uint32_t(dims.size()),
                                  data.data(), bytes);
  };
  CHECK(raw(RWKV_TRAIN_INT32, {2, 3}, 24) == RWKV_TRAIN_OK);
  CHECK(raw(RWKV_TRAIN_INT32, {2, 3}, 6) == RWKV_TRAIN_MISUSE);
  CHECK(raw(RWKV_TRAIN_UINT8, {2, 3}, 6) == RWKV_TRAIN_OK);
  CHECK(raw(4, {2, 3}, 24) == RWKV_TRAIN_MISUSE);
  CHECK(raw(0, {2, 3}, 24) == RWKV_TRAIN_MISUSE);
  CHECK(raw(RWKV_TRAIN_FLOAT32, {-1, 3}, 24) == RWKV_TRAIN_MISUSE);
  const auto refused = [&](int32_t status, const char *part) {
    CHECK(rwkv_trainer_accumulate(rig.trainer) == status);
    CHECK(rig.sentence().find(part) != std::string::npos);
  };
  refused(RWKV_TRAIN_FORMAT, "\"tokens\""); // uint8
  rig.clear();
  refused(RWKV_TRAIN_FORMAT, "\"tokens\"");
  rig.ints("tokens", {1, 4}, {1, 2, 3, 4});
  refused(RWKV_TRAIN_MISUSE, "\"targets\"");
  rig.ints("targets", {1, 4}, {-100, -100, -100, -100});
  refused(RWKV_TRAIN_MISUSE, "\"targets\"");
  rig.ints("targets", {1, 4}, {1, 2, 32, 3});
  refused(RWKV_TRAIN_MISUSE, "32");
  rig.ints("targets", {4, 1}, {1, 2, 3, 3});
  refused(RWKV_TRAIN_FORMAT, "\"targets\"");
  rig.ints("targets", {1, 4}, {1, 2, 3, 3});
  rig.floats("weights", {1, 3}, {1, 1, 1});
  refused(RWKV_TRAIN_FORMAT, "\"weights\"");
  rig.floats("weights", {1, 4}, {1, 1, 1, 1});
  rig.accumulate();
  rig.ints("tokens", {1, 4}, {1, 2, -3, 4});
  refused(RWKV_TRAIN_MISUSE, "-3");
  rig.ints("tokens", {1, 4}, {1, -1, 3, 4});
  refused(RWKV_TRAIN_FORMAT, "\"vectors\"");
  rig.floats("vectors", {1, 5}, {1, 1, 1, 1, 1});
  refused(RWKV_TRAIN_FORMAT, "\"vectors\"");
  rig.good(rig.put("proj.weight", {{128, 4}, std::vector<float>(128 * 4, .1f)}));
  refused(RWKV_TRAIN_FORMAT, "\"proj.weight\"");
  rig.floats("vectors", {0, 5}, {});
  rig.ints("tokens", {1, 4}, {1, -2, 3, 4});
  refused(RWKV_TRAIN_MISUSE, "padding");
  rig.ints("tokens", {1, 4}, {1, 2, 3, -2});
  refused(RWKV_TRAIN_MISUSE, "padding"); // it has a target
  rig.ints("targets", {1, 4}, {1, 2, 3, -100});
  rig.accumulate();
  rig.set("carry", 1);
  refused(RWKV_TRAIN_MISUSE, "padded");
  rig.ints("tokens", {1, 4}, {1, 2, 3, 4});
  rig.ints("reset", {2}, {0, 0});
  refused(RWKV_TRAIN_FORMAT, "\"reset\"");
  rig.ints("reset", {1}, {0});
  const std::vector<float> state(7);
  CHECK(rwkv_trainer_put_carried(rig.trainer, 2, state.data(), 7) == RWKV_TRAIN_MISUSE);
  CHECK(rwkv_trainer_put_carried(rig.trainer, 1, no_floats, 7) == RWKV_TRAIN_MISUSE);
  CHECK(rwkv_trainer_put_carried(rig.trainer, 1, state.data(), 7) == RWKV_TRAIN_OK);
  refused(RWKV_TRAIN_FORMAT, "carried");
  // Gradients do not outlive a failure of their step.
  CHECK(rwkv_trainer_apply(rig.trainer) == RWKV_TRAIN_MISUSE);
}

void outputs(const Tensors &tiny) {
  const Rig rig(tiny);
  rig.ints("tokens", {1, 4}, {1, 2, 3, 4});
  rig.evaluate();
  CHECK((rig.shape("logits") == std::vector<int64_t>{1, 4, 32}));
  std::vector<float> out(128);
  const std::string name = "logits", other = "loss";
  CHECK(rwkv_trainer_read_output(rig.trainer, Rig::bytes(name), 6, out.data(), 127) == RWKV_TRAIN_SPACE);
  CHECK(rwkv_trainer_read_output(rig.trainer, Rig::bytes(name), 6, nullptr, 128) == RWKV_TRAIN_MISUSE);
  CHECK(rwkv_trainer_read_output(rig.trainer, Rig::bytes(other), 4, out.data(), 128) == RWKV_TRAIN_MISUSE);
  int64_t dims[5];
  CHECK(rwkv_trainer_output_shape(rig.trainer, Rig::bytes(name), 6, dims, nullptr) == RWKV_TRAIN_MISUSE);
}

void missing(const Tensors &tiny) {
  for (const auto &[name, tensor] : tiny) {
    Tensors some = tiny;
    some.erase(name);
    const Rig rig(some);
    rig.ints("tokens", {1, 4}, {1, 2, 3, 4});
    CHECK(rwkv_trainer_evaluate(rig.trainer) == RWKV_TRAIN_FORMAT);
    CHECK(!rig.sentence().empty());
  }
}

void not_finite(const Tensors &tiny) {
  const Rig rig(tiny);
  rig.set("carry", 1), rig.set("lr", 1e-3);
  rig.ints("tokens", {1, 4}, {1, 2, 3, 4});
  rig.ints("targets", {1, 4}, {2, 3, 4, 5});
  rig.accumulate();
  const auto state = rig.carried().second;
  // The loss.
  rig.floats("weights", {1, 4}, {1, 1, std::numeric_limits<float>::infinity(), 1});
  CHECK(rwkv_trainer_accumulate(rig.trainer) == RWKV_TRAIN_NUMBER);
  CHECK(rwkv_trainer_apply(rig.trainer) == RWKV_TRAIN_MISUSE);
  CHECK(rig.carried().second == state);
  // The gradients: the loss is finite and one weight's way back is not.
  rig.floats("weights", {1, 4}, {3e38f, 0, 0, 0});
  const int32_t status = rwkv_trainer_accumulate(rig.trainer);
  CHECK(status == RWKV_TRAIN_NUMBER || rwkv_trainer_apply(rig.trainer) == RWKV_TRAIN_NUMBER);
  CHECK(rwkv_trainer_apply(rig.trainer) == RWKV_TRAIN_MISUSE);
  for (const auto &[name, tensor] : tiny) CHECK(rig.read(name, tensor.values.size()) == tensor.values);
  CHECK(size_of(rig.read("head.weight", 32 * 128, RWKV_TRAIN_MOMENT2)) == 0);
}

void busy(const Tensors &tiny) {
  const Rig rig(tiny);
  constexpr int64_t rows = 8, time = 2000;
  rig.ints("tokens", {rows, time}, some_tokens(rows * time, 1));
  rig.ints("targets", {rows, time}, some_tokens(rows * time, 2));
  const std::string name = "clip";
  std::atomic<bool> done = false;
  int32_t status = 1;
  std::thread step([&] { status = rwkv_trainer_accumulate(rig.trainer), done = true; });
  bool met = false;
  while (!done && !met) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20)); // long enough for the other to begin
    met = rwkv_trainer_set_number(rig.trainer, Rig::bytes(name), name.size(), 1) == RWKV_TRAIN_BUSY;
  }
  CHECK(met);
  CHECK(rig.sentence().find("under way") != std::string::npos);
  step.join();
  CHECK(status == RWKV_TRAIN_OK);
  CHECK(rwkv_trainer_clear_inputs(rig.trainer) == RWKV_TRAIN_OK);
}

} // namespace

int main() {
  const Tensors tiny = tiny_rwkv7();
  null_handles();
  making();
  tensors();
  numbers();
  sentences();
  inputs(tiny);
  outputs(tiny);
  missing(tiny);
  missing(tiny_rwkv6());
  not_finite(tiny);
  busy(tiny);
  return report("boundary");
}
