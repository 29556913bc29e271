#include "weights7.h"

#include "../src/failure.h"
#include "../src/limits.h"
#include "../src/tiles.h"
#include "heads7.h"
#include "tiles.h"

#include <algorithm>
#include <cstring>

namespace rwkv::cuda {
namespace {

constexpr size_t line_bytes = 256; // where every vector and matrix begins on the device
constexpr size_t staging_bytes = 8 << 20;

size_t whole(size_t bytes) { return (bytes + line_bytes - 1) / line_bytes * line_bytes; }

} // namespace

Weights7::Weights7(Device &device, WeightFile &file, ModelShape &shape) {
  const std::string square = "blocks.0.att.receptance.weight";
  shape.version = 7;
  shape.target = RWKV_TARGET_CUDA;
  shape.width = static_cast<uint32_t>(file.dimension(square, 1, limits::width));
  shape.layers = file.layer_count();
  width_ = shape.width;
  if (width_ % head_size != 0) {
    fail(RWKV_FORMAT, "tensor " + in_quotes(square) + " has width " + std::to_string(width_) +
                          ", which is not a multiple of the head size 64");
  }
  layers.resize(shape.layers); // before pointers into it are kept
  want_frame(file, shape);
  for (size_t index = 0; index < layers.size(); ++index) want_layer(file, layers[index], index);
  const Pages pages = file.read_all();
  shape.hash = file.hash();
  for (const Matrix *const w : matrices_) shape.row_work += uint64_t{w->rows} * w->columns;
  if (shape.vocab > 0) {
    embedding_tiles_ = Pages(matrix_bytes(embeddings_.format, embeddings_.rows, embeddings_.columns));
    std::memcpy(embedding_tiles_.data(), embeddings_.tiles, embedding_tiles_.bytes());
    embeddings_.tiles = embedding_tiles_.data();
    shape.row_work -= uint64_t{head.rows} * head.columns;
  }
  shape.weight_bytes = embedding_tiles_.bytes() + move_to(device);
}

void Weights7::want_frame(WeightFile &file, ModelShape &shape) {
  if (file.has("emb.weight") || file.has("head.weight")) {
    shape.vocab = static_cast<uint32_t>(file.dimension("emb.weight", 0, limits::vocab));
    file.want_matrix(embeddings_, "emb.weight", shape.vocab, width_);
    want_matrix(file, head, "head.weight", shape.vocab, width_);
  }
  want_norm(file, ln0, "blocks.0.ln0");
  want_norm(file, ln_out, "ln_out");
}

void Weights7::want_layer(WeightFile &file, Layer7 &layer, size_t index) {
  const std::string block = "blocks." + std::to_string(index) + ".", att = block + "att.", ffn = block + "ffn.";
  want_norm(file, layer.ln1, block + "ln1"), want_norm(file, layer.ln2, block + "ln2");
  want_norm(file, layer.ln_x, att + "ln_x");
  const auto vector = [&](const float *&target, const std::string &name) {
    want_vector(file, target, name, {width_});
  };
  constexpr const char *mixes[] = {"x_r", "x_k", "x_v", "x_w", "x_a", "x_g"};
  for (size_t i = 0; i < 6; ++i) vector(layer.mixes[i], att + mixes[i]);
  vector(layer.w0, att + "w0"), vector(layer.a0, att + "a0");
  vector(layer.k_k, att + "k_k"), vector(layer.k_a, att + "k_a");
  want_vector(file, layer.r_k, att + "r_k", {width_ / head_size, head_size});
  want_low_rank(file, layer.w, att + "w"), want_low_rank(file, layer.a, att + "a");
  want_low_rank(file, layer.g, att + "g");
  if (index == 0) { // some files carry them; layer 0 makes v_first and mixes nothing in
    for (const char *name : {"v0", "v1", "v2"}) file.ignore(att + name);
  } else {
    vector(layer.v0, att + "v0");
    want_low_rank(file, layer.v, att + "v");
  }
  want_matrix(file, layer.receptance, att + "receptance.weight", width_, width_);
  want_matrix(file, layer.key, att + "key.weight", width_, width_);
  want_matrix(file, layer.value, att + "value.weight", width_, width_);
  want_matrix(file, layer.output, att + "output.weight", width_, width_);
  const uint64_t hidden = file.dimension(ffn + "key.weight", 0, limits::hidden);
  hidden_max_ = std::max<size_t>(hidden_max_, hidden);
  vector(layer.ffn_x_k, ffn + "x_k");
  want_matrix(file, layer.ffn_key, ffn + "key.weight", hidden, width_);
  want_matrix(file, layer.ffn_value, ffn + "value.weight", width_, hidden);
}

void Weights7::want_vector(WeightFile &file, const float *&target, const std::string &name,
                           const std::vector<uint64_t> &shape) {
  file.want(target, name, shape);
  vectors_.push_back({&target, width_});
}

void Weights7::want_norm(WeightFile &file, NormWeights &norm, const std::string &name) {
  want_vector(file, norm.weight, name + ".weight", {width_});
  want_vector(file, norm.bias, name + ".bias", {width_});
}

void Weights7::want_matrix(WeightFile &file, Matrix &target, const std::string &name, uint64_t rows,
                           uint64_t columns) {
  file.want_matrix(target, name, rows, columns);
  matrices_.push_back(&target);
}

void Weights7::want_low_rank(WeightFile &file, LowRank &lora, const std::string &name) {
  const uint64_t rank = file.dimension(name + "1", 1, limits::width);
  rank_max_ = std::max<size_t>(rank_max_, rank);
  file.want_transposed(lora.down, name + "1", width_, rank);
  file.want_transposed(lora.up, name + "2", rank, width_);
  matrices_.push_back(&lora.down), matrices_.push_back(&lora.up);
}

uint64_t Weights7::move_to(Device &device) {
  size_t bytes = 0;
  for (const Vector &vector : vectors_) bytes += whole(vector.count * sizeof(float));
  for (const Matrix *const w : matrices_) bytes += whole(device_bytes(w->format, w->rows, w->columns));
  block_ = DeviceBlock(bytes);
  const PinnedBlock staging(staging_bytes);
  std::vector<uint8_t> packed;
  size_t at = 0;
  for (const Vector &vector : vectors_) {
    const size_t count = vector.count * sizeof(float);
    upload(device, staging, block_.as<float>(at), *vector.target, count);
    *vector.target = block_.as<float>(at);
    at += whole(count);
  }
  for (Matrix *const w : matrices_) {
    const size_t tile = device_tile_bytes(w->format, w->columns), count = tile_count(w->rows);
    const size_t together = std::max<size_t>(staging_bytes / tile, 1);
    for (size_t first = 0; first < count; first += together) {
      const size_t some = std::min(together, count - first);
      packed.resize(some * tile);
      for (size_t i = 0; i < some; ++i) pack_tile(packed.data() + i * tile, *w, first + i);
      upload(device, staging, block_.as<uint8_t>(at + first * tile), packed.data(), packed.size());
    }
    w->tiles = block_.as<uint8_t>(at);
    at += whole(count * tile);
  }
  return bytes;
}

void Weights7::embed(uint32_t token, float *out) const { read_row(out, embeddings_, token); }

} // namespace rwkv::cuda
