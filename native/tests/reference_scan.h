// The orders in which a picture is seen, written out plainly: for the reference model.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace reference {

using Row = std::vector<double>;
using Rows = std::vector<Row>;
using Order = std::vector<size_t>; // order[t]: the position that is seen as number t

enum class Scan { row_major, bidirection, multidirection, spiral, snake, zigzag };

struct Grid {
  size_t first = 0, rows = 0, columns = 0;
  Scan scan = Scan::row_major;
};

// The cells of a grid in an order that is the same for all layers.
inline Order fixed_order(const Grid &grid) {
  const size_t rows = grid.rows, columns = grid.columns;
  Order order(rows * columns);
  std::iota(order.begin(), order.end(), 0);
  if (grid.scan == Scan::snake) {
    for (size_t row = 1; row < rows; row += 2) {
      std::reverse(order.begin() + static_cast<ptrdiff_t>(row * columns),
                   order.begin() + static_cast<ptrdiff_t>((row + 1) * columns));
    }
  } else if (grid.scan == Scan::zigzag) {
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      const size_t row_a = a / columns, row_b = b / columns, sum_a = row_a + a % columns, sum_b = row_b + b % columns;
      if (sum_a != sum_b) return sum_a < sum_b;
      return sum_a % 2 == 0 ? row_a > row_b : row_a < row_b;
    });
  } else if (grid.scan == Scan::spiral) { // walk on, turn right where the way is barred
    std::vector<bool> seen(rows * columns);
    const int turns[4][2]{{0, 1}, {1, 0}, {0, -1}, {-1, 0}};
    int row = 0, column = 0, heading = 0;
    const auto free = [&](int r, int c) {
      return r >= 0 && c >= 0 && r < static_cast<int>(rows) && c < static_cast<int>(columns) &&
             !seen[static_cast<size_t>(r) * columns + static_cast<size_t>(c)];
    };
    for (size_t &cell : order) {
      cell = static_cast<size_t>(row) * columns + static_cast<size_t>(column);
      seen[cell] = true;
      if (!free(row + turns[heading][0], column + turns[heading][1])) heading = (heading + 1) % 4;
      row += turns[heading][0], column += turns[heading][1];
    }
  }
  return order;
}

// The same for one layer of the modes that change from layer to layer.
inline Order layer_order(const Grid &grid, size_t layer) {
  Order order(grid.rows * grid.columns);
  std::iota(order.begin(), order.end(), 0);
  if (grid.scan == Scan::multidirection && layer % 4 >= 2) {
    order.clear();
    for (size_t column = 0; column < grid.columns; ++column) {
      for (size_t row = 0; row < grid.rows; ++row) order.push_back(row * grid.columns + column);
    }
  }
  const bool turns = grid.scan == Scan::bidirection || grid.scan == Scan::multidirection;
  if (turns && layer % 2 == 1) std::reverse(order.begin(), order.end());
  return order;
}

// The grid's order inside a sequence of `count` positions.
inline Order in_sequence(const Grid &grid, const Order &cells, size_t count) {
  Order order(count);
  std::iota(order.begin(), order.end(), 0);
  for (size_t i = 0; i < cells.size(); ++i) order[grid.first + i] = grid.first + cells[i];
  return order;
}

inline Rows taken(const Rows &rows, const Order &order) {
  Rows out;
  for (const size_t from : order) out.push_back(rows[from]);
  return out;
}

inline Rows put_back(const Rows &rows, const Order &order) {
  Rows out(rows.size());
  for (size_t i = 0; i < order.size(); ++i) out[order[i]] = rows[i];
  return out;
}

} // namespace reference
