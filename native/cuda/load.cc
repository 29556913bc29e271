// The CUDA side of src/cuda_device.h: which generation a file is, and failures as sentences.
#include "../src/cuda_device.h"

#include "../src/failure.h"
#include "model7.h"

namespace rwkv {

std::unique_ptr<Model> load_cuda(const std::string &path, std::optional<Format> format, int index) {
  if (path.empty()) fail(RWKV_MISUSE, "Cannot load weights: no path was put");
  try {
    WeightFile file(path, format);
    if (file.has("blocks.0.att.r_k")) return std::make_unique<cuda::CudaModel7>(file, index);
    if (file.has("blocks.0.att.time_maa_w1") || file.has("blocks.0.att.time_mix_k")) {
      fail(RWKV_FORMAT, "it is RWKV-6 or RWKV-5, which device \"cuda\" does not run yet; use \"cpu\"");
    }
    fail(RWKV_FORMAT, "it is not RWKV-7 (\"blocks.0.att.r_k\")");
  } catch (const Failure &failure) {
    fail(failure.status, "Cannot load weights " + in_quotes(path) + ": " + failure.sentence);
  } catch (const std::bad_alloc &) {
    fail(RWKV_MEMORY, "Cannot load weights " + in_quotes(path) + ": out of memory");
  }
}

} // namespace rwkv
