/* rwkv_train.h: the whole contract of the trainer library. Put parameters and a batch in, accumulate gradients, apply a
 * step, read parameters out.
 *
 * What it owns: the forward and backward passes, gradients, AdamW with its moments, the state carried between batches.
 * What it must not know: files, data sets, schedules, tokenizers, TypeScript. It initialises nothing and reads no file.
 *
 * THE BOUNDARY
 *  - As rwkv.h: scalars, opaque handles and pointer+length pairs only; bytes are copied before a verb returns; every verb
 *    answers a status, and the sentence of the newest failure lies on the handle.
 *  - "blocks:" verbs carry handles only and may run on another thread. One verb at a time on one trainer: another answers
 *    RWKV_TRAIN_BUSY while a blocking one is under way.
 *  - Names are UTF-8, at most 200 bytes, without a terminator. Tensors are row-major, of at most 5 dimensions.
 *
 * DETERMINISM
 *  - The same library with the same thread count gives the same bits for the same sequence of calls: a run that goes on
 *    from read-out parameters, moments, carried states and step count is bit-identical to one that never stopped.
 */
#ifndef RWKV_TRAIN_H
#define RWKV_TRAIN_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define RWKV_TRAIN_API __declspec(dllexport)
#else
#define RWKV_TRAIN_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rwkv_trainer rwkv_trainer;

#define RWKV_TRAIN_ABI_VERSION 1

#define RWKV_TRAIN_OK 0
#define RWKV_TRAIN_MISUSE -1    /* a NULL handle, a verb out of order, a value out of range */
#define RWKV_TRAIN_FORMAT -2    /* a tensor is missing, or has another shape than the model needs */
#define RWKV_TRAIN_MEMORY -3    /* not enough memory for this batch; parameters and moments are as before */
#define RWKV_TRAIN_BUSY -4      /* a blocking verb is under way */
#define RWKV_TRAIN_SPACE -5     /* the buffer is too small; the needed size was written */
#define RWKV_TRAIN_NO_DEVICE -6 /* this machine or this build has no such device */
#define RWKV_TRAIN_NUMBER -7    /* loss or gradients are not finite: the gradients of this step were dropped */
#define RWKV_TRAIN_INTERNAL -8  /* an exception stopped at the boundary: a bug in the library */

/* Kinds of model. */
#define RWKV_TRAIN_LANGUAGE 1 /* RWKV-7 or RWKV-6, with a projector when there are "proj." tensors */
#define RWKV_TRAIN_TOWER 2    /* image tower with text prototypes */

/* What of a tensor is put or read. */
#define RWKV_TRAIN_VALUE 0
#define RWKV_TRAIN_MOMENT1 1 /* AdamW's running mean; zero until the first apply */
#define RWKV_TRAIN_MOMENT2 2 /* AdamW's running mean of squares */
#define RWKV_TRAIN_GRADIENT 3 /* read only; zeros between apply and the next accumulate */

/* Element types of batch inputs. */
#define RWKV_TRAIN_FLOAT32 1
#define RWKV_TRAIN_INT32 2
#define RWKV_TRAIN_UINT8 3

#define RWKV_TRAIN_DEVICE_CPU 1
#define RWKV_TRAIN_DEVICE_CUDA 2

RWKV_TRAIN_API uint32_t rwkv_train_abi_version(void);

/* threads: 1..256, of the whole process's libtorch pool. A device that is not here: RWKV_TRAIN_NO_DEVICE. */
RWKV_TRAIN_API int32_t rwkv_trainer_new(uint32_t kind, uint32_t device, uint32_t threads, rwkv_trainer **out);
RWKV_TRAIN_API void rwkv_trainer_close(rwkv_trainer *trainer);
/* As rwkv_engine_sentence. */
RWKV_TRAIN_API int32_t rwkv_trainer_sentence(rwkv_trainer *trainer, uint8_t *out, size_t out_bytes, size_t *length);

/* ---- parameters ---- */

/* Adds a parameter, or overwrites one of the same shape (`what` VALUE); or its moment (the parameter must be there). */
RWKV_TRAIN_API int32_t rwkv_trainer_put_tensor(rwkv_trainer *trainer, const uint8_t *name, size_t name_bytes,
                                               uint32_t what, const int64_t *dims, uint32_t rank, const float *data,
                                               size_t elements);
RWKV_TRAIN_API int32_t rwkv_trainer_read_tensor(rwkv_trainer *trainer, const uint8_t *name, size_t name_bytes,
                                                uint32_t what, float *out, size_t elements);
/* How a parameter is trained: its learning rate is lr * lr_scale (0: frozen, gradients are not even computed), its
 * decoupled decay weight_decay. Default: 1, 0. */
RWKV_TRAIN_API int32_t rwkv_trainer_set_group(rwkv_trainer *trainer, const uint8_t *name, size_t name_bytes,
                                              double lr_scale, double weight_decay);

/* ---- settings and batches ---- */

/* Numbers by name. Optimizer: "lr", "beta1" (.9), "beta2" (.99), "eps" (1e-8), "clip" (1; 0: none), "step" (applies done
 * so far, for bias correction after a resume). Language: "l2wrap" (1e-4; 0: none), "grad_checkpoint" (0 or 1), "carry" (0
 * or 1: the state goes on into the next batch of as many rows, without gradient), "bf16" (0 or 1, CUDA only).
 * An unknown name is MISUSE. */
RWKV_TRAIN_API int32_t rwkv_trainer_set_number(rwkv_trainer *trainer, const uint8_t *name, size_t name_bytes,
                                               double value);
/* One input of the next batch; replaces what was put under that name. Inputs stay until clear_inputs.
 *
 * LANGUAGE
 *   "tokens"  int32 [B, T]   ids; -1 takes the next row of "vectors" (row by row of the batch), -2 is padding
 *   "vectors" float32 [N, F] as many rows as tokens has -1; F is the projector's input width, or D without a projector
 *   "targets" int32 [B, T]   what the logits at this position should predict; -100 nothing
 *   "weights" float32 [B, T] optional; loss = sum over positions of weight * CE, as it stands (no further mean).
 *                            Without it every target weighs 1 / (B * targets in its row) (spec 6.7)
 *   "reset"   int32 [B]      with "carry": 1 begins this row with an empty state. Missing: all rows go on if they can
 * TOWER
 *   "pixels"       uint8 [B, 2, H, W, 3]  the frame before, and the frame
 *   "cell_class"   int32 [B, cells]       class whose centre lies in the cell; C: background; -1: says nothing
 *   "cell_box"     float32 [B, cells, 8]  dx, dy (cells, from the cell's centre), ln size (frame sides), vx, vy (frame sides
 *                                         a tick), growth (ln size a tick), new (0 or 1), visible share
 *   "class_tokens" int32 [C, n]           words of each class's name; -1 pads
 *   "caption_tokens" int32 [B, m]         words of each picture's caption; -1 pads
 *   Inputs that a loss needs may be missing: that loss is left out then.
 */
RWKV_TRAIN_API int32_t rwkv_trainer_put_input(rwkv_trainer *trainer, const uint8_t *name, size_t name_bytes,
                                              uint32_t type, const int64_t *dims, uint32_t rank, const void *data,
                                              size_t bytes);
RWKV_TRAIN_API int32_t rwkv_trainer_clear_inputs(rwkv_trainer *trainer);

/* blocks: forward and backward of the batch; adds to the gradients. Leaves the output "loss". */
RWKV_TRAIN_API int32_t rwkv_trainer_accumulate(rwkv_trainer *trainer);
/* blocks: clips the gradients at their global norm, one AdamW step, gradients to zero. Leaves "grad_norm". */
RWKV_TRAIN_API int32_t rwkv_trainer_apply(rwkv_trainer *trainer);
/* blocks: forward only. LANGUAGE leaves "loss" (when there are targets) and "logits" [B, T, V]; TOWER leaves
 * "cell_logits" [B, cells, C + 1], "cell_box" and "image_text" [B, B] (cosines times scale), where inputs allow. */
RWKV_TRAIN_API int32_t rwkv_trainer_evaluate(rwkv_trainer *trainer);

/* Shape of an output of the newest accumulate, apply or evaluate. dims has room for 5. Language also leaves parts:
 * "losses" [B]; the tower "loss_class", "loss_box", "loss_clip". Scalars have rank 0. */
RWKV_TRAIN_API int32_t rwkv_trainer_output_shape(rwkv_trainer *trainer, const uint8_t *name, size_t name_bytes,
                                                 int64_t *dims, uint32_t *rank);
RWKV_TRAIN_API int32_t rwkv_trainer_read_output(rwkv_trainer *trainer, const uint8_t *name, size_t name_bytes, float *out,
                                                size_t elements);

/* ---- the carried state (LANGUAGE): for resume ---- */

/* Floats of it, 0 when there is none; rows come first. */
RWKV_TRAIN_API int32_t rwkv_trainer_carried_floats(rwkv_trainer *trainer, uint64_t *rows, uint64_t *floats);
RWKV_TRAIN_API int32_t rwkv_trainer_read_carried(rwkv_trainer *trainer, float *out, size_t elements);
RWKV_TRAIN_API int32_t rwkv_trainer_put_carried(rwkv_trainer *trainer, uint64_t rows, const float *data, size_t elements);

#ifdef __cplusplus
}
#endif
#endif
