// A span of vectors on its way through the model, layer by layer: the residual stream of all its positions, and how
// far it is. A layer may see the grid in an order of its own, so a whole layer is done before the next begins.
// The state of its stream is not touched until the last layer is done. Knows no slots and no model.
#pragma once

#include "floats.h"
#include "keep.h"
#include "scan_order.h"

#include <span>
#include <vector>

namespace rwkv {

class Picture {
 public:
  // vectors: rows of `width`, copied. carried_width: what a model carries from layer 0 on, per position.
  Picture(std::span<const float> vectors, size_t width, const Grid &grid, size_t carried_width, Keep keep);

  const size_t count, width, carried_width;
  const Keep keep;
  // Progress, changed by a step alone. `row` counts within the layer, then within the rows that are given out.
  size_t layer = 0, row = 0;
  bool stepped = false; // all layers are done and the state has what they left

  // Copies positions row, row + 1, … of the present layer to a wave, and back behind the layer.
  void gather(size_t rows, float *x, float *carried) const;
  void scatter(size_t rows, const float *x, const float *carried);
  // The positions in the order in which they were put: row, row + 1, …
  void gather_as_put(size_t rows, float *x) const;
  // The newest position of the sequence.
  const float *newest() const { return x_.data() + (count - 1) * width; }

 private:
  size_t position(size_t at) const { return at < grid_.cells() ? cell_at(grid_, layer, at) : at; }
  size_t place(size_t at) const { return at < places_.size() ? places_[at] : at; }

  Grid grid_;
  std::vector<uint32_t> places_;
  Floats x_, carried_; // [count][width], [count][carried_width]
};

} // namespace rwkv
