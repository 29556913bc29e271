#include "tiles.h"

#include <cstring>

namespace rwkv::cuda {

void pack_tile(uint8_t *out, const Matrix &w, size_t index) {
  const size_t held = tile_bytes(w.format, w.columns), wanted = device_tile_bytes(w.format, w.columns);
  const uint8_t *const tile = w.tile(index);
  if (w.format != Format::f16) {
    std::memcpy(out, tile, held);
  } else {
    for (size_t group = 0; group < held; group += 64) { // [2 k][16 r] → [16 r][2 k]
      for (size_t r = 0; r < tile_rows; ++r) {
        std::memcpy(out + group + 4 * r, tile + group + 2 * r, 2);
        std::memcpy(out + group + 4 * r + 2, tile + group + 32 + 2 * r, 2);
      }
    }
  }
  std::memset(out + held, 0, wanted - held);
}

} // namespace rwkv::cuda
