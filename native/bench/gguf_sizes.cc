// See gguf_sizes.h. Reads files that rwkv_bench or a converter wrote, not hostile ones: a file that ends early gives 0.
#include "gguf_sizes.h"

#include <fstream>

#include "gguf_file.h"

namespace bench {

namespace {

class Reader {
 public:
  explicit Reader(const std::string &path) : file_(path, std::ios::binary) {}

  template <typename T> T number() {
    T value{};
    file_.read(reinterpret_cast<char *>(&value), sizeof value);
    return value;
  }
  std::string text() {
    const uint64_t length = number<uint64_t>();
    if (length > 1 << 20) file_.setstate(std::ios::failbit);
    std::string value(file_ ? length : 0, '\0');
    file_.read(value.data(), static_cast<std::streamsize>(value.size()));
    return value;
  }
  void skip_value(uint32_t type) {
    constexpr uint32_t bytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    constexpr uint32_t type_text = 8, type_array = 9;
    if (type == type_text) {
      text();
    } else if (type == type_array) {
      const uint32_t inner = number<uint32_t>();
      for (uint64_t left = number<uint64_t>(); left > 0 && file_; left--) skip_value(inner);
    } else if (type < std::size(bytes)) {
      file_.ignore(bytes[type]);
    } else {
      file_.setstate(std::ios::failbit);
    }
  }
  bool good() const { return static_cast<bool>(file_); }

 private:
  std::ifstream file_;
};

} // namespace

uint64_t bytes_read_per_token(const std::string &path) {
  Reader reader(path);
  if (reader.number<uint32_t>() != 0x46554747) return 0;
  reader.number<uint32_t>(); // version
  const uint64_t tensors = reader.number<uint64_t>(), pairs = reader.number<uint64_t>();
  for (uint64_t pair = 0; pair < pairs && reader.good(); pair++) {
    reader.text();
    reader.skip_value(reader.number<uint32_t>());
  }
  uint64_t total = 0;
  for (uint64_t tensor = 0; tensor < tensors && reader.good(); tensor++) {
    const std::string name = reader.text();
    uint64_t count = 1;
    for (uint32_t left = reader.number<uint32_t>(); left > 0 && reader.good(); left--) count *= reader.number<uint64_t>();
    const uint64_t bytes = tensor_bytes(static_cast<TensorType>(reader.number<uint32_t>()), count);
    reader.number<uint64_t>(); // offset
    if (bytes == 0) return 0;
    if (name != "token_embd.weight") total += bytes;
  }
  return reader.good() ? total : 0;
}

} // namespace bench
