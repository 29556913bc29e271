// What RWKV-5, 6 and 7 share: embedding, ln0, the residual frame around time mix and channel mix, ln_out,
// head. A generation adds its weights and its two mixes. Knows no slots, no queues, no file format.
#pragma once

#include "floats.h"
#include "model.h"
#include "ops/ops.h"
#include "state.h"
#include "weights.h"

#include <vector>

namespace rwkv {

inline constexpr size_t head_size = 64; // N of every released model
inline constexpr float norm_epsilon = 1e-5f;
inline constexpr float head_norm_epsilon = 64e-5f;

struct NormWeights {
  const float *weight = nullptr, *bias = nullptr; // [D]
};

// Hands out scratch memory front to back.
class Scratch {
 public:
  explicit Scratch(float *at) : at_(at) {}
  float *take(size_t floats) {
    float *const taken = at_;
    at_ += whole_lines(floats);
    return taken;
  }

 private:
  float *at_;
};

// What a mix works on.
struct MixInput {
  const Wave &wave;
  float *h;     // [rows][D], a norm of wave.x
  float *delta; // [rows][D], h of the row before − h
  const Team &team;
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

  // wave.x += mix(h); delta is ready. `scratch` is fresh.
  virtual void time_mix(size_t layer, const MixInput &in, Scratch scratch) const = 0;
  virtual void channel_mix(size_t layer, const MixInput &in, Scratch scratch) const = 0;
  virtual size_t mix_floats(size_t rows) const = 0;

  // out[rows][out_width] = x · wᵀ, the columns shared by the team.
  void product(float *out, const float *x, const Matrix &w, size_t rows, size_t in_width, size_t out_width,
               const Team &team) const {
    const auto columns = [&](size_t first, size_t last) {
      ops_.matmul(out, x, w, rows, in_width, out_width, first, last);
    };
    team.share(out_width, whole_lines(1), uint64_t{rows} * in_width * out_width, columns);
  }
  // step(s, at, channel, heads) for every row: `heads` heads from `channel` on; s is theirs, `at` their place in a
  // block of rows. The heads are shared by the team, the rows of a state stay in order.
  template <typename Step>
  void recur(size_t layer, const MixInput &in, const Step &step) const {
    const size_t width = shape_.width;
    const auto some_heads = [&](size_t first, size_t last) {
      for (const Span &span : in.wave.spans) {
        float *const s = layout_.s(span.memory, layer) + first * head_size * head_size;
        for (size_t row = span.first_row; row < span.first_row + span.row_count; ++row) {
          step(s, row * width + first * head_size, first * head_size, last - first);
        }
      }
    };
    in.team.share(heads(), 1, uint64_t{4} * in.wave.rows * width * head_size, some_heads);
  }

  size_t heads() const { return shape_.width / head_size; }

  const Ops &ops_;
  LayerLayout layout_;

 private:
  void shift(const MixInput &in, float *(LayerLayout::*previous)(float *, size_t) const, size_t layer) const;

  Floats block_;
  Matrix emb_, head_; // [V][D]
  NormWeights ln0_, ln_out_;
  std::vector<NormWeights> ln1_, ln2_; // per layer
};

} // namespace rwkv
