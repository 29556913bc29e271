// Every bound of the library in one place, with its reason. A queue or a size without a line here is a bug.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rwkv::limits {

// One run steps at most this many positions of one state: the sequence path gets most of its gain by 16, and
// a 2-million-parameter model does 16 positions in a few milliseconds, so a stop takes effect soon. Of a picture,
// one run steps as many rows of layers as so many positions have.
inline constexpr uint32_t chunk_positions = 16;
// All forks together step at most this many positions per run, in turn. A decoded token counts as one.
// Narration pays for at most one such budget per step, however many questions are asked.
inline constexpr uint32_t fork_positions_per_run = 16;

// Rows that go through the layers together. More would only grow the scratch memory of a thread.
inline constexpr uint32_t wave_rows = 64;
// Below this many rows a second thread spends its time on reading the weights again.
inline constexpr uint32_t wave_rows_min = 4;
// Multiplications below which one piece of work is not shared: waking a thread costs about as much time.
inline constexpr uint64_t shared_work = 2'000'000;
// A thread that is late takes fewer pieces; more of them would only cost more hand-overs.
inline constexpr uint32_t pieces_per_worker = 2;
// Rows of logits computed together: the head is the widest matrix and is read once for all of them.
inline constexpr uint32_t logit_rows = 8;

inline constexpr uint32_t inbox_positions = 65536; // per state, decode tokens counted at their maximum
inline constexpr uint32_t outbox_tokens = 65536;   // per state; put_decode answers FULL before it could overflow
inline constexpr uint32_t kept_logit_rows = 4096;  // per state, the oldest row is overwritten
inline constexpr uint32_t kept_vector_rows = 65536; // the same; as many as the inbox can bring
inline constexpr uint32_t decode_tokens = 4096;
inline constexpr uint32_t stop_tokens = 64;
inline constexpr uint32_t states = 65536;
inline constexpr uint32_t threads = 256;
inline constexpr size_t path_bytes = 4096;
inline constexpr size_t sentence_bytes = 1024;

// A vector with larger numbers would overflow the variance of a layer norm and poison the state for ever.
inline constexpr float vector_magnitude = 1e15f;
inline constexpr float temperature = 100.0f;
inline constexpr float penalty = 1000.0f;

// Weights. The header bound is the one the format itself sets; the others are far above any released model
// (61 layers, width 4096, vocabulary 65536) and keep products of them far below 2^64.
inline constexpr uint64_t header_bytes = 100'000'000;
inline constexpr uint64_t tensors = 100'000;
inline constexpr uint64_t dimension_count = 8;
inline constexpr uint64_t layers = 1024;
inline constexpr uint64_t width = 65536;
inline constexpr uint64_t vocab = 1u << 22;
inline constexpr uint64_t hidden = 1u << 20;
inline constexpr uint64_t read_bytes = 1u << 20; // one piece of the file

} // namespace rwkv::limits
