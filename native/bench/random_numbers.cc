// See random_numbers.h.
#include "random_numbers.h"

#include <algorithm>
#include <cstring>

#include "../src/quantise.h"

namespace bench {

namespace {

constexpr size_t block_numbers = 256, pool_blocks = 1024;

void convert(uint8_t *out, TensorType type, const float *x, size_t count) {
  switch (type) {
    case TensorType::f32: std::memcpy(out, x, count * sizeof(float)); return;
    case TensorType::f16: rwkv::quantise(out, rwkv::Format::f16, x, count); return;
    case TensorType::bf16: rwkv::quantise(out, rwkv::Format::bf16, x, count); return;
    case TensorType::q8_0: rwkv::quantise(out, rwkv::Format::q8, x, count); return;
    case TensorType::q4_k: rwkv::quantise(out, rwkv::Format::q4, x, count); return;
    case TensorType::q6_k: rwkv::quantise(out, rwkv::Format::q6, x, count); return;
  }
}

} // namespace

const std::vector<uint8_t> &RandomTensors::pool(TensorType type, const Distribution &distribution) {
  std::vector<uint8_t> &bytes = pools_[Key{type, distribution.a, distribution.b}];
  if (bytes.empty()) {
    std::vector<float> numbers(block_numbers * pool_blocks);
    for (float &number : numbers) number = static_cast<float>(distribution.draw(random_));
    bytes.resize(tensor_bytes(type, numbers.size()));
    convert(bytes.data(), type, numbers.data(), numbers.size());
  }
  return bytes;
}

void RandomTensors::write(GgufFile &file, const Tensor &tensor, const Distribution &distribution) {
  const uint64_t count = tensor.count();
  if (count < block_numbers * pool_blocks && tensor.type == TensorType::f32) { // vectors: every number drawn
    std::vector<float> numbers(count);
    for (float &number : numbers) number = static_cast<float>(distribution.draw(random_));
    file.data(numbers.data(), count * sizeof(float));
  } else {
    const std::vector<uint8_t> &blocks = pool(tensor.type, distribution);
    const size_t block_bytes = blocks.size() / pool_blocks;
    std::vector<uint8_t> piece;
    for (uint64_t left = tensor.bytes(); left > 0; left -= piece.size()) {
      piece.resize(std::min<uint64_t>(left, 4096 * block_bytes));
      for (size_t at = 0; at < piece.size(); at += block_bytes) {
        const uint8_t *block = &blocks[random_.bits() % pool_blocks * block_bytes];
        std::memcpy(&piece[at], block, std::min(block_bytes, piece.size() - at));
      }
      file.data(piece.data(), piece.size());
    }
  }
  file.end_tensor();
}

} // namespace bench
