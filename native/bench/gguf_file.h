// A GGUF file being written: metadata and the list of tensors first, then the bytes of each tensor in that order. Must
// not know what the tensors are for.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace bench {

enum class TensorType : uint32_t { f32 = 0, f16 = 1, q8_0 = 8, q4_k = 12, q6_k = 14, bf16 = 30 };

// Bytes of `count` numbers, a multiple of the type's block.
uint64_t tensor_bytes(TensorType type, uint64_t count);

struct Tensor {
  std::string name;
  std::vector<uint64_t> dimensions; // fastest first
  TensorType type;

  uint64_t count() const;
  uint64_t bytes() const { return tensor_bytes(type, count()); }
};

class GgufFile {
 public:
  explicit GgufFile(const std::string &path);
  ~GgufFile();
  GgufFile(const GgufFile &) = delete;
  GgufFile &operator=(const GgufFile &) = delete;

  void put(const std::string &key, const std::string &value);
  void put(const std::string &key, uint32_t value);
  void put(const std::string &key, float value);
  void put(const std::string &key, bool value);
  void put(const std::string &key, const std::vector<std::string> &values);
  void put(const std::string &key, const std::vector<int32_t> &values);

  // Header, metadata and tensor list; nothing is put behind this.
  void begin(const std::vector<Tensor> &tensors);
  // Some of the bytes of the tensor under way; end_tensor pads to the alignment.
  void data(const void *bytes, size_t count);
  void end_tensor();
  // False when any write failed (a full disk).
  bool close();

 private:
  void key(const std::string &name, uint32_t type);
  void text(const std::string &value);
  template <typename T> void number(T value);

  std::FILE *file_;
  std::vector<uint8_t> metadata_;
  uint64_t pairs_ = 0, position_ = 0;
  bool good_;
};

} // namespace bench
