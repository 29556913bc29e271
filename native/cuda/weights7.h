// The weights of RWKV-7 on the device: read from a file like those of the CPU, then moved there tile by tile. The embedding
// table stays with the host, which looks one row of it up per token.
#pragma once

#include "../src/matrix.h"
#include "../src/model.h"
#include "../src/pages.h"
#include "../src/weights.h"
#include "device.h"

#include <string>
#include <vector>

namespace rwkv::cuda {

// Vectors and the tiles of matrices (tiles.h) are memory of the device.
struct NormWeights {
  const float *weight = nullptr, *bias = nullptr; // [D]
};
struct LowRank {
  Matrix down, up; // [rank][D], [D][rank]
};
struct Layer7 {
  NormWeights ln1, ln2, ln_x;
  const float *mixes[6] = {};                                  // x_r, x_k, x_v, x_w, x_a, x_g
  const float *w0 = nullptr, *a0 = nullptr, *v0 = nullptr;     // v0 not in layer 0
  const float *k_k = nullptr, *k_a = nullptr, *r_k = nullptr;
  LowRank w, a, v, g;                                          // v not in layer 0
  Matrix receptance, key, value, output;
  const float *ffn_x_k = nullptr;
  Matrix ffn_key, ffn_value;
};

class Weights7 {
 public:
  // Fills `shape` too, but for state_floats.
  Weights7(Device &device, WeightFile &file, ModelShape &shape);

  void embed(uint32_t token, float *out) const;
  size_t rank_max() const { return rank_max_; }
  size_t hidden_max() const { return hidden_max_; }

  NormWeights ln0, ln_out;
  Matrix head;
  std::vector<Layer7> layers;

 private:
  void want_frame(WeightFile &file, ModelShape &shape);
  void want_layer(WeightFile &file, Layer7 &layer, size_t index);
  void want_vector(WeightFile &file, const float *&target, const std::string &name,
                   const std::vector<uint64_t> &shape);
  void want_norm(WeightFile &file, NormWeights &norm, const std::string &name);
  void want_matrix(WeightFile &file, Matrix &target, const std::string &name, uint64_t rows, uint64_t columns);
  void want_low_rank(WeightFile &file, LowRank &lora, const std::string &name);
  uint64_t move_to(Device &device); // answers the bytes there

  struct Vector {
    const float **target;
    size_t count;
  };
  std::vector<Vector> vectors_;
  std::vector<Matrix *> matrices_;
  Matrix embeddings_; // host
  Pages embedding_tiles_;
  DeviceBlock block_;
  uint64_t width_ = 0;
  size_t rank_max_ = 0, hidden_max_ = 0;
};

} // namespace rwkv::cuda
