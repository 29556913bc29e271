// Turns a file of named tensors (safetensors or GGUF) into one block of weights: large matrices in the tiles that
// products read, all else as fp32. A model says what it wants; what is missing, has another shape or was not asked for
// is refused by name. Knows no maths.
#pragma once

#include "matrix.h"
#include "pages.h"
#include "weight_names.h"
#include "weights_stream.h"

#include <array>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace rwkv {

class WeightFile {
 public:
  // asked: the format of what want_matrix wants, where the file does not have fewer bits already. Columns that are no
  // whole blocks of q4 or q6 become q8, those of no whole blocks of q8 stay; the embedding table stays or becomes q8,
  // and the head is q6 where the others are q4, as it decides alone. Refusals do not carry the path.
  explicit WeightFile(const std::string &path, std::optional<Format> asked = {});

  bool has(const std::string &name) const { return by_name_.contains(name); }
  // 1 + the highest N of "blocks.N."
  uint32_t layer_count() const;
  // The size of dimension `index` of a matrix with two dimensions.
  uint64_t dimension(const std::string &name, size_t index, uint64_t at_most) const;

  // Asks for a tensor as fp32. Leading dimensions of 1 do not matter. The pointer is set by read_all.
  void want(const float *&target, const std::string &name, std::vector<uint64_t> shape);
  // A matrix [rows][columns] in the format of the file, or the asked one.
  void want_matrix(Matrix &target, const std::string &name, uint64_t rows, uint64_t columns);
  // A matrix of the official shape [rows][columns] that is held as [columns][rows], because it is for x @ w; in the
  // number type of the file.
  void want_transposed(Matrix &target, const std::string &name, uint64_t rows, uint64_t columns);
  // [count][rows][columns]: `count` such matrices in one tensor, each transposed; targets[count].
  void want_transposed_each(Matrix *targets, const std::string &name, const std::vector<uint64_t> &shape);
  void ignore(const std::string &name); // may be there or not

  // Refuses what was not asked for, allocates, reads; no second copy of a matrix is ever made. Values that are not
  // finite are refused.
  Pages read_all();
  // Names the model: SHA-256 of the file, or of that and the format when matrices are held in another than the file's.
  const std::array<uint8_t, 32> &hash() const { return hash_; }

 private:
  struct Plan {
    const float **vector = nullptr; // one of the two is set, or neither for what is ignored
    Matrix *matrices = nullptr;     // matrix_count of them, at even shares of the tensor
    size_t matrix_count = 1;
    size_t offset = 0;              // in bytes
    uint64_t rows = 0, columns = 0; // of each matrix, as held
    Format format = Format::f32;
    bool by_column = false; // the file has the columns one behind the other
    bool claimed = false;
    size_t matrix_bytes() const { return rwkv::matrix_bytes(format, rows, columns); }
  };
  struct Piece { // of one named tensor
    uint64_t first;
    const uint8_t *blocks;
    size_t count;
    Stored type;
  };
  [[noreturn]] void refuse(const std::string &name, const std::string &why) const;
  const NamedTensor &find(const std::string &name) const;
  Stored type_of(const NamedTensor &tensor) const { return entries_[tensor.entry].type; }
  Format format_of(const NamedTensor &tensor, uint64_t columns) const;
  Plan &claim(const std::string &name, const std::vector<uint64_t> &shape);
  void take_room(Plan &plan, uint64_t bytes);
  void want_turned(Matrix *targets, const std::string &name, const std::vector<uint64_t> &shape);
  void refuse_unclaimed() const;
  void place(size_t index, uint8_t *block, const Piece &piece);
  void place_rows(const Plan &plan, const NamedTensor &tensor, uint8_t *tiles, uint64_t row, uint64_t column,
                  const Piece &piece);

  WeightStream stream_;
  std::optional<Format> asked_;
  std::vector<TensorEntry> entries_;
  std::vector<NamedTensor> tensors_;                // in the order of the entries
  std::unordered_map<std::string, size_t> by_name_; // into tensors_
  std::vector<Plan> plans_;                         // one per tensor
  std::vector<float> widened_;                      // a few thousand numbers on their way to another format
  std::vector<uint8_t> blocks_;                     // the same in it
  size_t byte_count_ = 0;
  bool changes_format_ = false;
  std::array<uint8_t, 32> hash_{};
};

} // namespace rwkv
