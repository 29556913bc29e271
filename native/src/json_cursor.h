// A cursor over the small part of JSON that a safetensors header uses: objects, strings, arrays, whole numbers.
// Every read is checked against the end; what does not fit is refused with the byte it stands at.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rwkv {

class JsonCursor {
 public:
  explicit JsonCursor(std::string_view text) : text_(text) {}

  // Skips white space, then takes `wanted` if it comes next.
  bool take(char wanted);
  void expect(char wanted);
  std::string string();
  uint64_t whole_number(); // refused above 2^64 - 1
  void expect_end();
  [[noreturn]] void refuse(std::string_view wanted) const;

 private:
  void skip_space();
  char next();
  uint32_t hex4();
  void append_utf8(std::string &out, uint32_t code_point) const;

  std::string_view text_;
  size_t at_ = 0;
};

} // namespace rwkv
