// The model of the targets that are not about files: one layer, width 64, the pseudo-weights of the tests.
#pragma once

#include "../tests/tiny_model.h"
#include "file.h"

namespace fuzz {

inline constexpr uint32_t small_width = 64, small_vocab = 32;

inline const File &small_model() {
  static const File *const file = [] {
    auto *const made = new File;
    made->write(bytes_of(generate(rwkv7_spec(small_width, 1))), 0);
    return made;
  }();
  return *file;
}

} // namespace fuzz
