#include "select.h"

#include "echo.h"
#include "failure.h"
#include "model5.h"
#include "model6.h"
#include "model7.h"

#include <cstdlib>
#include <string_view>

namespace rwkv {
namespace {

std::unique_ptr<Model> load_cpu(const std::string &path) {
  if (path.empty()) fail(RWKV_MISUSE, "Cannot load weights: no path was put");
  try {
    WeightFile file(path);
    if (file.has("blocks.0.att.r_k")) return std::make_unique<Model7>(file, cpu_ops());
    if (file.has("blocks.0.att.time_maa_w1")) return std::make_unique<Model6>(file, cpu_ops());
    if (file.has("blocks.0.att.time_mix_k")) return std::make_unique<Model5>(file, cpu_ops());
    fail(RWKV_FORMAT, "it is not RWKV-7 (\"blocks.0.att.r_k\"), RWKV-6 (\"blocks.0.att.time_maa_w1\") or RWKV-5.2 "
                      "(\"blocks.0.att.time_mix_k\")");
  } catch (const Failure &failure) {
    fail(failure.status, "Cannot load weights " + in_quotes(path) + ": " + failure.sentence);
  } catch (const std::bad_alloc &) {
    fail(RWKV_MEMORY, "Cannot load weights " + in_quotes(path) + ": out of memory");
  }
}

} // namespace

uint32_t resolve_device(uint32_t device) {
  if (device != RWKV_DEVICE_AUTO) return device;
  const char *const set = std::getenv("RWKV_DEVICE");
  const std::string_view name = set ? set : "cpu";
  if (name == "echo") return RWKV_DEVICE_ECHO;
  if (name == "cpu" || name.empty()) return RWKV_DEVICE_CPU;
  if (name == "cuda") return RWKV_DEVICE_CUDA;
  return RWKV_DEVICE_AUTO;
}

std::unique_ptr<Model> make_model(uint32_t device, const std::string &path) {
  switch (device) {
    case RWKV_DEVICE_ECHO: return std::make_unique<Echo>();
    case RWKV_DEVICE_CPU: return load_cpu(path);
    case RWKV_DEVICE_CUDA:
      fail(RWKV_NO_DEVICE, "Cannot open device \"cuda\": this build has no CUDA; use \"cpu\" or \"echo\"");
    default:
      fail(RWKV_NO_DEVICE, "Cannot choose a device: RWKV_DEVICE is set, but not to echo, cpu or cuda");
  }
}

} // namespace rwkv
