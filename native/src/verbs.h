// What may be put into a state and set on it: ranges, room, and the sentence when something is wrong.
// Takes the slot's lock itself. Knows no C types; abi.cc has checked the pointers.
#pragma once

#include "slot.h"

#include <span>

namespace rwkv::verbs {

void put_tokens(Slot &slot, std::span<const uint32_t> tokens);
// count rows of `width` floats at `vectors`. A pair instead of a span: the product may overflow until checked.
void put_vectors(Slot &slot, const float *vectors, size_t count, size_t width);
// The same as one picture. `grid` need not be sound.
void put_span(Slot &slot, const float *vectors, size_t count, size_t width, const Grid &grid);
void put_decode(Slot &slot, uint32_t tokens_max, uint64_t seed);
void put_decide(Slot &slot, uint32_t silence_token, float threshold, uint32_t tokens_max, uint64_t seed);
void set_sampler(Slot &slot, const SamplerSettings &settings);
void set_stops(Slot &slot, std::span<const uint32_t> tokens);
void set_keep_logits(Slot &slot, uint32_t keep);
void set_keep_vectors(Slot &slot, uint32_t keep);

} // namespace rwkv::verbs
