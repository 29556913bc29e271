#include "state.h"

#include "failure.h"

#include <bit>
#include <cstring>

namespace rwkv {
namespace {

static_assert(std::endian::native == std::endian::little, "blobs are little-endian");

constexpr std::array<char, 8> magic{'R', 'W', 'K', 'V', 'S', 'T', 'A', 'T'};
constexpr uint32_t blob_version = 1;

struct BlobHeader {
  std::array<char, 8> magic;
  uint32_t blob_version, header_bytes;
  std::array<uint8_t, 32> model_hash;
  uint32_t rwkv_version, width, layers, vocab;
  uint64_t float_count, fed, reserved[2];
};
static_assert(sizeof(BlobHeader) == 96);

// Every step is a bijection of the running value and of the word it takes in, so two inputs that differ in one
// word never meet: damage to a single byte is always seen. Four independent lanes let the multiplications
// overlap. This guards against accidents, not against someone who writes a blob on purpose.
uint64_t checksum(const uint8_t *bytes, size_t count) {
  constexpr uint64_t odd = 0x9e3779b97f4a7c15;
  const auto take = [](uint64_t sum, uint64_t word) { return std::rotl((sum ^ word) * odd, 29); };
  uint64_t lanes[4] = {1, 2, 3, 4};
  size_t lane = 0;
  for (size_t at = 0; at < count; at += 8, ++lane) {
    uint64_t word = 0;
    std::memcpy(&word, bytes + at, count - at < 8 ? count - at : 8);
    lanes[lane % 4] = take(lanes[lane % 4], word);
  }
  uint64_t sum = count;
  for (const uint64_t part : lanes) sum = take(sum, part);
  return sum;
}

[[noreturn]] void refuse(const std::string &why) { fail(RWKV_FOREIGN, "Cannot import the state: " + why); }

} // namespace

size_t blob_bytes(const ModelShape &shape) {
  return sizeof(BlobHeader) + SlotLayout(shape).floats() * sizeof(float) + sizeof(uint64_t);
}

void write_blob(uint8_t *out, const ModelShape &shape, const float *memory, uint64_t fed) {
  const size_t floats = SlotLayout(shape).floats();
  const BlobHeader header{magic,       blob_version, sizeof(BlobHeader), shape.hash, shape.version, shape.width,
                          shape.layers, shape.vocab,  floats,             fed,        {}};
  const size_t body_bytes = sizeof header + floats * sizeof(float);
  std::memcpy(out, &header, sizeof header);
  std::memcpy(out + sizeof header, memory, floats * sizeof(float));
  const uint64_t sum = checksum(out, body_bytes);
  std::memcpy(out + body_bytes, &sum, sizeof sum);
}

uint64_t read_blob(std::span<const uint8_t> blob, const ModelShape &shape, float *memory) {
  BlobHeader header;
  if (blob.size() < sizeof header) refuse("the blob is too short");
  std::memcpy(&header, blob.data(), sizeof header);
  if (header.magic != magic) refuse("the bytes are not a state");
  if (header.blob_version != blob_version || header.header_bytes != sizeof header) {
    refuse("the blob has version " + std::to_string(header.blob_version) + "; version " +
           std::to_string(blob_version) + " is read");
  }
  if (header.model_hash != shape.hash) refuse("it belongs to another model");
  const size_t floats = SlotLayout(shape).floats();
  if (header.rwkv_version != shape.version || header.width != shape.width || header.layers != shape.layers ||
      header.vocab != shape.vocab || header.float_count != floats || blob.size() != blob_bytes(shape)) {
    refuse("its sizes are not those of this model");
  }
  const size_t body_bytes = blob.size() - sizeof(uint64_t);
  uint64_t sum;
  std::memcpy(&sum, blob.data() + body_bytes, sizeof sum);
  if (sum != checksum(blob.data(), body_bytes)) refuse("the blob is damaged");
  std::memcpy(memory, blob.data() + sizeof header, floats * sizeof(float));
  return header.fed;
}

} // namespace rwkv
