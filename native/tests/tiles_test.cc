// Tiles give back what was put into them, however it was put; what was not put is 0.
#include "check.h"
#include "format_rows.h"

namespace {

using namespace rwkv;

bool whole_columns(Format format, size_t columns) { return columns % row_block(format).columns == 0; }

void rows_come_back(Format format, size_t rows, size_t columns) {
  const FormatRows file = random_rows(format, rows, columns, static_cast<uint32_t>(rows * 31 + columns));
  const Packed packed(file);
  std::vector<float> out(columns + 1, 7);
  for (size_t row = 0; row < rows; ++row) {
    read_row(out.data(), packed.matrix, row);
    size_t wrong = 0;
    for (size_t i = 0; i < columns; ++i) wrong += out[i] != static_cast<float>(file.values[row * columns + i]);
    CHECK(wrong == 0);
    CHECK(out[columns] == 7);
  }
  // In pieces, from the last row to the first, from memory of any alignment: the same bytes.
  Bytes64 tiles(matrix_bytes(format, rows, columns));
  clear_tiles(tiles.data(), format, rows, columns);
  const GroupLayout block = row_block(format);
  const size_t piece = (columns / block.columns + 2) / 3 * block.columns;
  for (size_t row = rows; row-- > 0;) {
    for (size_t first = 0; first < columns; first += piece) {
      const size_t count = columns - first < piece ? columns - first : piece;
      std::vector<uint8_t> moved(row_bytes(format, count) + 1);
      std::memcpy(moved.data() + 1, file.row(row) + row_bytes(format, first), row_bytes(format, count));
      put_row(tiles.data(), format, rows, columns, row, moved.data() + 1, first, count);
    }
  }
  CHECK(std::memcmp(tiles.data(), packed.matrix.tiles, matrix_bytes(format, rows, columns)) == 0);
}

void columns_come_back(Format format, size_t rows, size_t columns) {
  const FormatRows file = random_rows(format, columns, rows, 5); // transposed
  Bytes64 tiles(matrix_bytes(format, rows, columns));
  clear_tiles(tiles.data(), format, rows, columns);
  const size_t number = row_block(format).bytes, part = rows / 2;
  for (size_t column = 0; column < columns; ++column) {
    put_column(tiles.data(), format, rows, columns, column, file.row(column) + part * number, part, rows - part);
    put_column(tiles.data(), format, rows, columns, column, file.row(column), 0, part);
  }
  std::vector<float> out(columns);
  for (size_t row = 0; row < rows; ++row) {
    read_row(out.data(), {tiles.data(), format, rows, columns}, row);
    for (size_t i = 0; i < columns; ++i) CHECK(out[i] == file.values[i * rows + row]);
  }
}

// Whole tiles of whole groups, read as if they were all of the matrix.
void padding_is_zero(Format format, size_t rows, size_t columns) {
  const Packed packed(random_rows(format, rows, columns, 3));
  const size_t group = group_layout(format).columns, padded_rows = tile_count(rows) * tile_rows;
  const size_t padded_columns = (columns + group - 1) / group * group;
  CHECK(tile_bytes(format, columns) == tile_bytes(format, padded_columns));
  std::vector<float> out(padded_columns);
  size_t numbers = 0, wrong = 0;
  for (size_t row = 0; row < padded_rows; ++row) {
    read_row(out.data(), {packed.matrix.tiles, format, padded_rows, padded_columns}, row);
    for (size_t i = row < rows ? columns : 0; i < padded_columns; ++i) ++numbers, wrong += out[i] != 0;
  }
  CHECK(numbers == padded_rows * padded_columns - rows * columns && wrong == 0);
}

// The layouts of matrix.h, a number at a time.
void numbers_lie_where_they_are_said_to() {
  std::vector<uint8_t> zeros(row_bytes(Format::f32, 512));
  const auto differs_at = [&](Format format, size_t columns, size_t row, std::vector<uint8_t> numbers) {
    Bytes64 with(matrix_bytes(format, 32, columns)), without(matrix_bytes(format, 32, columns));
    for (const Bytes64 *tiles : {&with, &without}) clear_tiles(tiles->data(), format, 32, columns);
    put_row(with.data(), format, 32, columns, row, numbers.data(), 0, columns);
    put_row(without.data(), format, 32, columns, row, zeros.data(), 0, columns);
    std::vector<size_t> at;
    for (size_t i = 0; i < matrix_bytes(format, 32, columns); ++i) {
      if (with.data()[i] != without.data()[i]) at.push_back(i);
    }
    return at;
  };
  const auto one_byte = [&](Format format, size_t columns, size_t byte, uint8_t value) {
    std::vector<uint8_t> numbers(row_bytes(format, columns));
    numbers[byte] = value;
    return numbers;
  };
  const size_t row = 16 + 3; // the second tile
  // Only this byte of the tiles depends on that bit of the row.
  const auto depends = [&](Format format, size_t columns, size_t at, size_t byte, uint8_t bit) {
    return differs_at(format, columns, row, one_byte(format, columns, byte, bit)) == std::vector<size_t>{at};
  };
  CHECK(depends(Format::f32, 5, 5 * 64 + 2 * 64 + 3 * 4 + 1, 4 * 2 + 1, 1));
  CHECK(depends(Format::f16, 5, 3 * 64 + 64 + 32 + 3 * 2, 2 * 3, 1));
  CHECK(depends(Format::bf16, 40, 2 * 1024 + 1024 + 64 + 12 + 2, 2 * 35, 1));
  CHECK(depends(Format::q8, 96, 2 * 1088 + 32 + 3 * 2 + 1, 34 + 1, 1));
  CHECK(depends(Format::q8, 96, 2 * 1088 + 64 + 512 + 2 * 64 + 12 + 1, 34 + 2 + 9, 1));
  // q4: byte 16 + 33 of the second super-block has the columns 65 and 97.
  const size_t q4 = 2 * 2368 + 2368, nibbles = q4 + 64 + 256;
  CHECK(depends(Format::q4, 512, nibbles + 8 * 64 + 12 + 1, 144 + 16 + 33, 1));
  CHECK(depends(Format::q4, 512, nibbles + 12 * 64 + 12 + 1, 144 + 16 + 33, 16));
  CHECK(depends(Format::q4, 512, q4 + 32 + 6, 144 + 2, 1));
  CHECK(depends(Format::q4, 512, q4 + 64 + 4 * 16 + 3, 144 + 4 + 8, 1));
  CHECK(depends(Format::q4, 512, q4 + 64 + 128 + 4 * 16 + 3, 144 + 4 + 8, 16));
  CHECK(depends(Format::q4, 512, q4 + 64 + 128 + 5 * 16 + 3, 144 + 4 + 5, 64));
  // q6: low byte 40 has the columns 40 and 104, high byte 2 the columns 2, 34, 66, 98.
  const size_t q6 = 2 * 3392 + 3392, low = q6 + 64 + 256, high = low + 2048;
  CHECK(depends(Format::q6, 512, low + 6 * 64 + 12, 210 + 40, 1));
  CHECK(depends(Format::q6, 512, low + 14 * 64 + 12, 210 + 40, 16));
  CHECK(depends(Format::q6, 512, high + 2 * 64 + 12 + 2, 210 + 128 + 2, 4));
  CHECK(depends(Format::q6, 512, high + 64 + 12 + 3, 210 + 128 + 7, 1));
  CHECK(depends(Format::q6, 512, q6 + 64 + 5 * 16 + 3, 210 + 192 + 5, 1));
}

// Every finite number of 16 bits.
void numbers_are_exact(Format format) {
  const uint32_t exponent = format == Format::f16 ? 0x7c00 : 0x7f80;
  std::vector<uint16_t> numbers;
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    if ((bits & exponent) != exponent) numbers.push_back(static_cast<uint16_t>(bits));
  }
  Bytes64 tiles(matrix_bytes(format, 1, numbers.size()));
  clear_tiles(tiles.data(), format, 1, numbers.size());
  put_row(tiles.data(), format, 1, numbers.size(), 0, numbers.data(), 0, numbers.size());
  std::vector<float> out(numbers.size());
  read_row(out.data(), {tiles.data(), format, 1, numbers.size()}, 0);
  size_t wrong = 0;
  for (size_t i = 0; i < numbers.size(); ++i) {
    wrong += out[i] != block_value(reinterpret_cast<const uint8_t *>(&numbers[i]), format, 0);
  }
  CHECK(wrong == 0);
}

} // namespace

int main() {
  for (const Format format : all_formats) {
    for (const size_t rows : {1, 15, 16, 17, 40}) {
      for (const size_t columns : {1, 2, 31, 32, 33, 64, 96, 200, 256, 768}) {
        if (!whole_columns(format, columns)) continue;
        rows_come_back(format, rows, columns);
        padding_is_zero(format, rows, columns);
        if (format <= Format::bf16) columns_come_back(format, rows, columns);
      }
    }
  }
  numbers_lie_where_they_are_said_to();
  numbers_are_exact(Format::f16);
  numbers_are_exact(Format::bf16);
  return report("tiles");
}
