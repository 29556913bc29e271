#include "scan_order.h"

#include <algorithm>

namespace rwkv {
namespace {

// Calls visit(row, column) clockwise from the top left inward.
template <typename Visit>
void spiral(size_t rows, size_t columns, const Visit &visit) {
  size_t top = 0, left = 0, bottom = rows, right = columns; // still to be walked: [top, bottom) x [left, right)
  while (top < bottom && left < right) {
    for (size_t column = left; column < right; ++column) visit(top, column);
    for (size_t row = top + 1; row < bottom; ++row) visit(row, right - 1);
    if (bottom - top > 1) {
      for (size_t column = right - 1; column-- > left;) visit(bottom - 1, column);
    }
    if (right - left > 1) {
      for (size_t row = bottom - 1; row-- > top + 1;) visit(row, left);
    }
    ++top, ++left, --bottom, --right;
  }
}

template <typename Visit>
void snake(size_t rows, size_t columns, const Visit &visit) {
  for (size_t row = 0; row < rows; ++row) {
    for (size_t step = 0; step < columns; ++step) visit(row, row % 2 == 0 ? step : columns - 1 - step);
  }
}

// Anti-diagonals: even ones upward, odd ones downward.
template <typename Visit>
void zigzag(size_t rows, size_t columns, const Visit &visit) {
  for (size_t diagonal = 0; diagonal + 1 < rows + columns; ++diagonal) {
    const size_t first = diagonal < columns ? 0 : diagonal - columns + 1, last = std::min(diagonal, rows - 1);
    for (size_t step = 0; step <= last - first; ++step) {
      const size_t row = diagonal % 2 == 0 ? last - step : first + step;
      visit(row, diagonal - row);
    }
  }
}

} // namespace

size_t cell_at(const Grid &grid, size_t layer, size_t step) {
  const bool columns_first = grid.scan == RWKV_SCAN_MULTIDIRECTION && layer % 4 >= 2;
  const bool backwards =
      layer % 2 == 1 && (grid.scan == RWKV_SCAN_BIDIRECTION || grid.scan == RWKV_SCAN_MULTIDIRECTION);
  if (backwards) step = grid.cells() - 1 - step;
  return columns_first ? step % grid.rows * grid.columns + step / grid.rows : step;
}

std::vector<uint32_t> places(const Grid &grid) {
  std::vector<uint32_t> out;
  if (grid.scan < RWKV_SCAN_SPIRAL || grid.cells() == 0) return out;
  out.resize(grid.cells());
  uint32_t place = 0;
  const auto visit = [&](size_t row, size_t column) { out[row * grid.columns + column] = place++; };
  if (grid.scan == RWKV_SCAN_SPIRAL) spiral(grid.rows, grid.columns, visit);
  else if (grid.scan == RWKV_SCAN_SNAKE) snake(grid.rows, grid.columns, visit);
  else zigzag(grid.rows, grid.columns, visit);
  return out;
}

} // namespace rwkv
