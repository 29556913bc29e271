// Which device runs, and the model on it. The only reader of the environment.
#pragma once

#include "matrix.h"
#include "model.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace rwkv {

struct DeviceChoice {
  uint32_t device = 0;  // RWKV_DEVICE_*
  std::string target{}; // of the CPU, by the name of its ops; empty: the quickest
  int index = 0;         // of the CUDA device
};

// AUTO becomes what RWKV_DEVICE says, or the CPU. Anything else RWKV_DEVICE holds stays AUTO and is refused
// by make_model, because a new engine has no place for a sentence yet.
DeviceChoice resolve_device(uint32_t device);

// Reads `path` where the device needs weights, and turns large matrices into `format` if there is one. Failures carry
// the whole sentence.
std::unique_ptr<Model> make_model(const DeviceChoice &choice, const std::string &path, std::optional<Format> format);

} // namespace rwkv
