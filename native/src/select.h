// Which device runs, and the model on it. The only reader of the environment.
#pragma once

#include "model.h"

#include <cstdint>
#include <memory>
#include <string>

namespace rwkv {

// AUTO becomes what RWKV_DEVICE says, or the CPU. Anything else RWKV_DEVICE holds stays AUTO and is refused
// by make_model, because a new engine has no place for a sentence yet.
uint32_t resolve_device(uint32_t device);

// Reads `path` where the device needs weights. Failures carry the whole sentence.
std::unique_ptr<Model> make_model(uint32_t device, const std::string &path);

} // namespace rwkv
