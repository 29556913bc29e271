// Turns vectors of the vision side into vectors of the language model: the released projectors (spec 2.6). Must not know
// batches or towers.
#pragma once

#include "language_net.h"

namespace rwkv_train {

// vectors [N, F] → [N, width], by the "proj." tensors; without any, F must be the width. Which of the layouts it is, names
// and shapes decide:
//   proj.weight [width, F] (proj.bias [width])                                          linear
//   proj.ln_v.{weight, bias}, proj.o_proj.weight [width, F], proj.gate.weight [F, F]     LN(O (f ⊙ σ(G f)))
//   proj.proj.weight [width, F], proj.o_proj.weight, proj.gate.weight [width, width]     O (p ⊙ σ(G p)), p = P f
//   the same without a gate, or with F = 6400 (UHD stores a gate that it does not use)   O relu(P f)
torch::Tensor project(const Tensors &tensors, const torch::Tensor &vectors, int64_t width);

} // namespace rwkv_train
