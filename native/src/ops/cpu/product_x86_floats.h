// Products with weights that are floating-point numbers, by fused multiply-add in fp32 or by dot products of pairs of
// bf16. One sum per number of the product, over the columns in order, whatever the number of rows.
//
// The input: panels of r rows; in a panel, chunks of 16 words (of 4 bytes) of a row: word [part][r][16]. A word is one
// fp32 number, or a pair of bf16 numbers; a second part is what rounding left of the first.
#pragma once

#include "product_x86.h"

namespace rwkv {
namespace {

constexpr size_t chunk_words = 16;
constexpr size_t float_panel_rows = 12;

// How weights of a format meet a row. A line is 64 bytes of a tile; it is multiplied in `steps`, each with one word of
// the input, step s with the word s · step_words(rows of the panel) after the first; the next line's is line_words on.
// Columns are padded to whole multiples of `padding`.
struct F32 {
  static constexpr size_t steps = 1, line_words = 1, parts = 1, word_columns = 1, padding = 16;
  using Vector = __m512;
  static constexpr size_t step_words(size_t) { return 0; }
  static RWKV_INLINE void expand(Vector *v, const uint8_t *line) {
    v[0] = _mm512_loadu_ps(reinterpret_cast<const float *>(line));
  }
  static RWKV_INLINE __m512 add(__m512 sum, Vector v, const float *x) {
    return _mm512_fmadd_ps(v, _mm512_set1_ps(*x), sum);
  }
};

struct F16 : F32 {
  static constexpr size_t steps = 2, line_words = 2;
  static constexpr size_t step_words(size_t) { return 1; }
  static RWKV_INLINE void expand(Vector *v, const uint8_t *line) {
    v[0] = load_halves(line);
    v[1] = load_halves(line + 32);
  }
};

struct Bf16Expanded : F16 {
  static constexpr size_t padding = 32;
  static RWKV_INLINE void expand(Vector *v, const uint8_t *line) {
    const __m512i pairs = load(line);
    v[0] = _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16));
    v[1] = _mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32(static_cast<int>(0xffff0000))));
  }
};

#ifdef __AVX512BF16__
RWKV_INLINE __m512 widen(__m256i words) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(words), 16));
}
RWKV_INLINE __mmask16 finite(__m512 v) {
  const __m512i exponent = _mm512_set1_epi32(0x7f800000);
  return _mm512_cmpneq_epi32_mask(_mm512_and_si512(_mm512_castps_si512(v), exponent), exponent);
}

// How rows of bf16 products reach a matrix unit. Parts: 1 rounds them to bf16, 2 keeps 16 bits of the mantissa at twice the
// work.
template <size_t Parts> struct Bf16Pairs {
  static constexpr size_t parts = Parts, word_columns = 2, padding = 32;
};
#endif

template <class F> size_t float_row_bytes(size_t columns) {
  return round_up(columns, F::padding) / F::word_columns * F::parts * sizeof(float);
}

template <class F> size_t float_input_bytes(size_t rows, size_t columns) {
  return rows * float_row_bytes<F>(columns);
}

// The 16 words of one row in one chunk, at their place. Columns past the last are 0.
template <class F> RWKV_INLINE void put_words(float *to, const float *x, size_t columns, [[maybe_unused]] size_t rows) {
  if constexpr (F::word_columns == 1) {
    _mm512_storeu_ps(to, _mm512_maskz_loadu_ps(first_lanes(columns), x));
  } else {
#ifdef __AVX512BF16__
    const __mmask16 second = columns > 16 ? first_lanes(columns - 16) : 0;
    __m512 low = _mm512_maskz_loadu_ps(first_lanes(columns), x), high = _mm512_maskz_loadu_ps(second, x + 16);
    for (size_t part = 0; part < F::parts; ++part) {
      const __m512i pairs = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low));
      _mm512_storeu_si512(to + part * rows * chunk_words, pairs);
      // What is left: of an infinity nothing, so that the parts add up to it.
      const __m512 rest_low = _mm512_sub_ps(low, widen(_mm512_castsi512_si256(pairs)));
      const __m512 rest_high = _mm512_sub_ps(high, widen(_mm512_extracti64x4_epi64(pairs, 1)));
      low = _mm512_maskz_mov_ps(finite(low), rest_low);
      high = _mm512_maskz_mov_ps(finite(high), rest_high);
    }
#endif
  }
}

template <class F> void float_prepare(void *input, const float *x, size_t rows, size_t columns, size_t panel_rows) {
  const size_t chunk_columns = chunk_words * F::word_columns, padded = round_up(columns, F::padding);
  const Panels panels(rows, panel_rows);
  float *panel = static_cast<float *>(input);
  for (size_t p = 0; p < panels.count; ++p) {
    const size_t count = panels.size(p);
    for (size_t r = 0; r < count; ++r) {
      const float *row = x + (panels.first_row(p) + r) * columns;
      float *to = panel + r * chunk_words;
      for (size_t column = 0; column < padded; column += chunk_columns, to += F::parts * count * chunk_words) {
        put_words<F>(to, row + column, column < columns ? columns - column : 0, count);
      }
    }
    panel += count * float_row_bytes<F>(columns) / sizeof(float);
  }
}

// Tiles [tile, tile + T) of R rows.
template <class F, size_t T, size_t R>
__attribute__((noinline)) void float_kernel(float *out, const float *x, const Matrix &w, size_t tile) {
  const size_t bytes = tile_bytes(w.format, w.columns);
  const uint8_t *lines = w.tile(tile);
  constexpr size_t chunk_lines = chunk_words / F::line_words;
  __m512 sum[T][R];
#pragma GCC unroll 4
  for (size_t t = 0; t < T; ++t) {
#pragma GCC unroll 16
    for (size_t r = 0; r < R; ++r) sum[t][r] = _mm512_setzero_ps();
  }
  for (size_t left = bytes / vector_bytes; left;) {
    const size_t now = smaller(left, chunk_lines), ahead = bytes_ahead(left * vector_bytes, T, bytes);
    const float *word = x;
    for (size_t i = 0; i < now; ++i, lines += vector_bytes, word += F::line_words) {
      typename F::Vector v[T][F::steps];
#pragma GCC unroll 4
      for (size_t t = 0; t < T; ++t) {
        prefetch(lines + t * bytes + ahead);
        F::expand(v[t], lines + t * bytes);
      }
#pragma GCC unroll 2
      for (size_t s = 0; s < F::steps; ++s) {
#pragma GCC unroll 16
        for (size_t r = 0; r < R; ++r) {
          const float *at = word + s * F::step_words(R) + r * chunk_words;
#pragma GCC unroll 4
          for (size_t t = 0; t < T; ++t) sum[t][r] = F::add(sum[t][r], v[t][s], at);
        }
      }
    }
    x += F::parts * R * chunk_words;
    left -= now;
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

template <class F, size_t T>
RWKV_INLINE void float_tiles(float *out, const float *x, const Matrix &w, size_t tile, size_t rows) {
  switch (rows) {
    case 1: return float_kernel<F, T, 1>(out, x, w, tile);
    case 2: return float_kernel<F, T, 2>(out, x, w, tile);
    case 3: return float_kernel<F, T, 3>(out, x, w, tile);
    case 4: return float_kernel<F, T, 4>(out, x, w, tile);
    case 5: return float_kernel<F, T, 5>(out, x, w, tile);
    case 6: return float_kernel<F, T, 6>(out, x, w, tile);
    case 7: return float_kernel<F, T, 7>(out, x, w, tile);
    case 8: return float_kernel<F, T, 8>(out, x, w, tile);
    case 9: return float_kernel<F, T, 9>(out, x, w, tile);
    case 10: return float_kernel<F, T, 10>(out, x, w, tile);
    case 11: return float_kernel<F, T, 11>(out, x, w, tile);
    default: return float_kernel<F, T, 12>(out, x, w, tile);
  }
}

template <class F>
void float_matmul(float *out, const void *input, const Matrix &w, size_t rows, size_t first, size_t last) {
  const Panels panels(rows, float_panel_rows);
  const size_t row_bytes = float_row_bytes<F>(w.columns), row_words = row_bytes / sizeof(float);
  const size_t chunk = panels_per_chunk(row_bytes, float_panel_rows);
  const float *x = static_cast<const float *>(input);
  for (size_t from = 0; from < panels.count; from += chunk) {
    const size_t to = smaller(from + chunk, panels.count);
    for (size_t tile = first, step; tile < last; tile += step) {
      step = last - tile >= 2 ? 2 : 1;
      for (size_t p = from; p < to; ++p) {
        const size_t row = panels.first_row(p);
        float *to_rows = out + row * w.rows;
        if (step == 2) float_tiles<F, 2>(to_rows, x + row * row_words, w, tile, panels.size(p));
        else float_tiles<F, 1>(to_rows, x + row * row_words, w, tile, panels.size(p));
      }
    }
  }
}

} // namespace
} // namespace rwkv
