// Who works on one wave: one thread, or all threads of a pool. The bits do not depend on it.
#pragma once

#include "limits.h"
#include "thread_pool.h"

#include <algorithm>

namespace rwkv {

class Team {
 public:
  Team() = default; // the caller alone
  explicit Team(ThreadPool &pool) : pool_(&pool) {}

  // part(first, last) over [0, count), in pieces that are multiples of `grain`. `work` is about how many
  // multiplications that is in all: too few are not worth to meet for.
  template <typename Part>
  void share(size_t count, size_t grain, uint64_t work, const Part &part) const {
    if (!pool_ || pool_->worker_count() == 1 || work < limits::shared_work) return part(size_t{0}, count);
    const uint64_t pieces_most = uint64_t{limits::pieces_per_worker} * pool_->worker_count();
    const size_t pieces_wanted = std::min(work / limits::piece_work, pieces_most);
    const size_t piece = ((count + pieces_wanted - 1) / pieces_wanted + grain - 1) / grain * grain;
    auto task = [&](uint32_t, size_t index) { part(index * piece, std::min(count, (index + 1) * piece)); };
    pool_->run((count + piece - 1) / piece, task);
  }

 private:
  ThreadPool *pool_ = nullptr;
};

} // namespace rwkv
