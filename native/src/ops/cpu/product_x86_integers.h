// Products with weights that are blocks of integers: rows become signed bytes with one scale per 32 columns, integers
// are multiplied exactly, and blocks are added up in fp32 in the order of the columns, whatever the number of rows.
//
// The input: panels of r rows. In a panel: bytes [block][r][32], then for each block float scale[r], and per row what
// takes the offset of the weights away: q8 int32 −128·Σ; q6 int32 −32·Σ of either half; q4 float −scale·Σ.
#pragma once

#include "product_x86.h"

namespace rwkv {
namespace {

constexpr size_t block_lines = block_columns / 4; // lines of a tile: 4 columns of 16 rows

constexpr size_t words_per_block(Format format) { return format == Format::q6 ? 3 : 2; }
RWKV_INLINE size_t integer_blocks(Format format, size_t columns) {
  return round_up(columns, group_layout(format).columns) / block_columns;
}
RWKV_INLINE size_t integer_row_bytes(Format format, size_t columns) {
  return integer_blocks(format, columns) * (block_columns + words_per_block(format) * sizeof(float));
}
RWKV_INLINE size_t integer_input_bytes(Format format, size_t rows, size_t columns) {
  return round_up(rows * integer_row_bytes(format, columns), vector_bytes);
}

// One block of one row. A number that is not finite makes a scale that is not.
RWKV_INLINE void put_block(uint8_t *bytes, float *words, size_t r, size_t rows, const float *x, size_t columns,
                           Format format) {
  const __mmask16 second = columns > 16 ? first_lanes(columns - 16) : 0;
  const __m512 a = _mm512_maskz_loadu_ps(first_lanes(columns), x), b = _mm512_maskz_loadu_ps(second, x + 16);
  float most = _mm512_reduce_max_ps(_mm512_max_ps(_mm512_abs_ps(a), _mm512_abs_ps(b)));
  if (_mm512_cmp_ps_mask(a, b, _CMP_UNORD_Q)) most = __builtin_nanf("");
  const __m512 inverse = _mm512_set1_ps(most >= 1e-30f ? 127.0f / most : 0.0f);
  const __m512i low = _mm512_cvtps_epi32(_mm512_mul_ps(a, inverse));
  const __m512i high = _mm512_cvtps_epi32(_mm512_mul_ps(b, inverse));
  _mm_storeu_si128(reinterpret_cast<__m128i *>(bytes), _mm512_cvtepi32_epi8(low));
  _mm_storeu_si128(reinterpret_cast<__m128i *>(bytes + 16), _mm512_cvtepi32_epi8(high));
  const float scale = most / 127.0f;
  const int32_t sums[2] = {_mm512_reduce_add_epi32(low), _mm512_reduce_add_epi32(high)};
  words[r] = scale;
  int32_t *integers = reinterpret_cast<int32_t *>(words);
  if (format == Format::q8) integers[rows + r] = -128 * (sums[0] + sums[1]);
  if (format == Format::q4) words[rows + r] = -scale * static_cast<float>(sums[0] + sums[1]);
  if (format == Format::q6) {
    integers[rows + r] = -32 * sums[0];
    integers[2 * rows + r] = -32 * sums[1];
  }
}

RWKV_INLINE void integer_prepare(void *input, const float *x, Format format, size_t rows, size_t columns,
                                 size_t panel_rows) {
  const size_t blocks = integer_blocks(format, columns);
  const Panels panels(rows, panel_rows);
  uint8_t *panel = static_cast<uint8_t *>(input);
  for (size_t p = 0; p < panels.count; ++p) {
    const size_t count = panels.size(p);
    float *words = reinterpret_cast<float *>(panel + blocks * count * block_columns);
    for (size_t r = 0; r < count; ++r) {
      const float *row = x + (panels.first_row(p) + r) * columns;
      for (size_t b = 0; b < blocks; ++b) {
        const size_t column = b * block_columns;
        put_block(panel + (b * count + r) * block_columns, words + b * words_per_block(format) * count, r, count,
                  row + column, column < columns ? columns - column : 0, format);
      }
    }
    panel += count * integer_row_bytes(format, columns);
  }
}

// Four products of a byte each, added to a sum. A narrow byte of weights is below 64.
struct PairDots {
  static RWKV_INLINE __m512i wide(__m512i sum, __m512i w, __m512i x) {
    const __m512i ones = _mm512_set1_epi16(1), even = _mm512_set1_epi16(0xff);
    const __m512i a = _mm512_madd_epi16(_mm512_maddubs_epi16(_mm512_and_si512(w, even), x), ones);
    const __m512i b = _mm512_madd_epi16(_mm512_maddubs_epi16(_mm512_andnot_si512(even, w), x), ones);
    return _mm512_add_epi32(sum, _mm512_add_epi32(a, b));
  }
  static RWKV_INLINE __m512i narrow(__m512i sum, __m512i w, __m512i x) {
    return _mm512_add_epi32(sum, _mm512_madd_epi16(_mm512_maddubs_epi16(w, x), _mm512_set1_epi16(1)));
  }
};

#ifdef __AVX512VNNI__
struct VnniDots {
  static RWKV_INLINE __m512i wide(__m512i sum, __m512i w, __m512i x) { return _mm512_dpbusd_epi32(sum, w, x); }
  static RWKV_INLINE __m512i narrow(__m512i sum, __m512i w, __m512i x) { return _mm512_dpbusd_epi32(sum, w, x); }
};
#endif

// How a format's weights read. A block has one or two segments, each with its own scale and its own offset of the
// input; line c of a block has columns 4·c to 4·c + 3 of 16 rows.
struct Q8 {
  static constexpr Format format = Format::q8;
  static constexpr bool narrow = false, minimum = false;
  static constexpr size_t segments = 1;
  size_t ahead;
  const uint8_t *lines;
  __m512 scale[1];
  RWKV_INLINE void start(const uint8_t *tile, size_t block, size_t ahead_) {
    ahead = ahead_;
    const uint8_t *group = tile + block / 2 * group_layout(format).bytes;
    prefetch(group + ahead);
    lines = group + 64 + block % 2 * 512;
    scale[0] = load_halves(group + block % 2 * 32);
  }
  RWKV_INLINE __m512i line(size_t c) const {
    prefetch(lines + c * vector_bytes + ahead);
    return load(lines + c * vector_bytes);
  }
};

struct Q4 {
  static constexpr Format format = Format::q4;
  static constexpr bool narrow = true, minimum = true;
  static constexpr size_t segments = 1;
  size_t ahead;
  const uint8_t *lines;
  __m512 scale[1], least;
  RWKV_INLINE void start(const uint8_t *tile, size_t block, size_t ahead_) {
    ahead = ahead_;
    const uint8_t *group = tile + block / 8 * group_layout(format).bytes, *small = group + 64 + block % 8 * 16;
    prefetch(small + ahead);
    lines = group + 320 + block % 8 * 256;
    scale[0] = _mm512_mul_ps(load_halves(group), load_unsigned_bytes(small));
    least = _mm512_mul_ps(load_halves(group + 32), load_unsigned_bytes(small + 128));
  }
  RWKV_INLINE __m512i line(size_t c) const {
    const uint8_t *at = lines + c % 4 * vector_bytes;
    if (c < 4) prefetch(at + ahead);
    const __m512i both = load(at);
    return _mm512_and_si512(c < 4 ? both : _mm512_srli_epi16(both, 4), _mm512_set1_epi8(15));
  }
};

struct Q6 {
  static constexpr Format format = Format::q6;
  static constexpr bool narrow = true, minimum = false;
  static constexpr size_t segments = 2;
  size_t ahead;
  const uint8_t *low, *high;
  __m512 scale[2];
  RWKV_INLINE void start(const uint8_t *tile, size_t block, size_t ahead_) {
    ahead = ahead_;
    const uint8_t *group = tile + block / 8 * group_layout(format).bytes, *small = group + 64 + block % 8 * 32;
    prefetch(small + ahead);
    low = group + 320 + block % 8 * 256;
    high = group + 320 + 2048 + block % 8 * 128;
    const __m512 d = load_halves(group);
    scale[0] = _mm512_mul_ps(d, load_signed_bytes(small));
    scale[1] = _mm512_mul_ps(d, load_signed_bytes(small + 16));
  }
  RWKV_INLINE __m512i line(size_t c) const {
    const uint8_t *low_at = low + c % 4 * vector_bytes, *high_at = high + c % 2 * vector_bytes;
    if (c < 4) prefetch(low_at + ahead);
    if (c < 2) prefetch(high_at + ahead);
    const __m512i both = load(low_at), all = load(high_at);
    const __m512i four = _mm512_and_si512(c < 4 ? both : _mm512_srli_epi16(both, 4), _mm512_set1_epi8(15));
    const size_t m = c / 2;
    const __m512i two = m == 0   ? _mm512_slli_epi16(all, 4)
                        : m == 1 ? _mm512_slli_epi16(all, 2)
                        : m == 2 ? all
                                 : _mm512_srli_epi16(all, 2);
    return _mm512_ternarylogic_epi32(four, two, _mm512_set1_epi8(0x30), 0xf8); // four | (two & 0x30)
  }
};

// A block of a row, after its integers: the sum so far with the block's part.
template <class W>
RWKV_INLINE __m512 add_block(__m512 sum, __m512i dots, const W &w, size_t segment, const float *words, size_t rows) {
  const __m512 factor = _mm512_mul_ps(w.scale[segment], _mm512_set1_ps(words[0]));
  sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dots), factor, sum);
  if constexpr (W::minimum) sum = _mm512_fmadd_ps(w.least, _mm512_set1_ps(words[rows]), sum);
  return sum;
}

// What the sum of a segment's integers begins with.
template <class W> RWKV_INLINE __m512i offset(const float *words, size_t segment, size_t rows) {
  if constexpr (W::minimum) return _mm512_setzero_si512();
  else return _mm512_set1_epi32(reinterpret_cast<const int32_t *>(words)[(1 + segment) * rows]);
}

// Tiles [tile, tile + T) of R rows.
template <class W, class Dots, size_t T, size_t R>
__attribute__((noinline)) void integer_kernel(float *out, const uint8_t *x, const Matrix &w, size_t tile) {
  const size_t blocks = integer_blocks(W::format, w.columns), bytes = tile_bytes(W::format, w.columns);
  const float *words = reinterpret_cast<const float *>(x + blocks * R * block_columns);
  const uint8_t *weights = w.tile(tile);
  __m512 sum[T][R];
#pragma GCC unroll 4
  for (size_t t = 0; t < T; ++t) {
#pragma GCC unroll 16
    for (size_t r = 0; r < R; ++r) sum[t][r] = _mm512_setzero_ps();
  }
  for (size_t b = 0; b < blocks; ++b) {
    const size_t ahead = bytes_ahead(bytes - b * (bytes / blocks), T, bytes);
    W block[T];
#pragma GCC unroll 4
    for (size_t t = 0; t < T; ++t) block[t].start(weights + t * bytes, b, ahead);
#pragma GCC unroll 2
    for (size_t segment = 0; segment < W::segments; ++segment) {
      __m512i dots[T][R];
#pragma GCC unroll 4
      for (size_t t = 0; t < T; ++t) {
#pragma GCC unroll 16
        for (size_t r = 0; r < R; ++r) dots[t][r] = offset<W>(words + r, segment, R);
      }
#pragma GCC unroll 8
      for (size_t c = 0; c < block_lines / W::segments; ++c) {
        const size_t line = segment * (block_lines / W::segments) + c;
        __m512i v[T];
#pragma GCC unroll 4
        for (size_t t = 0; t < T; ++t) v[t] = block[t].line(line);
#pragma GCC unroll 16
        for (size_t r = 0; r < R; ++r) {
          const __m512i four = _mm512_set1_epi32(*reinterpret_cast<const int32_t *>(x + r * block_columns + line * 4));
#pragma GCC unroll 4
          for (size_t t = 0; t < T; ++t) {
            dots[t][r] = W::narrow ? Dots::narrow(dots[t][r], v[t], four) : Dots::wide(dots[t][r], v[t], four);
          }
        }
      }
#pragma GCC unroll 4
      for (size_t t = 0; t < T; ++t) {
#pragma GCC unroll 16
        for (size_t r = 0; r < R; ++r) sum[t][r] = add_block(sum[t][r], dots[t][r], block[t], segment, words + r, R);
      }
    }
    x += R * block_columns;
    words += words_per_block(W::format) * R;
  }
#pragma GCC unroll 4
  for (size_t t = 0; t < T; ++t) {
    const __mmask16 mask = tile_mask(w, tile + t);
#pragma GCC unroll 16
    for (size_t r = 0; r < R; ++r) {
      _mm512_mask_storeu_ps(out + r * w.rows + (tile + t) * tile_rows, mask, sum[t][r]);
    }
  }
}

} // namespace
} // namespace rwkv
