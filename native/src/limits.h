// Every bound of the library in one place, with its reason. A queue or a size without a line here is a bug.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rwkv::limits {

// One run steps at least this many positions of a state that has them, and of a picture as many rows of layers as so
// many positions have. A state without company steps more, see wave_rows and run_work.
inline constexpr uint32_t chunk_positions = 16;
// All forks together step at most this many positions per run, in turn. A decoded token counts as one.
// Narration pays for at most one such budget per step, however many questions are asked.
inline constexpr uint32_t fork_positions_per_run = 16;
// Multiplications of one state in one run, from which its rows follow (never fewer than chunk_positions): under a second
// of two threads, so a stop takes effect soon.
inline constexpr uint64_t run_work = 64'000'000'000;

// Rows that go through the layers together. Every weight is read once for all of them; beyond, only the scratch memory
// would grow.
inline constexpr uint32_t wave_rows = 128;
// Below this many rows a second thread spends its time on reading the weights again.
inline constexpr uint32_t wave_rows_min = 4;
// Multiplications of one row in one layer from which the threads share every product, so that a step reads the weights
// once. Smaller models are read from the cache, and a thread has a wave to itself.
inline constexpr uint64_t shared_layer_work = 2'000'000;

// Multiplications below which one piece of work is not shared, about 10 microseconds: to meet costs about one.
inline constexpr uint64_t shared_work = 250'000;
// Multiplications of one piece at least, and pieces at most: a thread that is late takes fewer of them.
inline constexpr uint64_t piece_work = 125'000;
inline constexpr uint32_t pieces_per_worker = 16;
// How long a thread looks for the next piece of a step before it sleeps, in microseconds: longer than what one thread
// does alone between two shared pieces.
inline constexpr uint32_t spin_microseconds = 40;
// A helper's turn on a processor that it shares: the least the system grants, so that it has one when it is woken.
inline constexpr uint32_t helper_turn_microseconds = 100;
// Politeness. Helpers must save more time than they cost, which they do not while other processes have their processors.
// They have a credit of time: what the caller would have needed for their pieces is added (up to this most), what it waits
// for them at the end of a region is taken off. Below zero the caller works alone, twice as long each time up to the most
// until a full credit starts afresh, and then tries again with half a credit.
inline constexpr uint32_t helper_credit_microseconds = 10'000;
inline constexpr uint32_t alone_microseconds = 20'000;
inline constexpr uint32_t alone_microseconds_most = 640'000;

// Rows of logits computed together: the head is the widest matrix and is read once for all of them.
inline constexpr uint32_t logit_rows = 32;
// Their prepared input, on the stack: one row of the greatest width in any format.
inline constexpr size_t logit_input_bytes = 264 * 1024;

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
inline constexpr uint64_t quantised_numbers = 4096;  // turned into another format at once; a multiple of 256
// The header of a GGUF file, which header_bytes bounds too: a vocabulary in it takes some megabytes.
inline constexpr uint64_t gguf_values = 10'000;
inline constexpr uint64_t gguf_text_bytes = 1u << 20;
inline constexpr uint64_t gguf_name_bytes = 1024;
inline constexpr uint64_t gguf_alignment = 1u << 20;

} // namespace rwkv::limits
