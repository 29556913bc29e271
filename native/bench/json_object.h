// One JSON object being built, in the order in which its members are put.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>

namespace bench {

class JsonObject {
 public:
  void put(const std::string &key, double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.6g", value);
    member(key, std::isfinite(value) ? text : "null");
  }
  void put(const std::string &key, uint64_t value) { member(key, std::to_string(value)); }
  void put(const std::string &key, uint32_t value) { member(key, std::to_string(value)); }
  void put(const std::string &key, const JsonObject &value) { member(key, value.text()); }
  void put(const std::string &key, const std::string &value) {
    std::string quoted = "\"";
    for (char c : value) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    member(key, quoted + '"');
  }
  std::string text() const { return '{' + members_ + '}'; }

 private:
  void member(const std::string &key, const std::string &value) {
    if (!members_.empty()) members_ += ',';
    members_ += '"' + key + "\":" + value;
  }

  std::string members_;
};

} // namespace bench
