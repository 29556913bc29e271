// Knows JSON's grammar, not what a tensor is.
#include "json_cursor.h"

#include "failure.h"

namespace rwkv {

void JsonCursor::refuse(std::string_view wanted) const {
  fail(RWKV_FORMAT, "header byte " + std::to_string(at_) + ": " + std::string(wanted));
}

void JsonCursor::skip_space() {
  while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) ++at_;
}

char JsonCursor::next() {
  if (at_ >= text_.size()) refuse("the JSON ends too early");
  return text_[at_++];
}

bool JsonCursor::take(char wanted) {
  skip_space();
  if (at_ >= text_.size() || text_[at_] != wanted) return false;
  ++at_;
  return true;
}

void JsonCursor::expect(char wanted) {
  if (!take(wanted)) refuse(std::string("'") + wanted + "' is missing");
}

void JsonCursor::expect_end() {
  skip_space();
  if (at_ != text_.size()) refuse("something follows the JSON object");
}

uint32_t JsonCursor::hex4() {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = next();
    value <<= 4;
    if (c >= '0' && c <= '9') value += static_cast<uint32_t>(c - '0');
    else if (c >= 'a' && c <= 'f') value += static_cast<uint32_t>(c - 'a') + 10;
    else if (c >= 'A' && c <= 'F') value += static_cast<uint32_t>(c - 'A') + 10;
    else refuse("a \\u escape needs four hex digits");
  }
  return value;
}

void JsonCursor::append_utf8(std::string &out, uint32_t code) const {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | (code >> shift & 0x3f)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | code >> 6), tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | code >> 12), tail(6), tail(0);
  } else {
    out += static_cast<char>(0xf0 | code >> 18), tail(12), tail(6), tail(0);
  }
}

std::string JsonCursor::string() {
  expect('"');
  std::string out;
  while (true) {
    const char c = next();
    if (c == '"') return out;
    if (static_cast<unsigned char>(c) < 32) refuse("a control character stands in a string");
    if (c != '\\') {
      out += c;
      continue;
    }
    const char escape = next();
    constexpr std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
    if (const size_t found = letters.find(escape); found != std::string_view::npos) {
      out += meanings[found];
      continue;
    }
    if (escape != 'u') refuse("an unknown escape stands in a string");
    uint32_t code = hex4();
    if (code >= 0xd800 && code < 0xdc00) {
      if (next() != '\\' || next() != 'u') refuse("half of a surrogate pair is missing");
      const uint32_t low = hex4();
      if (low < 0xdc00 || low >= 0xe000) refuse("half of a surrogate pair is missing");
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xdc00 && code < 0xe000) {
      refuse("half of a surrogate pair is missing");
    }
    append_utf8(out, code);
  }
}

uint64_t JsonCursor::whole_number() {
  skip_space();
  const size_t start = at_;
  uint64_t value = 0;
  while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
    const auto digit = static_cast<uint64_t>(text_[at_] - '0');
    if (__builtin_mul_overflow(value, uint64_t{10}, &value) || __builtin_add_overflow(value, digit, &value)) {
      refuse("a number is too large");
    }
    ++at_;
  }
  if (at_ == start) refuse("a whole number is missing");
  if (at_ - start > 1 && text_[start] == '0') refuse("a number begins with 0");
  return value;
}

} // namespace rwkv
