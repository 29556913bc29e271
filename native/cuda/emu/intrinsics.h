// What a kernel calls: barriers, warp operations, atomics, cached loads. Only between threads of a running grid.
#pragma once

#include "block.h"

#include <type_traits>

#define threadIdx (emu::self->index)
#define blockIdx (emu::self->block->index)
#define blockDim (emu::self->block->extent)
#define gridDim (emu::self->block->grid)
inline constexpr int warpSize = 32;

// Barriers order memory; warp operations do not.
inline void __syncthreads(const emu::Place &place = emu::Place::current()) {
  emu::self->block->barrier(*emu::self, false, place);
}
inline int __syncthreads_count(int vote, const emu::Place &place = emu::Place::current()) {
  return int(emu::self->block->barrier(*emu::self, vote != 0, place));
}
inline int __syncthreads_or(int vote, const emu::Place &place = emu::Place::current()) {
  return __syncthreads_count(vote, place) > 0;
}
inline int __syncthreads_and(int vote, const emu::Place &place = emu::Place::current()) {
  return __syncthreads_count(vote, place) == int(emu::self->block->size());
}
inline void __syncwarp(unsigned mask = ~0u, const emu::Place &place = emu::Place::current()) {
  emu::self->block->exchange(*emu::self, emu::Exchange::order, mask, 0, 0, place);
}

namespace emu {

inline unsigned lane() { return self->rank & 31; }

// A lane beyond the block's end reads itself, as CUDA leaves it undefined only in part.
template <class T>
T shuffle(unsigned mask, T value, unsigned source, const Place &place) {
  static_assert(sizeof(T) <= 8 && std::is_trivially_copyable_v<T>);
  const unsigned first = self->rank & ~31u;
  if (first + source >= self->block->size()) source = lane();
  const Unseen unseen;
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  bits = self->block->exchange(*self, Exchange::shuffle, mask, bits, source, place);
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}
inline unsigned votes(unsigned mask, Exchange kind, uint64_t value, const Place &place) {
  const Unseen unseen;
  return unsigned(self->block->exchange(*self, kind, mask, value, 0, place));
}

} // namespace emu

#define EMU_PLACE const emu::Place &place = emu::Place::current()
template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, EMU_PLACE) {
  const unsigned part = emu::lane() & ~unsigned(width - 1);
  return emu::shuffle(mask, value, part + (unsigned(source) & unsigned(width - 1)), place);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32, EMU_PLACE) {
  const unsigned lane = emu::lane(), source = lane ^ unsigned(bits);
  // A lane of an earlier part may be read, one of a later part may not.
  return emu::shuffle(mask, value, source / unsigned(width) <= lane / unsigned(width) ? source : lane, place);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32, EMU_PLACE) {
  const unsigned lane = emu::lane(), in_part = lane & unsigned(width - 1);
  return emu::shuffle(mask, value, in_part + by < unsigned(width) ? lane + by : lane, place);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32, EMU_PLACE) {
  const unsigned lane = emu::lane(), in_part = lane & unsigned(width - 1);
  return emu::shuffle(mask, value, in_part >= by ? lane - by : lane, place);
}
inline unsigned __ballot_sync(unsigned mask, int vote, EMU_PLACE) {
  return emu::votes(mask, emu::Exchange::ballot, vote != 0, place);
}
inline int __any_sync(unsigned mask, int vote, EMU_PLACE) { return __ballot_sync(mask, vote, place) != 0; }
inline int __all_sync(unsigned mask, int vote, EMU_PLACE) { return __ballot_sync(mask, !vote, place) == 0; }
template <class T>
unsigned __match_any_sync(unsigned mask, T value, EMU_PLACE) {
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  return emu::votes(mask, emu::Exchange::match, bits, place);
}
#undef EMU_PLACE

// Atomics: relaxed, as CUDA's are.
namespace emu {
template <class T, class Change>
T change(T *at, const Change &changed) {
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  static_assert(sizeof(T) == sizeof(Bits));
  Bits *const place = reinterpret_cast<Bits *>(at);
  Bits before = __atomic_load_n(place, __ATOMIC_RELAXED), after;
  T value;
  do {
    std::memcpy(&value, &before, sizeof(T));
    const T next = changed(value);
    std::memcpy(&after, &next, sizeof(T));
  } while (!__atomic_compare_exchange_n(place, &before, after, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  return value;
}
} // namespace emu
#define EMU_ATOMIC(name, expression)                                             \
  template <class T>                                                             \
  T name(T *at, std::type_identity_t<T> value) {                                 \
    return emu::change(at, [&]([[maybe_unused]] T old) { return T(expression); }); \
  }
EMU_ATOMIC(atomicAdd, old + value)
EMU_ATOMIC(atomicSub, old - value)
EMU_ATOMIC(atomicMax, old < value ? value : old)
EMU_ATOMIC(atomicMin, value < old ? value : old)
EMU_ATOMIC(atomicExch, value)
EMU_ATOMIC(atomicAnd, old & value)
EMU_ATOMIC(atomicOr, old | value)
EMU_ATOMIC(atomicXor, old ^ value)
EMU_ATOMIC(atomicInc, old >= value ? T(0) : old + 1)
#undef EMU_ATOMIC
template <class T>
T atomicCAS(T *at, std::type_identity_t<T> expected, std::type_identity_t<T> value) {
  return emu::change(at, [&](T old) { return old == expected ? value : old; });
}

// A fence orders what was before it in one thread with what is behind a later one in another: one lock for all says that.
namespace emu {
inline std::mutex fence;
}
inline void __threadfence() {
  if (emu::self->block->real_threads) std::lock_guard{emu::fence};
}
inline void __threadfence_block() { __threadfence(); }
inline void __threadfence_system() { __threadfence(); }

template <class T>
T __ldg(const T *at) {
  return *at;
}
template <class T>
T __ldcg(const T *at) {
  return *at;
}
template <class T>
T __ldcs(const T *at) {
  return *at;
}
template <class T>
void __stcs(T *at, std::type_identity_t<T> value) {
  *at = value;
}
