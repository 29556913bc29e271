// The fuzz targets: each takes any bytes, drives the library with them through rwkv.h, and ends the program when a rule
// of that header is broken. run.sh feeds them inputs of libFuzzer, tests/corpus_test.cc the ones it kept.
#pragma once

#include "rwkv.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace fuzz {

void safetensors(const uint8_t *bytes, size_t count);
void gguf(const uint8_t *bytes, size_t count);
void state_blob(const uint8_t *bytes, size_t count);
void abi_sequence(const uint8_t *bytes, size_t count);

struct Target {
  const char *name;
  void (*run)(const uint8_t *bytes, size_t count);
};
inline constexpr Target targets[] = {
    {"safetensors", safetensors}, {"gguf", gguf}, {"state_blob", state_blob}, {"abi_sequence", abi_sequence}};

// A rule, unlike a check of a test, ends the program: the fuzzer keeps the input that broke it.
inline void rule(bool holds, const char *what) {
  if (holds) return;
  std::fprintf(stderr, "broken rule: %s\n", what);
  std::abort();
}

// Any status of the header but INTERNAL, which is a bug by definition.
inline int32_t answered(int32_t status) {
  rule(status <= RWKV_OK && status > RWKV_INTERNAL, "a status of the header, and not RWKV_INTERNAL");
  return status;
}

} // namespace fuzz
