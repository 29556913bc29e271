// Turns a file of named tensors into one block of weights: large matrices in the type of the file, all else as fp32.
// A model says what it wants; what is missing, has another shape or was not asked for is refused by name.
// Knows no maths.
#pragma once

#include "floats.h"
#include "safetensors.h"

#include <array>
#include <string>
#include <unordered_map>
#include <vector>

namespace rwkv {

class WeightFile {
 public:
  explicit WeightFile(const std::string &path); // refusals carry the path

  bool has(const std::string &name) const { return by_name_.contains(name); }
  // 1 + the highest N of "blocks.N."
  uint32_t layer_count() const;
  // The size of dimension `index` of a matrix with two dimensions.
  uint64_t dimension(const std::string &name, size_t index, uint64_t at_most) const;

  // Asks for a tensor as fp32. Leading dimensions of 1 do not matter. The pointer is set by read_all.
  void want(const float *&target, const std::string &name, std::vector<uint64_t> shape);
  // A matrix [rows][columns] in the type of the file: no second copy of it is ever made.
  void want_matrix(Matrix &target, const std::string &name, uint64_t rows, uint64_t columns);
  // A matrix [rows][columns] that is held transposed, as fp32, because it is stored for x @ w.
  void want_transposed(Matrix &target, const std::string &name, uint64_t rows, uint64_t columns);
  // [count][rows][columns]: `count` such matrices in one tensor, each transposed; targets[count].
  void want_transposed_each(Matrix *targets, const std::string &name, const std::vector<uint64_t> &shape);
  void ignore(const std::string &name); // may be there or not

  // Refuses what was not asked for, allocates, reads. Values that are not finite are refused.
  Floats read_all();
  const std::array<uint8_t, 32> &hash() const { return hash_; }

 private:
  struct Plan {
    const float **vector = nullptr; // one of the two is set, or neither for what is ignored
    Matrix *matrices = nullptr;     // matrix_count of them, at even shares of the tensor
    size_t matrix_count = 1;
    size_t offset = 0;              // in floats
    uint64_t rows = 0, columns = 0; // of matrices to transpose, else 0
    bool as_stored = false;
    bool claimed = false;
  };
  [[noreturn]] void refuse(const std::string &name, const std::string &why) const;
  Plan &claim(const std::string &name, const std::vector<uint64_t> &shape, bool as_stored);
  void place(const Plan &plan, Dtype dtype, float *block, uint64_t first, const uint8_t *numbers, size_t count);

  Safetensors file_;
  std::unordered_map<std::string, size_t> by_name_; // without the prefix
  std::vector<Plan> plans_;                         // one per tensor of the file
  std::vector<float> widened_;                      // one piece of the file
  size_t float_count_ = 0;
  std::array<uint8_t, 32> hash_{};
};

} // namespace rwkv
