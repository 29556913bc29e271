// What a model costs in the library on this machine, part by part, over rwkv.h alone.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "json_object.h"

namespace bench {

struct MeasureOptions {
  std::string model;
  uint32_t threads = 1;
  std::vector<uint32_t> streams = {1, 8, 32};
  uint32_t runs = 5; // of each part, behind one that does not count
  uint32_t hogs = 2;
  // Of: bandwidth, prefill, decode, batch, states, idle, hogs, age.
  std::set<std::string> parts;
};

constexpr const char *parts_known[] = {"bandwidth", "prefill", "decode", "batch", "states", "idle", "hogs", "age"};

// Throws std::runtime_error when the library refuses something.
JsonObject measure(const MeasureOptions &options);

} // namespace bench
