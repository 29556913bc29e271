// Numbers of several runs as one: the median, with the least and the greatest beside it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#include "json_object.h"

namespace bench {

inline double now_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

class Samples {
 public:
  void add(double value) { values_.push_back(value); }
  double median() const {
    std::vector<double> sorted = values_;
    std::sort(sorted.begin(), sorted.end());
    const size_t count = sorted.size();
    if (count == 0) return NAN;
    return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
  }
  JsonObject json() const {
    JsonObject object;
    object.put("median", median());
    object.put("min", values_.empty() ? NAN : *std::min_element(values_.begin(), values_.end()));
    object.put("max", values_.empty() ? NAN : *std::max_element(values_.begin(), values_.end()));
    object.put("runs", uint64_t{values_.size()});
    return object;
  }

 private:
  std::vector<double> values_;
};

} // namespace bench
