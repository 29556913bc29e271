#include "state.h"

#include "failure.h"
#include "half.h"

#include <bit>
#include <cstring>
#include <utility>

namespace rwkv {
namespace {

static_assert(std::endian::native == std::endian::little, "blobs are little-endian");

constexpr std::array<char, 8> magic{'R', 'W', 'K', 'V', 'S', 'T', 'A', 'T'};
// Version 2 tells the kind of its payload; version 1 is fp32 and has 0 there.
constexpr uint32_t version_f32 = 1, version_kinds = 2;
constexpr size_t head_size = 64;

struct BlobHeader {
  std::array<char, 8> magic;
  uint32_t blob_version, header_bytes;
  std::array<uint8_t, 32> model_hash;
  uint32_t rwkv_version, width, layers, vocab;
  uint64_t float_count, fed;
  BlobKind kind;
  uint32_t reserved[3];
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

// [value][key] from [key][value] of every head, and back: the same exchange. Only RWKV-7 has another order in memory.
void turn_states(float *memory, const ModelShape &shape) {
  if (shape.version != 7) return;
  const LayerLayout layout{shape.width, head_size};
  for (size_t layer = 0; layer < shape.layers; ++layer) {
    float *const s = layout.s(memory, layer);
    for (float *head = s; head < s + layout.s_floats(); head += head_size * head_size) {
      for (size_t i = 0; i < head_size; ++i) {
        for (size_t j = 0; j < i; ++j) std::swap(head[i * head_size + j], head[j * head_size + i]);
      }
    }
  }
}

size_t number_bytes(BlobKind kind) { return kind == BlobKind::f16 ? sizeof(uint16_t) : sizeof(float); }

// f16 has numbers up to 65504; what is nearer to them than to the next step above still becomes 65504.
constexpr float half_most = 65519.99f;

} // namespace

size_t blob_bytes(const ModelShape &shape, BlobKind kind) {
  return sizeof(BlobHeader) + SlotLayout(shape).floats() * number_bytes(kind) + sizeof(uint64_t);
}

void write_blob(uint8_t *out, const ModelShape &shape, BlobKind kind, StateCopy &state) {
  const size_t floats = state.floats.size();
  const BlobHeader header{magic,         kind == BlobKind::f32 ? version_f32 : version_kinds,
                          sizeof(BlobHeader), shape.hash,
                          shape.version, shape.width,
                          shape.layers,  shape.vocab,
                          floats,        state.fed,
                          kind,          {}};
  turn_states(state.floats.data(), shape);
  const size_t body_bytes = sizeof header + floats * number_bytes(kind);
  std::memcpy(out, &header, sizeof header);
  uint8_t *const payload = out + sizeof header;
  if (kind == BlobKind::f32) {
    std::memcpy(payload, state.floats.data(), floats * sizeof(float));
  } else {
    for (size_t i = 0; i < floats; ++i) {
      const float value = state.floats[i];
      if (!(value <= half_most && value >= -half_most)) {
        fail(RWKV_MISUSE, "Cannot export the state as fp16: it holds " + std::to_string(value) +
                              ", and fp16 ends at 65504");
      }
      const uint16_t half = to_half(value);
      std::memcpy(payload + i * sizeof half, &half, sizeof half);
    }
  }
  const uint64_t sum = checksum(out, body_bytes);
  std::memcpy(out + body_bytes, &sum, sizeof sum);
}

StateCopy read_blob(std::span<const uint8_t> blob, const ModelShape &shape) {
  BlobHeader header;
  if (blob.size() < sizeof header) refuse("the blob is too short");
  std::memcpy(&header, blob.data(), sizeof header);
  if (header.magic != magic) refuse("the bytes are not a state");
  const bool known = header.kind == BlobKind::f32 ? header.blob_version == version_f32
                                                  : header.blob_version == version_kinds && header.kind == BlobKind::f16;
  if (!known || header.header_bytes != sizeof header) {
    refuse("the blob has version " + std::to_string(header.blob_version) + " and kind " +
           std::to_string(static_cast<uint32_t>(header.kind)) + "; version 1 with kind 0 and 2 with 1 are read");
  }
  if (header.model_hash != shape.hash) refuse("it belongs to another model");
  const size_t floats = SlotLayout(shape).floats();
  if (header.rwkv_version != shape.version || header.width != shape.width || header.layers != shape.layers ||
      header.vocab != shape.vocab || header.float_count != floats || blob.size() != blob_bytes(shape, header.kind)) {
    refuse("its sizes are not those of this model");
  }
  constexpr uint64_t fed_most = UINT64_MAX / 2; // it counts on from there
  if (header.fed > fed_most) refuse("it stands behind an impossible number of positions");
  const size_t body_bytes = blob.size() - sizeof(uint64_t);
  uint64_t sum;
  std::memcpy(&sum, blob.data() + body_bytes, sizeof sum);
  if (sum != checksum(blob.data(), body_bytes)) refuse("the blob is damaged");
  StateCopy state{std::vector<float>(floats), header.fed};
  const uint8_t *const payload = blob.data() + sizeof header;
  if (header.kind == BlobKind::f32) {
    std::memcpy(state.floats.data(), payload, floats * sizeof(float));
  } else {
    for (size_t i = 0; i < floats; ++i) {
      uint16_t half;
      std::memcpy(&half, payload + i * sizeof half, sizeof half);
      state.floats[i] = from_half(half);
    }
  }
  turn_states(state.floats.data(), shape);
  return state;
}

} // namespace rwkv
