// The kernels of product_lanes.h. The file that includes it defines before:
//   Part halves(const uint8_t *)                     fp16 numbers, as many as Part has
//   Part bf16_even(const uint8_t *), bf16_odd        the first, the second of as many pairs of bf16 numbers
//   PartInts dot_signed(const Bytes (&w)[8], const int8_t *x)      w: int8
//   PartInts dot_nibbles(const Bytes (&w)[8], const int8_t *x)     w: 0 to 15
//   PartInts dot_six(const Bytes *w, const int8_t *x)              four lines only, w: 0 to 63
// A dot: lane r = Σ over lines i and k < 4 of w[i][4·r + k] · x[4·i + k], in exact integers; |x| is at most 127.
#pragma once

#include "product_lanes.h"

namespace {

constexpr size_t parts = rwkv::tile_rows / part_lanes; // registers that a line of a tile fills
constexpr size_t line_bytes = 64;
constexpr size_t prefetch_ahead = 4096; // weights come from memory once

inline __attribute__((always_inline)) Part spread(float value) { return value - Part{}; }
inline __attribute__((always_inline)) Part as_floats(PartInts ints) { return __builtin_convertvector(ints, Part); }

// As many small integers as Part has, as fp32.
template <typename Byte>
inline __attribute__((always_inline)) Part small(const uint8_t *from) {
  typedef Byte Few __attribute__((vector_size(part_lanes)));
  Few few;
  __builtin_memcpy(&few, from, sizeof few);
  return as_floats(__builtin_convertvector(few, PartInts));
}

inline __attribute__((always_inline)) Bytes load_bytes(const uint8_t *from) {
  Bytes bytes;
  __builtin_memcpy(&bytes, from, sizeof bytes);
  return bytes;
}

// Two columns of weights lie in pair_bytes; part p of the first, of the second.
struct F32Weights {
  static constexpr size_t pair_bytes = 128;
  static Part even(const uint8_t *pair, size_t p) {
    return load<Part>(reinterpret_cast<const float *>(pair) + p * part_lanes);
  }
  static Part odd(const uint8_t *pair, size_t p) { return even(pair + 64, p); }
};
struct F16Weights {
  static constexpr size_t pair_bytes = 64;
  static Part even(const uint8_t *pair, size_t p) { return halves(pair + p * part_lanes * 2); }
  static Part odd(const uint8_t *pair, size_t p) { return even(pair + 32, p); }
};
struct Bf16Weights {
  static constexpr size_t pair_bytes = 64;
  static Part even(const uint8_t *pair, size_t p) { return bf16_even(pair + p * part_lanes * 4); }
  static Part odd(const uint8_t *pair, size_t p) { return bf16_odd(pair + p * part_lanes * 4); }
};

// Even and odd columns have sums of their own: enough independent ones for a single row.
template <class Weights>
struct FloatKernel {
  static constexpr size_t most_rows = 3;

  template <size_t R>
  static __attribute__((noinline)) void run(const Piece &piece) {
    Part even[R][parts] = {}, odd[R][parts] = {};
    const float *x = reinterpret_cast<const float *>(piece.input);
    const size_t step = piece.input_step / sizeof(float);
    const uint8_t *pair = piece.tile;
    // Numbers of 16 bits are padded to pairs at least, and so are the rows.
    const size_t whole = Weights::pair_bytes == 128 ? piece.columns / 2 * 2 : piece.columns;
    size_t column = 0;
    for (; column < whole; column += 2, pair += Weights::pair_bytes, x += 2) {
      __builtin_prefetch(pair + prefetch_ahead);
      add<R>(even, x, step, [&](size_t p) { return Weights::even(pair, p); });
      add<R>(odd, x + 1, step, [&](size_t p) { return Weights::odd(pair, p); });
    }
    if (column < piece.columns) add<R>(even, x, step, [&](size_t p) { return Weights::even(pair, p); });
    for (size_t r = 0; r < R; ++r) {
      for (size_t p = 0; p < parts; ++p) even[r][p] += odd[r][p];
      store_sums(piece.out + r * piece.out_step, even[r], piece.width);
    }
  }

  template <size_t R, typename Column>
  static inline __attribute__((always_inline)) void add(Part (&sums)[R][parts], const float *x, size_t step,
                                                        Column column) {
    Part weights[parts];
#pragma GCC unroll 4
    for (size_t p = 0; p < parts; ++p) weights[p] = column(p);
#pragma GCC unroll 4
    for (size_t r = 0; r < R; ++r) {
#pragma GCC unroll 4
      for (size_t p = 0; p < parts; ++p) sums[r][p] = fma(weights[p], spread(x[r * step]), sums[r][p]);
    }
  }
};

// What a group of integers adds to the sums of R rows. x: the blocks of the first row; from row to row, `step` of them.
struct Q8 {
  static constexpr rwkv::Format format = rwkv::Format::q8;

  template <size_t R>
  static inline __attribute__((always_inline)) void add(Part (&sums)[R][parts], const uint8_t *group,
                                                        const InputBlock *x, size_t step) {
    for (size_t block = 0; block < 2; ++block) {
      const uint8_t *lines = group + 64 + block * 8 * line_bytes;
      for (size_t p = 0; p < parts; ++p) {
        Bytes w[8];
        for (size_t i = 0; i < 8; ++i) w[i] = load_bytes(lines + i * line_bytes + p * sizeof(Bytes)) ^ 128;
        const Part scale = halves(group + (block * rwkv::tile_rows + p * part_lanes) * 2);
        for (size_t r = 0; r < R; ++r) {
          const InputBlock &in = x[r * step + block];
          sums[r][p] = fma(as_floats(dot_signed(w, in.bytes)), scale * in.scale, sums[r][p]);
        }
      }
    }
  }
};

// Lines 4 to 7 of a sub-block are the high nibbles of 0 to 3.
inline __attribute__((always_inline)) void load_nibbles(Bytes (&w)[8], const uint8_t *lines) {
  for (size_t i = 0; i < 4; ++i) {
    const Bytes both = load_bytes(lines + i * line_bytes);
    w[i] = both & 15;
    w[4 + i] = both >> 4;
  }
}

struct Q4 {
  static constexpr rwkv::Format format = rwkv::Format::q4;

  template <size_t R>
  static inline __attribute__((always_inline)) void add(Part (&sums)[R][parts], const uint8_t *group,
                                                        const InputBlock *x, size_t step) {
    const uint8_t *scales = group + 64, *mins = scales + 8 * rwkv::tile_rows, *lines = mins + 8 * rwkv::tile_rows;
    for (size_t block = 0; block < 8; ++block) {
      for (size_t p = 0; p < parts; ++p) {
        Bytes w[8];
        load_nibbles(w, lines + block * 4 * line_bytes + p * sizeof(Bytes));
        const size_t at = block * rwkv::tile_rows + p * part_lanes;
        const Part scale = halves(group + p * part_lanes * 2) * small<uint8_t>(scales + at);
        const Part min = halves(group + 32 + p * part_lanes * 2) * small<uint8_t>(mins + at);
        for (size_t r = 0; r < R; ++r) {
          const InputBlock &in = x[r * step + block];
          sums[r][p] = fma(as_floats(dot_nibbles(w, in.bytes)), scale * in.scale, sums[r][p]);
          sums[r][p] = fma(min, spread(in.offset), sums[r][p]);
        }
      }
    }
  }
};

struct Q6 {
  static constexpr rwkv::Format format = rwkv::Format::q6;

  template <size_t R>
  static inline __attribute__((always_inline)) void add(Part (&sums)[R][parts], const uint8_t *group,
                                                        const InputBlock *x, size_t step) {
    const uint8_t *scales = group + 64, *low = scales + 16 * rwkv::tile_rows, *high = low + 32 * line_bytes;
    for (size_t block = 0; block < 8; ++block) {
      for (size_t p = 0; p < parts; ++p) {
        Bytes w[8];
        load_nibbles(w, low + block * 4 * line_bytes + p * sizeof(Bytes));
        for (size_t i = 0; i < 2; ++i) { // bits 0-1 belong to line i, 2-3 to line i + 2, and so on
          const Bytes bits = load_bytes(high + (block * 2 + i) * line_bytes + p * sizeof(Bytes));
          w[i] |= (bits & 3) << 4;
          w[i + 2] |= (bits & 12) << 2;
          w[i + 4] |= bits & 48;
          w[i + 6] |= bits >> 2 & 48;
        }
        const Part d = halves(group + p * part_lanes * 2);
        const uint8_t *of_block = scales + block * 2 * rwkv::tile_rows + p * part_lanes;
        const Part first = d * small<int8_t>(of_block), second = d * small<int8_t>(of_block + rwkv::tile_rows);
        for (size_t r = 0; r < R; ++r) {
          const InputBlock &in = x[r * step + block];
          const PartInts a = dot_six(w, in.bytes) + in.half[0], b = dot_six(w + 4, in.bytes + 16) + in.half[1];
          sums[r][p] = fma(as_floats(a), first * in.scale, sums[r][p]);
          sums[r][p] = fma(as_floats(b), second * in.scale, sums[r][p]);
        }
      }
    }
  }
};

template <class Group>
struct IntegerKernel {
  static constexpr size_t most_rows = 4;

  template <size_t R>
  static __attribute__((noinline)) void run(const Piece &piece) {
    constexpr rwkv::GroupLayout layout = rwkv::group_layout(Group::format);
    Part sums[R][parts] = {};
    const InputBlock *x = reinterpret_cast<const InputBlock *>(piece.input);
    const uint8_t *group = piece.tile;
    for (size_t column = 0; column < piece.columns; column += layout.columns, group += layout.bytes) {
      for (size_t at = 0; at < layout.bytes; at += line_bytes) __builtin_prefetch(group + prefetch_ahead + at);
      Group::template add<R>(sums, group, x, piece.input_step / sizeof(InputBlock));
      x += layout.columns / block_columns;
    }
    for (size_t r = 0; r < R; ++r) store_sums(piece.out + r * piece.out_step, sums[r], piece.width);
  }
};

void matmul(float *out, const void *input, const rwkv::Matrix &w, size_t rows, size_t first, size_t last) {
  switch (w.format) {
    case rwkv::Format::f32: return all_tiles<FloatKernel<F32Weights>>(out, input, w, rows, first, last);
    case rwkv::Format::f16: return all_tiles<FloatKernel<F16Weights>>(out, input, w, rows, first, last);
    case rwkv::Format::bf16: return all_tiles<FloatKernel<Bf16Weights>>(out, input, w, rows, first, last);
    case rwkv::Format::q8: return all_tiles<IntegerKernel<Q8>>(out, input, w, rows, first, last);
    case rwkv::Format::q6: return all_tiles<IntegerKernel<Q6>>(out, input, w, rows, first, last);
    case rwkv::Format::q4: return all_tiles<IntegerKernel<Q4>>(out, input, w, rows, first, last);
  }
}

} // namespace
