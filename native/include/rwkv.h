/* rwkv.h: the whole contract of the native library. Put work in, run a bounded step, take results out.
 *
 * What it owns: weights, recurrent states, the RWKV step, sampling. What it must not know: TypeScript, HTTP,
 * ffmpeg, what a caption is.
 *
 * THE BOUNDARY
 *  - Only scalars, opaque handles and pointer+length pairs cross. No structs, callbacks, varargs or globals.
 *  - Bytes cross in calls that copy before they return; the library never keeps a caller's pointer.
 *  - Calls marked "blocks:" carry handles only; every other call returns in microseconds.
 *  - Every verb answers a status: RWKV_OK or a negative named by its cause. The sentence for a person lives on
 *    the handle (rwkv_engine_sentence), never in thread-local storage, because a blocking call may run on
 *    another thread. It is the sentence of the handle's newest failure.
 *  - The library never prints, exits, throws across, starts timers, or reads the environment, except
 *    RWKV_DEVICE (echo | cpu | cpu:TARGET | cuda | cuda:N), read once per rwkv_engine_new when `device` is
 *    RWKV_DEVICE_AUTO. TARGET is plain, avx2, avx512, vnni, amx or neon: which kernels run, instead of the quickest that
 *    this machine has. N is which CUDA device runs, instead of number 0.
 *
 * THREADS
 *  - put, take, read and stop verbs touch a state's inbox and outbox and are legal while run is under way.
 *  - fork, export, import, reset and close of a state while run is under way wait for that step's end; a second
 *    run on the same engine answers RWKV_BUSY. fork, export and import of a state that still has work pending
 *    answer RWKV_BUSY: a state is copied only at a tick edge. A step waits for an export no longer than for that copy.
 *  - The threads of an engine sleep when no run is under way. While other processes have the processors, a run may use
 *    fewer of them: it is quicker then. The results do not depend on it.
 *
 * MEMORY
 *  - All state memory exists after load: fork and state_new answer RWKV_FULL, never out of memory. Only a span needs
 *    more while it is queued: its vectors, and a second state; put_span has them or answers RWKV_FULL.
 *  - Large matrices are held once, in the format of the file or of rwkv_engine_set_format, in an order that the kernels
 *    read front to back.
 *
 * RESULTS
 *  - On one machine and target they are the same, bit for bit, whatever else is in the batch, in however many pieces a
 *    sequence is put, and with any number of threads. Between targets they agree to rounding.
 *  - engine_close with open states leaves the engine alive until the last of them closes (counted inside), so
 *    the order in which a garbage collector closes things does not matter. Close of NULL is fine; twice is not.
 */
#ifndef RWKV_H
#define RWKV_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define RWKV_API __declspec(dllexport)
#else
#define RWKV_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rwkv_engine rwkv_engine; /* weights on one device, and the slots of every state */
typedef struct rwkv_state rwkv_state;   /* all that one stream remembers: constant size, one owner */

#define RWKV_ABI_VERSION 3

/* Statuses. Nothing is done when a verb fails, unless its comment says otherwise. */
#define RWKV_OK 0
#define RWKV_MISUSE -1      /* a NULL handle, a verb out of order, a value out of range: a bug in the caller */
#define RWKV_FILE -2        /* weights cannot be opened or read */
#define RWKV_FORMAT -3      /* bytes are not what they claim: bad header, missing tensor, wrong shape */
#define RWKV_MEMORY -4      /* new or load could not allocate; the engine stays unloaded and may load again */
#define RWKV_FULL -5        /* no free state slot, or no room in (or no memory for) the inbox of a state */
#define RWKV_BUSY -6        /* a run is under way, or the state still has work pending */
#define RWKV_SPACE -7       /* the buffer is too small; the needed size was written */
#define RWKV_NO_DEVICE -8   /* this machine or this build has no such device */
#define RWKV_DEVICE_LOST -9 /* the device failed under way; open a new engine and import states */
#define RWKV_FOREIGN -10    /* a state blob of another model, or damaged */
#define RWKV_INTERNAL -11   /* an exception stopped at the boundary: a bug in the library */

#define RWKV_DEVICE_AUTO 0
#define RWKV_DEVICE_ECHO 1 /* no weights: tokens out are a hash of what went in; tests the boundary */
#define RWKV_DEVICE_CPU 2
#define RWKV_DEVICE_CUDA 3

/* Formats of large matrices, for rwkv_engine_set_format. The vectors and small matrices stay as they are. */
#define RWKV_WEIGHTS_AS_FILE 0
#define RWKV_WEIGHTS_F16 1
#define RWKV_WEIGHTS_BF16 2
#define RWKV_WEIGHTS_Q8 3 /* 8-bit integers, a scale per 32 of them (as Q8_0 of GGUF) */
#define RWKV_WEIGHTS_Q4 4 /* 4-bit integers, a scale and an offset per 32 of them (as Q4_K of GGUF) */

/* What RWKV_INFO_TARGET answers: which kernels run. */
#define RWKV_TARGET_NONE 0  /* echo */
#define RWKV_TARGET_PLAIN 1 /* any machine */
#define RWKV_TARGET_AVX2 2
#define RWKV_TARGET_AVX512 3
#define RWKV_TARGET_VNNI 4 /* AVX-512 with dot products of bytes */
#define RWKV_TARGET_AMX 5  /* the same, and matrix tiles */
#define RWKV_TARGET_NEON 6
#define RWKV_TARGET_CUDA 7

/* Keys of rwkv_engine_info. Sizes (VERSION to WEIGHT_BYTES) are known after load; before it they answer
 * RWKV_MISUSE. */
#define RWKV_INFO_DEVICE 1       /* the RWKV_DEVICE_* that runs */
#define RWKV_INFO_VERSION 2      /* RWKV generation: 7, 6 or 5 (0 on the echo device) */
#define RWKV_INFO_WIDTH 3        /* D: floats in one vector */
#define RWKV_INFO_LAYERS 4       /* L */
#define RWKV_INFO_VOCAB 5        /* V: floats in one row of logits; 0 for weights without emb and head */
#define RWKV_INFO_STATE_BYTES 6  /* memory of one state, constant for ever */
#define RWKV_INFO_BLOB_BYTES 7   /* size of an exported state, in fp32 */
#define RWKV_INFO_WEIGHT_BYTES 8 /* memory of the weights as held */
#define RWKV_INFO_STATES_MAX 9
#define RWKV_INFO_STATES_OPEN 10
#define RWKV_INFO_RUNS 11   /* steps taken since load; a run with nothing to do is not one */
#define RWKV_INFO_TOKENS 12 /* positions (tokens and vectors) stepped since load, all states together */
#define RWKV_INFO_BLOB_HALF_BYTES 13 /* size of a state exported in fp16; known after load */
#define RWKV_INFO_TARGET 14          /* the RWKV_TARGET_* that runs; known after load */

/* The version of this header the library was built from. Check it before any other verb. */
RWKV_API uint32_t rwkv_abi_version(void);

/* ---- engine ---- */

/* Makes an empty engine. states_max: 1..65536 slots, allocated at load. threads: 1..256, or 0 for one; the
 * results do not depend on it. A device that is not here is found at load, where there is room for a sentence:
 * RWKV_NO_DEVICE. */
RWKV_API int32_t rwkv_engine_new(uint32_t device, uint32_t states_max, uint32_t threads, rwkv_engine **out);
/* Names the weights: a UTF-8 path of a file (path_bytes bytes, no terminator needed). safetensors of F32, F16 and BF16:
 * RWKV-7, 6 or 5.2 by their official names; "rwkv." or "vtc." before each of them does not matter. GGUF, told by its
 * first bytes, as llama.cpp writes it: RWKV-7 or 6 of F32, F16, BF16, Q8_0, Q6_K and Q4_K, which are held as they
 * are, of Q4_0 and Q5_0 (held as Q8_0, exactly) and of Q4_1, Q5_1 and Q5_K (held as F16). */
RWKV_API int32_t rwkv_engine_put_path(rwkv_engine *engine, const uint8_t *path, size_t path_bytes);
/* Before load: large matrices of the file become this RWKV_WEIGHTS_* while they are read, unless they have fewer bits
 * already. At first RWKV_WEIGHTS_AS_FILE. With Q4, matrices whose columns are not whole blocks of 256 become Q8, and
 * the head has 6 bits; columns that are not whole blocks of 32 stay as they are. The embedding table stays, or with Q8
 * and Q4 becomes Q8. */
RWKV_API int32_t rwkv_engine_set_format(rwkv_engine *engine, uint32_t format);
/* blocks: reads and checks the weights, then allocates every state slot. Succeeds once per engine; after a
 * failure it may be tried again. Echo needs no path. */
RWKV_API int32_t rwkv_engine_load(rwkv_engine *engine);
/* blocks: one bounded step for all states that have work. Narration (states made by state_new) first: each
 * gets one prefill chunk or one decoded token; then all forks together get 16 positions, in turn, so that many questions
 * slow each other and not the narration. A chunk is 16 positions when many states have work; a few share up to 128, fewer
 * for a large model, so that a stop takes effect within about a second. Of a span, a run steps as many rows of layers as
 * 16 positions have. RWKV_OK also when there was nothing to do. Allocates nothing. */
RWKV_API int32_t rwkv_engine_run(rwkv_engine *engine);
RWKV_API int32_t rwkv_engine_info(rwkv_engine *engine, uint32_t key, uint64_t *out);
/* Copies the 32-byte SHA-256 that names the model: states of one model import only into the same model. */
RWKV_API int32_t rwkv_engine_model_hash(rwkv_engine *engine, uint8_t *out, size_t out_bytes);
/* Copies the sentence of the newest failure on this engine or on one of its states: UTF-8, no terminator.
 * *length is always the full length; RWKV_SPACE when out_bytes is smaller (what fits is copied). */
RWKV_API int32_t rwkv_engine_sentence(rwkv_engine *engine, uint8_t *out, size_t out_bytes, size_t *length);
RWKV_API void rwkv_engine_close(rwkv_engine *engine);

/* ---- states: all of these need a loaded engine ---- */

RWKV_API int32_t rwkv_state_new(rwkv_engine *engine, rwkv_state **out); /* zero state */
/* One copy, logits, sampler and stop tokens included; not the outbox, the decisions and keep_logits, which start
 * afresh. The parent is not changed, now or ever, by what the fork does. */
RWKV_API int32_t rwkv_state_fork(rwkv_state *parent, rwkv_state **out);
/* Back to the zero state; drops pending work, what was not taken yet, and the decisions. Settings stay. */
RWKV_API int32_t rwkv_state_reset(rwkv_state *state);
RWKV_API void rwkv_state_close(rwkv_state *state);

/* put: queue work. It is done in order by run. RWKV_FULL when the inbox bound (65,536 positions) is met. */
RWKV_API int32_t rwkv_state_put_tokens(rwkv_state *state, const uint32_t *tokens, size_t count);
/* count rows of WIDTH floats, row-major, placed in the embedding sequence before ln0 (spec 2.8). NaN,
 * infinities and magnitudes above 1e15 are RWKV_MISUSE: they would poison the state for ever. */
RWKV_API int32_t rwkv_state_put_vectors(rwkv_state *state, const float *vectors, size_t count, size_t width);

/* The order in which layers see the grid of a picture (spec 2.4): around layer i the rows of the residual stream are
 * taken in that order, and put back behind it. */
#define RWKV_SCAN_ROW_MAJOR 0      /* left to right, top to bottom, in every layer */
#define RWKV_SCAN_BIDIRECTION 1    /* odd layers backwards */
#define RWKV_SCAN_MULTIDIRECTION 2 /* i mod 4: rows, rows backwards, columns, columns backwards */
#define RWKV_SCAN_SPIRAL 3         /* one order for all layers: clockwise inward from the top left */
#define RWKV_SCAN_SNAKE 4          /* one order for all layers: odd rows right to left */
#define RWKV_SCAN_ZIGZAG 5         /* one order for all layers: anti-diagonals, the first step upward, as in JPEG */
/* Vectors like put_vectors, as one span: the first rows * columns of them are a grid that `scan` orders, the others
 * follow as they are. A span is stepped layer by layer, in bounded steps like everything else, and pending counts all
 * of it until it is done. RWKV_FULL when the inbox bound is met or its copy cannot be allocated. The state behind it is
 * the state of the batch definition; a stop before its last layer is done leaves the state of before the span. */
RWKV_API int32_t rwkv_state_put_span(rwkv_state *state, const float *vectors, size_t count, size_t width,
                                     uint32_t scan, size_t rows, size_t columns);

/* The sampler of decodes queued from now on; copied by fork; at first 1, 1, 0, 0. temperature in [0, 100], 0 is
 * greedy (ties: lowest id). top_p in (0, 1]: the nucleus is taken at temperature 1, after penalties, and the
 * temperature shapes the choice inside it. Penalties in [-1000, 1000] count tokens of the current decode only,
 * so replay needs no sampler memory: logit -= presence + count * occurrences. */
RWKV_API int32_t rwkv_state_set_sampler(rwkv_state *state, float temperature, float top_p, float presence_penalty,
                                        float count_penalty);
/* Token ids that end decodes queued from now on (0..64 of them); copied by fork. The ending token is taken with
 * the others and is fed. */
RWKV_API int32_t rwkv_state_set_stops(rwkv_state *state, const uint32_t *tokens, size_t count);
/* Queues: choose and feed up to tokens_max tokens (1..4096), until a stop token. The random numbers are a pure
 * function of seed and position in this decode. Needs something to have been fed, or queued, before. RWKV_FULL also
 * when 65,536 chosen tokens would wait to be taken. */
RWKV_API int32_t rwkv_state_put_decode(rwkv_state *state, uint32_t tokens_max, uint64_t seed);
/* The same, after one decision. Let p = softmax(logits)[silence] at temperature 1, P(speak) = 1 - p. When
 * P(speak) < threshold the decode ends with nothing taken and nothing fed: silence leaves no trace. Otherwise
 * the silence token is barred for the whole decode. threshold in [0, 1]. */
RWKV_API int32_t rwkv_state_put_decide(rwkv_state *state, uint32_t silence_token, float threshold,
                                       uint32_t tokens_max, uint64_t seed);
/* Drops all queued work. Positions already stepped stay, and so do those of a step under way: a token that it
 * feeds is still taken. For cutting a decode on decoded text. */
RWKV_API int32_t rwkv_state_stop(rwkv_state *state);

/* take: moves up to out_count chosen tokens out, oldest first, with the probability (temperature 1, before
 * penalties and top-p) that each was chosen at. Either array may be NULL with out_count 0. */
RWKV_API int32_t rwkv_state_take_tokens(rwkv_state *state, uint32_t *tokens, float *probabilities, size_t out_count,
                                        size_t *taken);
/* *positions: positions (and decode tokens at most) still queued; 0 means a tick edge. */
RWKV_API int32_t rwkv_state_read_pending(rwkv_state *state, uint64_t *positions);
/* P(speak) of the newest decision, and how many decisions this state has made. -1 before the first. */
RWKV_API int32_t rwkv_state_read_decision(rwkv_state *state, float *p_speak, uint64_t *decisions);
/* The logits after the newest position: VOCAB floats. RWKV_MISUSE before anything was fed. They are computed
 * here, by all threads when no run has them, from one vector the state keeps: a matrix product of VOCAB x WIDTH, not
 * microseconds for a large model. */
RWKV_API int32_t rwkv_state_read_logits(rwkv_state *state, float *out, size_t out_count);
/* Asks that logits of every position put from now on be kept (1) or not (0, the default) in a ring of at
 * most 4096 rows; take them with take_logits. For parity checks, not for serving. take moves up to
 * out_count / VOCAB rows out, oldest first; NULL with 0 asks how many wait. */
RWKV_API int32_t rwkv_state_set_keep_logits(rwkv_state *state, uint32_t keep);
RWKV_API int32_t rwkv_state_take_logits(rwkv_state *state, float *out, size_t out_count, size_t *rows);

/* The same for the vectors behind ln_out (what the head reads), WIDTH floats each, in the order of the positions that
 * were put: how weights without a head are used. At most 65,536 rows are kept. */
RWKV_API int32_t rwkv_state_set_keep_vectors(rwkv_state *state, uint32_t keep);
RWKV_API int32_t rwkv_state_take_vectors(rwkv_state *state, float *out, size_t out_count, size_t *rows);

/* A state as bytes: versioned header, model hash, sizes, fp32 payload, checksum. NULL with 0 asks the size.
 * Import of a blob from another model or a damaged one is RWKV_FOREIGN by name and changes nothing. A round
 * trip continues bit for bit. Sampler, stops and the decision count are settings and do not travel. */
RWKV_API int32_t rwkv_state_export(rwkv_state *state, uint8_t *out, size_t out_bytes, size_t *length);
#define RWKV_BLOB_F32 0
#define RWKV_BLOB_F16 1
/* The same with numbers of a kind. RWKV_BLOB_F16 takes half the bytes (RWKV_INFO_BLOB_HALF_BYTES) and rounds every number
 * to the nearest fp16: a relative error of at most 2^-11 (2^-25 absolute below 2^-14). RWKV_MISUSE when a number is beyond
 * what fp16 holds, 65504: such a state travels in fp32. Import reads both kinds. */
RWKV_API int32_t rwkv_state_export_as(rwkv_state *state, uint32_t kind, uint8_t *out, size_t out_bytes, size_t *length);
RWKV_API int32_t rwkv_state_import(rwkv_state *state, const uint8_t *blob, size_t blob_bytes);

#ifdef __cplusplus
}
#endif
#endif
