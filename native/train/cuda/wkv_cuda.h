// The recurrences of ../wkv.h on a CUDA device: the same arrays in the same order, in the device's memory, in float32. The
// calls only give work to the stream; they answer 0 or the CUDA error of the launch. No tensors, no CUDA headers.
//
// RWKV-7 keeps one more thing from forward to backward: `sa`, S a of each position, a sequence. Backward passes also need
// room for states within a chunk: scratch(shape) floats, whose content means nothing before or after.
#pragma once

#include "../wkv.h"

namespace rwkv_train {

inline constexpr size_t segment = 4; // positions between the states that a backward pass keeps within a chunk

inline size_t wkv_scratch(const WkvShape &shape) { return shape.states() * (chunk / segment - 1); }

int wkv7_forward_cuda(const WkvShape &shape, const Wkv7Inputs<float> &in, float *y, float *state_out, float *checkpoints,
                      float *sa, void *stream);
int wkv7_backward_cuda(const WkvShape &shape, const Wkv7Inputs<float> &in, const float *checkpoints, const float *sa,
                       const float *dy, const float *dstate_out, const Wkv7Gradients<float> &out, float *scratch,
                       void *stream);
int wkv6_forward_cuda(const WkvShape &shape, const Wkv6Inputs<float> &in, float *y, float *state_out, float *checkpoints,
                      void *stream);
int wkv6_backward_cuda(const WkvShape &shape, const Wkv6Inputs<float> &in, const float *checkpoints, const float *dy,
                       const float *dstate_out, const Wkv6Gradients<float> &out, float *scratch, void *stream);

} // namespace rwkv_train
