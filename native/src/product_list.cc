#include "product_list.h"

#include <algorithm>

namespace rwkv {

// The tiles of all products lie behind each other on a line, each as long as its matrix has columns. A piece of that line
// has the tiles that begin in it.
void ProductList::run(const Team &team) const {
  size_t length = 0, work = 0;
  for (size_t i = 0; i < count_; ++i) {
    const Item &item = items_[i];
    length += tile_count(item.w->rows) * item.w->columns;
    work += item.rows * item.w->rows * item.w->columns;
  }
  team.share(length, 1, work, [this](size_t begin, size_t end) {
    size_t start = 0;
    for (size_t i = 0; i < count_; ++i) {
      const Item &item = items_[i];
      const size_t columns = item.w->columns, tiles = tile_count(item.w->rows);
      const auto tile_from = [&](size_t at) { // the first that begins at or behind `at`
        return at <= start ? 0 : std::min(tiles, (at - start + columns - 1) / columns);
      };
      const size_t first = tile_from(begin), last = tile_from(end);
      if (first < last) some_tiles(item, first, last);
      start += tiles * columns;
    }
  });
}

void ProductList::some_tiles(const Item &item, size_t first, size_t last) const {
  const size_t width = item.w->rows;
  ops_.products.matmul(item.out, item.input, *item.w, item.rows, first, last);
  if (!item.activation) return;
  const size_t from = first * tile_rows, to = std::min(width, last * tile_rows);
  for (size_t row = 0; row < item.rows; ++row) item.activation(item.out + row * width + from, to - from);
}

} // namespace rwkv
