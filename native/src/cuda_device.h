// The seam to the CUDA library: one function, which a build without CUDA has too (cuda_device_none.cc).
#pragma once

#include "matrix.h"
#include "model.h"

#include <memory>
#include <optional>
#include <string>

namespace rwkv {

// On the device of that index. Fails with NO_DEVICE where there is none, and as loading on the CPU does. Failures carry the whole sentence.
std::unique_ptr<Model> load_cuda(const std::string &path, std::optional<Format> format, int index);

} // namespace rwkv
