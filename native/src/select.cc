#include "select.h"

#include "cuda_device.h"
#include "echo.h"
#include "failure.h"
#include "model5.h"
#include "model6.h"
#include "model7.h"

#include <charconv>
#include <cstdlib>
#include <string_view>

namespace rwkv {
namespace {

const Ops &choose_ops(const std::string &target) {
  if (const Ops *const ops = cpu_ops(target.empty() ? nullptr : target.c_str())) return *ops;
  std::string here;
  const CpuTables tables = cpu_tables();
  for (size_t i = 0; i < tables.count; ++i) here += (i > 0 ? ", " : "") + std::string(tables.tables[i]->name);
  fail(RWKV_NO_DEVICE, "Cannot use CPU target " + in_quotes(target) + ": this machine has " + here);
}

std::unique_ptr<Model> load_cpu(const std::string &path, std::optional<Format> format, const std::string &target) {
  const Ops &ops = choose_ops(target);
  if (path.empty()) fail(RWKV_MISUSE, "Cannot load weights: no path was put");
  try {
    WeightFile file(path, format);
    if (file.has("blocks.0.att.r_k")) return std::make_unique<Model7>(file, ops);
    if (file.has("blocks.0.att.time_maa_w1")) return std::make_unique<Model6>(file, ops);
    if (file.has("blocks.0.att.time_mix_k")) return std::make_unique<Model5>(file, ops);
    fail(RWKV_FORMAT, "it is not RWKV-7 (\"blocks.0.att.r_k\"), RWKV-6 (\"blocks.0.att.time_maa_w1\") or RWKV-5.2 "
                      "(\"blocks.0.att.time_mix_k\")");
  } catch (const Failure &failure) {
    fail(failure.status, "Cannot load weights " + in_quotes(path) + ": " + failure.sentence);
  } catch (const std::bad_alloc &) {
    fail(RWKV_MEMORY, "Cannot load weights " + in_quotes(path) + ": out of memory");
  }
}

} // namespace

DeviceChoice resolve_device(uint32_t device) {
  if (device != RWKV_DEVICE_AUTO) return {device};
  const char *const set = std::getenv("RWKV_DEVICE");
  const std::string_view name = set ? set : "cpu", with_target = "cpu:", with_index = "cuda:";
  if (name == "echo") return {RWKV_DEVICE_ECHO};
  if (name == "cpu" || name.empty()) return {RWKV_DEVICE_CPU};
  if (name.starts_with(with_target) && name.size() > with_target.size()) {
    return {RWKV_DEVICE_CPU, std::string(name.substr(with_target.size()))};
  }
  if (name == "cuda") return {RWKV_DEVICE_CUDA};
  if (name.starts_with(with_index) && name.size() > with_index.size()) {
    const char *const first = name.data() + with_index.size(), *const end = name.data() + name.size();
    int index = 0;
    const auto [stop, problem] = std::from_chars(first, end, index);
    if (problem == std::errc() && stop == end && index >= 0) return {RWKV_DEVICE_CUDA, "", index};
  }
  return {RWKV_DEVICE_AUTO};
}

std::unique_ptr<Model> make_model(const DeviceChoice &choice, const std::string &path, std::optional<Format> format) {
  switch (choice.device) {
    case RWKV_DEVICE_ECHO: return std::make_unique<Echo>();
    case RWKV_DEVICE_CPU: return load_cpu(path, format, choice.target);
    case RWKV_DEVICE_CUDA: return load_cuda(path, format, choice.index);
    default:
      fail(RWKV_NO_DEVICE,
           "Cannot choose a device: RWKV_DEVICE is set, but not to echo, cpu, cpu:TARGET, cuda or cuda:N");
  }
}

} // namespace rwkv
