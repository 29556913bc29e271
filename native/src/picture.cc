#include "picture.h"

#include <algorithm>

namespace rwkv {

Picture::Picture(std::span<const float> vectors, size_t row_floats, const Grid &grid, size_t carried_floats, Keep kept)
    : count(vectors.size() / row_floats), width(row_floats), carried_width(carried_floats), keep(kept), grid_(grid),
      places_(places(grid)), x_(vectors.size()), carried_(count * carried_width) {
  for (size_t at = 0; at < count; ++at) {
    std::copy_n(vectors.data() + at * width, width, x_.data() + place(at) * width);
  }
}

void Picture::gather(size_t rows, float *x, float *carried) const {
  for (size_t i = 0; i < rows; ++i) {
    const size_t from = position(row + i);
    std::copy_n(x_.data() + from * width, width, x + i * width);
    std::copy_n(carried_.data() + from * carried_width, carried_width, carried + i * carried_width);
  }
}

void Picture::scatter(size_t rows, const float *x, const float *carried) {
  for (size_t i = 0; i < rows; ++i) {
    const size_t to = position(row + i);
    std::copy_n(x + i * width, width, x_.data() + to * width);
    std::copy_n(carried + i * carried_width, carried_width, carried_.data() + to * carried_width);
  }
}

void Picture::gather_as_put(size_t rows, float *x) const {
  for (size_t i = 0; i < rows; ++i) std::copy_n(x_.data() + place(row + i) * width, width, x + i * width);
}

} // namespace rwkv
