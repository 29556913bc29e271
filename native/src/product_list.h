// Products that wait for nothing but their inputs: all their tiles are shared by a team in one go, so that threads meet
// once and not once per matrix. A fixed room, nothing is allocated.
#pragma once

#include "ops/ops.h"
#include "team.h"

#include <array>

namespace rwkv {

class ProductList {
 public:
  explicit ProductList(const Ops &ops) : ops_(ops) {}

  // out[rows][w.rows] = the prepared input · wᵀ, then `activation` of every number of it. Both may be used by nothing
  // else until run returns. out must not be an input of the same list.
  void add(float *out, const void *input, const Matrix &w, size_t rows,
           void (*activation)(float *, size_t) = nullptr) {
    items_[count_++] = {out, input, &w, rows, activation};
  }
  // Once. The bits do not depend on the team.
  void run(const Team &team) const;

 private:
  struct Item {
    float *out;
    const void *input;
    const Matrix *w;
    size_t rows;
    void (*activation)(float *, size_t);
  };
  static constexpr size_t room = 8;

  void some_tiles(const Item &item, size_t first, size_t last) const;

  const Ops &ops_;
  std::array<Item, room> items_;
  size_t count_ = 0;
};

} // namespace rwkv
