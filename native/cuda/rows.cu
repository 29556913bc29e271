// One block a row. A block that needs the norm of another row takes it again from x instead of waiting for its block: x is
// small and in the cache, and the bits are the same.
#include "rows.h"

#include "reduce.h"

namespace rwkv::cuda {
namespace {

constexpr unsigned row_threads = 256;

struct Norm {
  float mean, scale;
  __device__ float operator()(float x, float weight, float bias) const { return (x - mean) * scale * weight + bias; }
};

__device__ __forceinline__ Norm norm_of(const float *x, uint32_t width, float *parts) {
  float sum = 0;
  for (uint32_t i = threadIdx.x; i < width; i += blockDim.x) sum += x[i];
  const float mean = block_sum(sum, parts) / static_cast<float>(width);
  float squares = 0;
  for (uint32_t i = threadIdx.x; i < width; i += blockDim.x) squares = fmaf(x[i] - mean, x[i] - mean, squares);
  return {mean, 1.0f / sqrtf(block_sum(squares, parts) / static_cast<float>(width) + norm_epsilon)};
}

__global__ void __launch_bounds__(row_threads) shift_mix(ShiftMix p) {
  SHARED(float, parts, [32]);
  const RowPlace place = p.places[blockIdx.x];
  const bool first = blockIdx.x == place.first;
  const auto row_of = [&](uint32_t row) { return p.x + size_t{row} * p.width; };
  const float *const x = row_of(blockIdx.x), *const before = first ? x : row_of(blockIdx.x - 1);
  const float *const last = row_of(place.last);
  const Norm norm = norm_of(x, p.width, parts);
  // The block of the first row reads what came before the span and is the one to write what comes after it.
  const Norm norm_before = first ? norm : norm_of(before, p.width, parts);
  const Norm norm_last = first && place.last != place.first ? norm_of(last, p.width, parts) : norm;
  float *const memory = place.memory + p.offset;
  for (uint32_t i = threadIdx.x; i < p.width; i += blockDim.x) {
    const float weight = p.weight[i], bias = p.bias[i], h = norm(x[i], weight, bias);
    const float delta = (first ? memory[i] : norm_before(before[i], weight, bias)) - h;
    if (first) memory[i] = norm_last(last[i], weight, bias);
    for (uint32_t m = 0; m < p.mixes; ++m) {
      p.out[(size_t{m} * p.rows + blockIdx.x) * p.width + i] = h + delta * p.mu[m][i];
    }
  }
  if (p.row_max && threadIdx.x == 0) p.row_max[blockIdx.x] = 0;
}

__global__ void __launch_bounds__(row_threads)
    norm_rows(float *x, const float *weight, const float *bias, uint32_t width) {
  SHARED(float, parts, [32]);
  float *const row = x + size_t{blockIdx.x} * width;
  const Norm norm = norm_of(row, width, parts);
  for (uint32_t i = threadIdx.x; i < width; i += blockDim.x) row[i] = norm(row[i], weight[i], bias[i]);
}

unsigned threads_for(uint32_t width) { return width >= row_threads ? row_threads : (width + 31) / 32 * 32; }

} // namespace

void launch_shift_mix(const ShiftMix &mix, cudaStream_t stream) {
  LAUNCH(shift_mix, mix.rows, threads_for(mix.width), 0, stream, mix);
}

void launch_norm(float *x, const float *weight, const float *bias, uint32_t rows, uint32_t width,
                 cudaStream_t stream) {
  LAUNCH(norm_rows, rows, threads_for(width), 0, stream, x, weight, bias, width);
}

} // namespace rwkv::cuda
