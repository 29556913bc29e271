// Whole blocks with the SHA instructions of x86. Compiled for them, so only where the processor was asked.
#include "sha256_blocks.h"

#if defined(__SHA__)
#include <immintrin.h>

namespace rwkv {

// The instructions keep the eight words as a, b, e, f and c, d, g, h, highest lane first, and do two rounds each.
void sha256_blocks_x86(uint32_t *hash, const uint8_t *bytes, size_t block_count) {
  auto *const at = reinterpret_cast<__m128i *>(hash);
  const __m128i big_endian = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);
  const __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128(at), 0xb1);
  const __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128(at + 1), 0x1b);
  __m128i abef = _mm_alignr_epi8(badc, hgfe, 8), cdgh = _mm_blend_epi16(hgfe, badc, 0xf0);
  for (; block_count > 0; --block_count, bytes += 64) {
    const __m128i abef_before = abef, cdgh_before = cdgh;
    __m128i w[4]; // the newest sixteen words of the schedule
#pragma GCC unroll 16
    for (int four = 0; four < 16; ++four) {
      __m128i &next = w[four % 4];
      if (four < 4) {
        next = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i *>(bytes + 16 * four)), big_endian);
      } else {
        const __m128i seven_back = _mm_alignr_epi8(w[(four + 3) % 4], w[(four + 2) % 4], 4);
        next = _mm_add_epi32(_mm_sha256msg1_epu32(next, w[(four + 1) % 4]), seven_back);
        next = _mm_sha256msg2_epu32(next, w[(four + 3) % 4]);
      }
      const auto *const keys = reinterpret_cast<const __m128i *>(sha256_round_keys + 4 * four);
      const __m128i sums = _mm_add_epi32(next, _mm_loadu_si128(keys));
      cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sums);
      abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sums, 0x0e));
    }
    abef = _mm_add_epi32(abef, abef_before), cdgh = _mm_add_epi32(cdgh, cdgh_before);
  }
  const __m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
  _mm_storeu_si128(at, _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128(at + 1, _mm_alignr_epi8(dchg, feba, 8));
}

} // namespace rwkv
#endif
