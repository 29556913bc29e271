// Writes good inputs for every target, to start from: seeds FOLDER makes FOLDER/<target>/seed_*.
#include "../tests/gguf_maker.h"

#include <fstream>

namespace {

constexpr size_t width = 64;

// The header alone: the data are the zeros that the target puts behind it, in pieces of 64 bytes.
std::string with_zeros(const std::string &header, size_t data_bytes, uint8_t format) {
  std::string out;
  const size_t pieces = (data_bytes + 63) / 64;
  out += static_cast<char>(pieces % 256);
  out += static_cast<char>(pieces / 256 | format << 5);
  return out + header;
}

size_t data_bytes(const gguf::File &file) { return gguf::bytes_of(file).size() - gguf::header_of(file).size(); }

} // namespace

int main(int count, char **arguments) {
  if (count != 2) return 2;
  const std::filesystem::path root = arguments[1];
  const auto put = [&](const std::string &target, const std::string &name, const std::string &bytes) {
    std::filesystem::create_directories(root / target);
    std::ofstream(root / target / ("seed_" + name), std::ios::binary) << bytes;
  };
  const std::map<int, std::map<std::string, TensorSpec>> specs = {
      {7, rwkv7_spec(width, 1)}, {6, rwkv6_spec(width, 1)}, {5, rwkv5_spec(width, 1)}};
  using enum gguf::Type;
  constexpr gguf::Type types[] = {f32, f16, q8_0, q5_1, q4_0};
  for (const auto &[generation, spec] : specs) {
    const Tensors model = generate(spec);
    const std::string number = std::to_string(generation);
    const auto f16 = [](const std::string &) { return Type::f16; };
    const std::string header = header_of(model, "", f16), data = data_of(model, f16);
    std::string start(8, '\0');
    const uint64_t header_bytes = header.size();
    std::memcpy(start.data(), &header_bytes, 8);
    start += header;
    put("safetensors", "rwkv" + number, with_zeros(start, data.size(), static_cast<uint8_t>(generation - 4)));
    if (generation == 5) continue; // no GGUF files of it
    for (const gguf::Type type : types) {
      const gguf::File file = gguf::file_of(model, generation, [&](const std::string &name) {
        const bool matrix = model.at(name).shape.size() == 2 && model.at(name).shape.back() == width;
        return matrix && !gguf::is_turned(name) ? type : f32;
      }, generation == 6);
      const auto format = static_cast<uint8_t>(static_cast<uint32_t>(type) % 5);
      const std::string name = "rwkv" + number + "_type" + std::to_string(static_cast<uint32_t>(type));
      put("gguf", name, with_zeros(gguf::header_of(file).substr(4), data_bytes(file), format));
    }
  }
  for (int how = 0; how < 8; ++how) {
    put("state_blob", std::to_string(how), static_cast<char>(how) + std::string("\x18\0\x01\x02\x03", 5));
  }
  put("state_blob", "positions", "\x03\x12" + std::string(1, '\0') + std::string(8, '\xff')); // 2^64 - 1
  put("state_blob", "nan", std::string("\x03\x18\0\0\0\xc0\x7f\0\0\x80\x7f", 11));
  uint32_t seed = 1;
  for (int script = 0; script < 40; ++script) {
    std::string bytes;
    for (int i = 0; i < 120; ++i) bytes += static_cast<char>((seed = seed * 1664525u + 1013904223u) >> 24);
    put("abi_sequence", std::to_string(script), std::string("\0\0\1\7\0\0", 6) + bytes);
  }
}
