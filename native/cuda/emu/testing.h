// For tests of kernels that run under the emulation and, compiled by nvcc, on a device: one way to say "in every order".
#pragma once

#include "simt.h"

#ifdef __CUDACC__
namespace emu {
inline constexpr bool under_tsan = false;
template <class Body>
void each_schedule(const Body &body) {
  body();
}
} // namespace emu
#endif
