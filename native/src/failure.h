// A refusal on its way to the boundary: a status of rwkv.h and the sentence for a person.
// Thrown anywhere inside, caught in abi.cc only.
#pragma once

#include "rwkv.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace rwkv {

struct Failure {
  int32_t status;
  std::string sentence;
};

[[noreturn]] inline void fail(int32_t status, std::string sentence) {
  throw Failure{status, std::move(sentence)};
}

// A name for a sentence: in quotes, bounded, and without the control bytes a hostile file could put in it.
inline std::string in_quotes(std::string_view name) {
  constexpr size_t shown_bytes = 200;
  std::string out = "\"";
  for (char c : name.substr(0, shown_bytes)) {
    const auto byte = static_cast<unsigned char>(c);
    out += byte < 32 || byte == 127 || c == '"' ? '?' : c;
  }
  if (name.size() > shown_bytes) out += "...";
  return out + "\"";
}

} // namespace rwkv
