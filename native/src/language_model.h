// What RWKV-5, 6 and 7 share: embedding, ln0, the residual frame around time mix and channel mix, ln_out,
// head. A generation adds its weights and its two mixes. Knows no slots, no queues, no file format.
#pragma once

#include "model.h"
#include "ops/ops.h"
#include "product_list.h"
#include "scratch.h"
#include "state.h"
#include "weights.h"

#include <utility>
#include <vector>

namespace rwkv {

inline constexpr size_t head_size = 64; // N of every released model
inline constexpr float norm_epsilon = 1e-5f;
inline constexpr float head_norm_epsilon = 64e-5f;

struct NormWeights {
  const float *weight = nullptr, *bias = nullptr; // [D]
};

// What a mix works on.
struct MixInput {
  const Wave &wave;
  float *h;     // [rows][D], a norm of wave.x
  float *delta; // [rows][D], h of the row before − h
  const Team &team;
};

// h moved towards the row before, as a product reads it: mixed = h + delta ⊙ (mu + moved), input = prepared for w.
struct MixedRows {
  const float *mu;        // [D]
  const Matrix *w;        // of the product
  float *mixed;           // [rows][D], for use under way
  void *input;            // take_input
  float *moved = nullptr; // [rows][D], destroyed
};

class LanguageModel : public Model {
 public:
  void embed(uint32_t token, float *out) const final;
  void begin(float *x, size_t rows) const final;
  void layer(size_t index, const Wave &wave, float *scratch, const Team &team) const final;
  void finish(float *x, size_t rows) const final;
  void logits(const float *x, size_t rows, float *out, const Team &team) const final;
  size_t scratch_floats(size_t rows) const final;
  size_t carried_width() const override { return 0; }

 protected:
  LanguageModel(uint32_t version, const WeightFile &file, const Ops &ops);

  // Asks for the tensors that all generations have. emb and head may be absent, but only together.
  void want_frame(WeightFile &file);
  void want_norm(WeightFile &file, NormWeights &norm, const std::string &name) const;
  void read(WeightFile &file);
  // Multiplications that `matrices` of a layer cost per row. For the bounds of a step.
  void count_work(std::span<const Matrix *const> matrices);

  // wave.x += mix(h); delta is ready. `scratch` is fresh.
  virtual void time_mix(size_t layer, const MixInput &in, Scratch scratch) const = 0;
  virtual void channel_mix(size_t layer, const MixInput &in, Scratch scratch) const = 0;
  virtual size_t mix_floats(size_t layer, size_t rows) const = 0;

  // Room for the input of products with w.
  void *take_input(Scratch &scratch, const Matrix &w, size_t rows) const {
    return scratch.take(ops_.products.input_bytes(w.format, rows, w.columns) / sizeof(float));
  }
  const void *prepare(void *input, const float *x, const Matrix &w, size_t rows) const {
    ops_.products.prepare(input, x, w.format, rows, w.columns);
    return input;
  }
  void prepare_mixed(const MixInput &in, std::span<const MixedRows> all) const;
  // wave.x += x · wᵀ of a prepared x; `out` is room for the product.
  void add_product(const MixInput &in, float *out, const void *input, const Matrix &w) const;

  // Heads [first, first + count) and what lies where for them.
  struct Heads {
    size_t count, channel, width; // channel: of the first; width: of all of these heads
  };
  // part(heads): some heads, all rows. The heads are shared by the team.
  template <typename Part>
  void share_heads(const MixInput &in, const Part &part) const {
    constexpr uint64_t work_per_number = 8 * head_size;
    in.team.share(heads(), 1, work_per_number * in.wave.rows * shape_.width, [&](size_t first, size_t last) {
      part(Heads{last - first, first * head_size, (last - first) * head_size});
    });
  }
  // step(at) for every row, `at` being the place of these heads in a block of rows.
  template <typename Step>
  void each_row(const MixInput &in, const Heads &some, const Step &step) const {
    for (size_t row = 0; row < in.wave.rows; ++row) step(row * shape_.width + some.channel);
  }
  // step(s, at, rows) for every state of the wave.
  template <typename Step>
  void each_state(size_t layer, const MixInput &in, const Heads &some, const Step &step) const {
    for (const Span &span : in.wave.spans) {
      step(layout_.s(span.memory, layer) + some.channel * head_size, span.first_row * shape_.width + some.channel,
           span.row_count);
    }
  }

  size_t heads() const { return shape_.width / head_size; }

  const Ops &ops_;
  LayerLayout layout_;

 private:
  void shift(const MixInput &in, float *(LayerLayout::*previous)(float *, size_t) const, size_t layer) const;

  using Block = decltype(std::declval<WeightFile>().read_all());
  Block block_;
  Matrix emb_, head_; // [V][D]
  NormWeights ln0_, ln_out_;
  std::vector<NormWeights> ln1_, ln2_; // per layer
};

} // namespace rwkv
