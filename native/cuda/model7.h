// RWKV-7 on a CUDA device: a whole wave in one piece, eight launches a layer, states on the device, tokens chosen there. The
// maths is that of src/model7.cc. Calls of several threads take turns. Must not know slots and queues.
#pragma once

#include "../src/model.h"
#include "../src/state.h"
#include "graphs.h"
#include "memory.h"
#include "places.h"
#include "product.h"
#include "sample.h"
#include "weights7.h"

namespace rwkv::cuda {

class CudaModel7 final : public Model {
 public:
  CudaModel7(WeightFile &file, int index);

  StateMemory &memory() const override { return memory_; }
  void embed(uint32_t token, float *out) const override { weights_.embed(token, out); }
  void begin(float *x, size_t rows) const override;
  void layer(size_t index, const Wave &wave, float *scratch, const Team &team) const override;
  void finish(float *x, size_t rows) const override;
  void forward(const Wave &wave, float *scratch, const Team &team) const override;
  size_t scratch_floats(size_t) const override { return 0; } // the device has its own
  size_t carried_width() const override { return shape_.width; } // v_first
  void logits(const float *x, size_t rows, float *out, const Team &team) const override;
  void answer(const float *x, std::span<const Question> questions, std::span<Answer> answers,
              const ChoiceScratch &scratch, const Team &team) const override;

  size_t graph_replays() const { return graphs_.replays(); }
  Device &device() const { return device_; }

 private:
  // Blocks of rows on the device, for limits::wave_rows of them.
  struct Rows {
    float *x, *mixed, *r, *w, *k, *v, *a, *g, *y, *first, *inner[4], *hidden;
    uint32_t *row_max;
    RowPlace *places;
    SpanPlace *spans;
    float *head_x, *logits, *open; // for limits::logit_rows
    DeviceQuestion *questions;
    uint2 *counts;
    DeviceAnswer *answers;
  };
  // The same on the host, pinned: what a step takes there and brings back.
  struct Travel {
    float *x, *first, *head_x;
    RowPlace *places;
    SpanPlace *spans;
    DeviceQuestion *questions;
    uint2 *counts;
    DeviceAnswer *answers;
  };
  struct Launch { // of one layer or of all
    uint32_t rows, spans;
  };

  // Of a layer in the memory of a state, which is [att_prev D | S D·64 | ffn_prev D] per layer (src/state.h).
  size_t att_prev(size_t index) const { return index * layout_.layer_floats(); }
  void lay_out();
  void put_tables(const Wave &wave) const;
  void take_up(void *to, const void *from, size_t bytes) const;    // between Travel and Rows, in order
  void bring_back(void *to, const void *from, size_t bytes) const;
  void launch_layer(size_t index, const Launch &launch) const;
  void launch_time_mix(size_t index, const Launch &launch) const;
  void launch_channel_mix(size_t index, const Launch &launch) const;
  void launch_norm_of_rows(const NormWeights &norm, uint32_t rows) const;
  void norm_on_device(const NormWeights &norm, float *x, size_t rows) const;
  void launch_head(uint32_t rows) const;

  mutable Device device_;
  mutable DeviceMemory memory_;
  Weights7 weights_;
  LayerLayout layout_{};
  DeviceBlock rows_block_;
  std::unique_ptr<PinnedBlock> travel_block_;
  Rows rows_{};
  Travel travel_{};
  mutable Graphs graphs_;
};

} // namespace rwkv::cuda
