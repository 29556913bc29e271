#include "carried_state.h"

#include "failure.h"

namespace rwkv_train {
namespace {

constexpr int64_t head_size = 64;

} // namespace

torch::Tensor flatten_state(const NetState &state) {
  std::vector<torch::Tensor> parts;
  for (const LayerState &layer : state) {
    for (const torch::Tensor &part : {layer.att_prev, layer.ffn_prev, layer.s}) parts.push_back(part.detach().flatten(1));
  }
  return torch::cat(parts, 1);
}

NetState unflatten_state(const torch::Tensor &rows, const LanguageNet &net) {
  const int64_t batch = rows.size(0), width = net.width(), heads = width / head_size, square = width * head_size;
  if (rows.size(1) != net.layers() * (2 * width + square)) {
    fail(RWKV_TRAIN_FORMAT, "Cannot go on from the carried state: it has " + std::to_string(rows.size(1)) +
                                " floats a row, and this model needs " +
                                std::to_string(net.layers() * (2 * width + square)));
  }
  NetState state(static_cast<size_t>(net.layers()));
  int64_t from = 0;
  const auto take = [&](int64_t count) {
    from += count;
    return rows.slice(1, from - count, from);
  };
  for (LayerState &layer : state) {
    layer.att_prev = take(width);
    layer.ffn_prev = take(width);
    layer.s = take(square).reshape({batch, heads, head_size, head_size});
  }
  return state;
}

} // namespace rwkv_train
