// In which order the cells of a picture are seen (spec 2.4). Knows no vectors and no layers' maths.
#pragma once

#include "rwkv.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rwkv {

struct Grid {
  uint32_t scan = RWKV_SCAN_ROW_MAJOR;
  size_t rows = 0, columns = 0;

  size_t cells() const { return rows * columns; }
};

// The cell, row-major, that layer `layer` sees as number `step` of the grid. The modes that have one order for all
// layers leave the cells as they are here: they are ordered once, by places().
size_t cell_at(const Grid &grid, size_t layer, size_t step);

// Where cell number i, row-major, stands in the one order of spiral, snake and zigzag. Empty for the other modes.
std::vector<uint32_t> places(const Grid &grid);

} // namespace rwkv
