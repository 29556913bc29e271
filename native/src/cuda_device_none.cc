// load_cuda of a build without CUDA. Left out when the CUDA library is linked (CMake option RWKV_CUDA).
#include "cuda_device.h"

#include "failure.h"

namespace rwkv {

std::unique_ptr<Model> load_cuda(const std::string &, std::optional<Format>, int) {
  fail(RWKV_NO_DEVICE, "Cannot open device \"cuda\": this build has no CUDA; use \"cpu\" or \"echo\"");
}

} // namespace rwkv
