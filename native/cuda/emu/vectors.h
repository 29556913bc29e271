// CUDA's small vector types, for the emulation. They may alias arrays of their elements, as kernels use them to.
#pragma once

#include <cstdint>

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned across = 1, unsigned down = 1, unsigned deep = 1) : x(across), y(down), z(deep) {}
};

#define EMU_VECTORS(T, name)                                                                                    \
  struct __attribute__((may_alias, aligned(2 * sizeof(T)))) name##2 {                                            \
    T x, y;                                                                                                     \
  };                                                                                                            \
  struct __attribute__((may_alias)) name##3 {                                                                   \
    T x, y, z;                                                                                                  \
  };                                                                                                            \
  struct __attribute__((may_alias, aligned(sizeof(T) > 4 ? 16 : 4 * sizeof(T)))) name##4 {                       \
    T x, y, z, w;                                                                                               \
  };                                                                                                            \
  constexpr name##2 make_##name##2(T x, T y) { return {x, y}; }                                                 \
  constexpr name##3 make_##name##3(T x, T y, T z) { return {x, y, z}; }                                         \
  constexpr name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }

EMU_VECTORS(float, float)
EMU_VECTORS(double, double)
EMU_VECTORS(int, int)
EMU_VECTORS(unsigned, uint)
EMU_VECTORS(signed char, char)
EMU_VECTORS(unsigned char, uchar)
EMU_VECTORS(short, short)
EMU_VECTORS(unsigned short, ushort)
#undef EMU_VECTORS
