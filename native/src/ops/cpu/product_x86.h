// What the AVX-512 products share: how rows are cut into panels, masks and small vector pieces. For files compiled for
// one CPU only: everything here is local to the file that includes it, and no header of the standard library comes in.
#pragma once

#include "../../matrix.h"

// GCC 12 takes the undefined vectors of its own header for a mistake.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#include <stddef.h>
#include <stdint.h>

#define RWKV_INLINE inline __attribute__((always_inline))

namespace rwkv {
namespace {

constexpr size_t vector_bytes = 64;
constexpr size_t block_columns = 32; // of an input of integers: one scale

// Rows are cut into panels of at most `most` rows, as equal as can be; a panel is what stays in registers at once.
// The first `larger` panels have one row more than the others.
struct Panels {
  size_t count, rows, larger;
  Panels(size_t all, size_t most) : count((all + most - 1) / most), rows(all / count), larger(all % count) {}
  size_t first_row(size_t panel) const { return panel * rows + (panel < larger ? panel : larger); }
  size_t size(size_t panel) const { return rows + (panel < larger); }
};

// Inputs of so many bytes stay in the second cache while tiles go by.
constexpr size_t input_chunk_bytes = 512 * 1024;
RWKV_INLINE size_t panels_per_chunk(size_t row_bytes, size_t panel_rows) {
  const size_t panels = input_chunk_bytes / (row_bytes * panel_rows);
  return panels ? panels : 1;
}

RWKV_INLINE size_t round_up(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }
RWKV_INLINE size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

RWKV_INLINE __mmask16 first_lanes(size_t count) {
  return static_cast<__mmask16>(count >= 16 ? 0xffff : (1u << count) - 1);
}
// Which of the 16 columns of a tile are columns of the product.
RWKV_INLINE __mmask16 tile_mask(const Matrix &w, size_t tile) { return first_lanes(w.rows - tile * tile_rows); }

RWKV_INLINE __m512i load(const uint8_t *from) { return _mm512_loadu_si512(from); }
RWKV_INLINE __m512 load_halves(const uint8_t *from) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(from)));
}
RWKV_INLINE __m512 load_unsigned_bytes(const uint8_t *from) {
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i *>(from))));
}
RWKV_INLINE __m512 load_signed_bytes(const uint8_t *from) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i *>(from))));
}

// Weights come from memory once: ask for those a few KB ahead. With several tiles side by side, what follows a tile's
// end is read at the start of the tile that many further on. left: bytes of the tile from here on.
constexpr size_t few_kilobytes = 4096;
RWKV_INLINE size_t bytes_ahead(size_t left, size_t tiles, size_t bytes) {
  return left > few_kilobytes ? few_kilobytes : few_kilobytes + (tiles - 1) * bytes;
}
RWKV_INLINE void prefetch(const uint8_t *at) { _mm_prefetch(reinterpret_cast<const char *>(at), _MM_HINT_T0); }

} // namespace
} // namespace rwkv
