// Products for any machine, and the most exact ones: rows stay fp32 and weights of every format become fp32, 32 columns
// of a tile at a time. Columns are summed in those chunks and the chunks after one another.
#include "../ops.h"
#include "numbers.h"

namespace rwkv {
extern const Products products_plain;

namespace {

constexpr size_t chunk_columns = 32;
constexpr size_t panel_rows = 64;
constexpr size_t line_bytes = 4 * tile_rows;

typedef float Four __attribute__((vector_size(16)));
constexpr size_t fours = tile_rows / 4;

// [column][row]
struct Chunk {
  float weights[chunk_columns][tile_rows];
};

float half_at(const uint8_t *from, size_t index) {
  uint16_t bits;
  __builtin_memcpy(&bits, from + 2 * index, sizeof bits);
  return f16_value(bits);
}
float bf16_at(const uint8_t *from, size_t index) {
  uint16_t bits;
  __builtin_memcpy(&bits, from + 2 * index, sizeof bits);
  return bf16_value(bits);
}

// `first`: a column of the matrix, a multiple of 32. group: the one that has it, or for f32 and f16 the first of the
// groups that have the `count` columns.
void expand_q8(Chunk &to, const uint8_t *group, size_t first) {
  const size_t block = first / chunk_columns % 2;
  const uint8_t *lines = group + 64 + block * 8 * line_bytes;
  float scale[tile_rows];
  for (size_t r = 0; r < tile_rows; ++r) scale[r] = half_at(group, block * tile_rows + r);
  for (size_t k = 0; k < chunk_columns; ++k) {
    const uint8_t *line = lines + k / 4 * line_bytes + k % 4;
    for (size_t r = 0; r < tile_rows; ++r) to.weights[k][r] = scale[r] * static_cast<float>(line[4 * r] - 128);
  }
}

void expand_q6(Chunk &to, const uint8_t *group, size_t first) {
  const size_t block = first / chunk_columns % 8;
  const uint8_t *scales = group + 64 + block * 2 * tile_rows;
  const uint8_t *low = group + 64 + 16 * tile_rows + block * 4 * line_bytes;
  const uint8_t *high = group + 64 + 16 * tile_rows + (32 + block * 2) * line_bytes;
  float d[tile_rows];
  for (size_t r = 0; r < tile_rows; ++r) d[r] = half_at(group, r);
  for (size_t k = 0; k < chunk_columns; ++k) {
    const uint8_t *of_low = low + k % 16 / 4 * line_bytes + k % 4, *of_high = high + k / 4 % 2 * line_bytes + k % 4;
    for (size_t r = 0; r < tile_rows; ++r) {
      const int number = (of_low[4 * r] >> k / 16 * 4 & 15) | (of_high[4 * r] >> k / 8 * 2 & 3) << 4;
      const int scale = static_cast<int8_t>(scales[k / 16 * tile_rows + r]);
      to.weights[k][r] = d[r] * static_cast<float>(scale * (number - 32));
    }
  }
}

void expand_q4(Chunk &to, const uint8_t *group, size_t first) {
  const size_t block = first / chunk_columns % 8;
  const uint8_t *scales = group + 64 + block * tile_rows, *mins = scales + 8 * tile_rows;
  const uint8_t *lines = group + 64 + 16 * tile_rows + block * 4 * line_bytes;
  float scale[tile_rows], min[tile_rows];
  for (size_t r = 0; r < tile_rows; ++r) {
    scale[r] = half_at(group, r) * static_cast<float>(scales[r]);
    min[r] = half_at(group, tile_rows + r) * static_cast<float>(mins[r]);
  }
  for (size_t k = 0; k < chunk_columns; ++k) {
    const uint8_t *line = lines + k % 16 / 4 * line_bytes + k % 4;
    for (size_t r = 0; r < tile_rows; ++r) {
      to.weights[k][r] = scale[r] * static_cast<float>(line[4 * r] >> k / 16 * 4 & 15) - min[r];
    }
  }
}

void expand(Chunk &to, const uint8_t *tile, Format format, size_t first, size_t count) {
  const GroupLayout layout = group_layout(format);
  const uint8_t *group = tile + first / layout.columns * layout.bytes;
  switch (format) {
    case Format::f32:
      __builtin_memcpy(to.weights, group, count * sizeof to.weights[0]);
      return;
    case Format::f16:
      for (size_t k = 0; k < count; ++k) {
        for (size_t r = 0; r < tile_rows; ++r) to.weights[k][r] = half_at(group, k * tile_rows + r);
      }
      return;
    case Format::bf16:
      for (size_t k = 0; k < count; ++k) {
        for (size_t r = 0; r < tile_rows; ++r) to.weights[k][r] = bf16_at(group, (k / 2 * tile_rows + r) * 2 + k % 2);
      }
      return;
    case Format::q8: return expand_q8(to, group, first);
    case Format::q6: return expand_q6(to, group, first);
    case Format::q4: return expand_q4(to, group, first);
  }
}

// sums += the columns of a chunk, the sums of a chunk being made alone.
void add_chunk(float *sums, const Chunk &chunk, const float *x, size_t count) {
  Four total[fours] = {};
  for (size_t k = 0; k < count; ++k) {
    for (size_t p = 0; p < fours; ++p) {
      Four w;
      __builtin_memcpy(&w, chunk.weights[k] + p * 4, sizeof w);
      total[p] += w * x[k];
    }
  }
  for (size_t p = 0; p < fours; ++p) {
    Four sum;
    __builtin_memcpy(&sum, sums + p * 4, sizeof sum);
    sum += total[p];
    __builtin_memcpy(sums + p * 4, &sum, sizeof sum);
  }
}

size_t input_bytes(Format, size_t rows, size_t columns) { return (rows * columns * sizeof(float) + 63) / 64 * 64; }

void prepare(void *input, const float *x, Format, size_t rows, size_t columns) {
  __builtin_memcpy(input, x, rows * columns * sizeof(float));
}

void matmul(float *out, const void *input, const Matrix &w, size_t rows, size_t first, size_t last) {
  const float *x = static_cast<const float *>(input);
  for (size_t tile = first; tile < last; ++tile) {
    const size_t column = tile * tile_rows, width = w.rows - column < tile_rows ? w.rows - column : tile_rows;
    for (size_t panel = 0; panel < rows; panel += panel_rows) {
      const size_t count = rows - panel < panel_rows ? rows - panel : panel_rows;
      float sums[panel_rows][tile_rows] = {};
      Chunk chunk;
      for (size_t from = 0; from < w.columns; from += chunk_columns) {
        const size_t columns = w.columns - from < chunk_columns ? w.columns - from : chunk_columns;
        expand(chunk, w.tile(tile), w.format, from, columns);
        for (size_t r = 0; r < count; ++r) add_chunk(sums[r], chunk, x + (panel + r) * w.columns + from, columns);
      }
      for (size_t r = 0; r < count; ++r) {
        __builtin_memcpy(out + (panel + r) * w.rows + column, sums[r], width * sizeof(float));
      }
    }
  }
}

} // namespace

const Products products_plain = {input_bytes, prepare, matmul};
} // namespace rwkv
