// A refusal on its way to the boundary: a status of rwkv_train.h and the sentence for a person. Caught in boundary.cc only.
#pragma once

#include "rwkv_train.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace rwkv_train {

struct Failure {
  int32_t status;
  std::string sentence;
};

[[noreturn]] inline void fail(int32_t status, std::string sentence) { throw Failure{status, std::move(sentence)}; }

inline void require(bool holds, int32_t status, const char *sentence) {
  if (!holds) fail(status, sentence);
}

// A name for a sentence: in quotes, without control bytes. Names are at most 200 bytes here.
inline std::string in_quotes(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 32 || byte == 127 || c == '"' ? '?' : c;
  }
  return out + "\"";
}

} // namespace rwkv_train
