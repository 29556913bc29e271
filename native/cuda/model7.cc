#include "model7.h"

#include "../src/failure.h"
#include "../src/limits.h"
#include "heads7.h"
#include "rows.h"

#include <algorithm>
#include <cstring>

namespace rwkv::cuda {
namespace {

constexpr size_t rows_max = limits::wave_rows;
constexpr size_t counts_max = size_t{limits::logit_rows} * limits::decode_tokens;

// Hands out a block front to back. Without a block it only counts.
class Places {
 public:
  explicit Places(uint8_t *block) : block_(block) {}
  template <typename T>
  void put(T *&target, size_t count) {
    target = block_ ? reinterpret_cast<T *>(block_ + used_) : nullptr;
    used_ += (count * sizeof(T) + 255) / 256 * 256;
  }
  size_t used() const { return used_; }

 private:
  uint8_t *block_;
  size_t used_ = 0;
};

} // namespace

CudaModel7::CudaModel7(WeightFile &file, int index)
    : device_(index), memory_(device_), weights_(device_, file, shape_), graphs_(device_) {
  layout_ = {shape_.width, head_size};
  shape_.state_floats = shape_.layers * layout_.layer_floats();
  lay_out();
}

void CudaModel7::lay_out() {
  const size_t width = shape_.width, vocab = shape_.vocab, row = rows_max * width;
  const auto rows = [&](uint8_t *block) {
    Places places(block);
    for (float **const target : {&rows_.x, &rows_.r, &rows_.w, &rows_.k, &rows_.v, &rows_.a, &rows_.g, &rows_.y,
                                 &rows_.first}) {
      places.put(*target, row);
    }
    places.put(rows_.mixed, 6 * row);
    for (float *&inner : rows_.inner) places.put(inner, rows_max * weights_.rank_max());
    places.put(rows_.hidden, rows_max * weights_.hidden_max());
    places.put(rows_.row_max, rows_max);
    places.put(rows_.places, rows_max), places.put(rows_.spans, rows_max);
    places.put(rows_.head_x, limits::logit_rows * width);
    places.put(rows_.logits, limits::logit_rows * vocab), places.put(rows_.open, limits::logit_rows * vocab);
    places.put(rows_.questions, limits::logit_rows), places.put(rows_.answers, limits::logit_rows);
    places.put(rows_.counts, counts_max);
    return places.used();
  };
  const auto travel = [&](uint8_t *block) {
    Places places(block);
    places.put(travel_.x, row), places.put(travel_.first, row);
    places.put(travel_.head_x, limits::logit_rows * width);
    places.put(travel_.places, rows_max), places.put(travel_.spans, rows_max);
    places.put(travel_.questions, limits::logit_rows), places.put(travel_.answers, limits::logit_rows);
    places.put(travel_.counts, counts_max);
    return places.used();
  };
  rows_block_ = DeviceBlock(rows(nullptr));
  rows(rows_block_.as<uint8_t>());
  travel_block_ = std::make_unique<PinnedBlock>(travel(nullptr));
  travel(travel_block_->as<uint8_t>());
}

void CudaModel7::take_up(void *to, const void *from, size_t bytes) const {
  require(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, device_.stream()), "copy to the device");
}

void CudaModel7::bring_back(void *to, const void *from, size_t bytes) const {
  require(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, device_.stream()), "copy from the device");
}

void CudaModel7::put_tables(const Wave &wave) const {
  if (wave.rows > rows_max || wave.spans.size() > rows_max) fail(RWKV_INTERNAL, "a wave has too many rows");
  for (size_t i = 0; i < wave.spans.size(); ++i) {
    const Span &span = wave.spans[i];
    const auto first = static_cast<uint32_t>(span.first_row), count = static_cast<uint32_t>(span.row_count);
    travel_.spans[i] = {span.memory, first, count};
    std::fill_n(travel_.places + first, count, RowPlace{span.memory, first, first + count - 1});
  }
}

void CudaModel7::forward(const Wave &wave, float *, const Team &) const {
  if (wave.rows == 0) return;
  const auto lock = device_.use();
  const size_t row_bytes = wave.rows * shape_.width * sizeof(float);
  put_tables(wave);
  std::memcpy(travel_.x, wave.x, row_bytes);
  const Launch launch{static_cast<uint32_t>(wave.rows), static_cast<uint32_t>(wave.spans.size())};
  graphs_.run(launch.rows, launch.spans, [&] {
    take_up(rows_.x, travel_.x, row_bytes);
    take_up(rows_.places, travel_.places, launch.rows * sizeof(RowPlace));
    take_up(rows_.spans, travel_.spans, launch.spans * sizeof(SpanPlace));
    launch_norm_of_rows(weights_.ln0, launch.rows);
    for (size_t index = 0; index < shape_.layers; ++index) launch_layer(index, launch);
    launch_norm_of_rows(weights_.ln_out, launch.rows);
    bring_back(travel_.x, rows_.x, row_bytes);
    require_launched("step");
  });
  device_.wait("step");
  std::memcpy(wave.x, travel_.x, row_bytes);
}

void CudaModel7::begin(float *x, size_t rows) const { norm_on_device(weights_.ln0, x, rows); }
void CudaModel7::finish(float *x, size_t rows) const { norm_on_device(weights_.ln_out, x, rows); }

void CudaModel7::norm_on_device(const NormWeights &norm, float *x, size_t rows) const {
  const auto lock = device_.use();
  for (size_t at = 0; at < rows; at += rows_max) {
    const size_t some = std::min(rows_max, rows - at), bytes = some * shape_.width * sizeof(float);
    std::memcpy(travel_.x, x + at * shape_.width, bytes);
    take_up(rows_.x, travel_.x, bytes);
    launch_norm_of_rows(norm, static_cast<uint32_t>(some));
    bring_back(travel_.x, rows_.x, bytes);
    require_launched("norm rows");
    device_.wait("norm rows");
    std::memcpy(x + at * shape_.width, travel_.x, bytes);
  }
}

void CudaModel7::layer(size_t index, const Wave &wave, float *, const Team &) const {
  if (wave.rows == 0) return;
  const auto lock = device_.use();
  const size_t row_bytes = wave.rows * shape_.width * sizeof(float);
  put_tables(wave);
  std::memcpy(travel_.x, wave.x, row_bytes);
  take_up(rows_.x, travel_.x, row_bytes);
  if (index > 0) {
    std::memcpy(travel_.first, wave.carried, row_bytes);
    take_up(rows_.first, travel_.first, row_bytes);
  }
  take_up(rows_.places, travel_.places, wave.rows * sizeof(RowPlace));
  take_up(rows_.spans, travel_.spans, wave.spans.size() * sizeof(SpanPlace));
  launch_layer(index, {static_cast<uint32_t>(wave.rows), static_cast<uint32_t>(wave.spans.size())});
  bring_back(travel_.x, rows_.x, row_bytes);
  if (index == 0) bring_back(travel_.first, rows_.first, row_bytes);
  require_launched("step a layer");
  device_.wait("step a layer");
  std::memcpy(wave.x, travel_.x, row_bytes);
  if (index == 0) std::memcpy(wave.carried, travel_.first, row_bytes);
}

} // namespace rwkv::cuda
