// Random weights of a released shape as a GGUF file that any engine for RWKV-7 loads.
#pragma once

#include <string>

#include "shapes.h"

namespace bench {

// format: f16, bf16, q8 (Q8_0) or q4 (the mix of Q4_K_M). False when it is none of these or the file cannot be written;
// *why says which.
bool write_model(const Shape &shape, const std::string &format, const std::string &path, std::string *why);

} // namespace bench
