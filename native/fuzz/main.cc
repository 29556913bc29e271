// libFuzzer's entry to the target that the build names.
#include "targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
  fuzz::RWKV_FUZZ_TARGET(bytes, count);
  return 0;
}
