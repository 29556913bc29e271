// The only file with extern "C": checks what came across, calls the trainer, and turns whatever is thrown into a status
// and a sentence. Nothing else may catch everything.
#include "rwkv_train.h"

#include "failure.h"
#include "trainer.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <new>

using namespace rwkv_train;

struct rwkv_trainer {
  rwkv_trainer(uint32_t kind, uint32_t device, uint32_t threads) : trainer(kind, device, threads) {}

  std::mutex under_way; // held by the verb that runs
  Trainer trainer;
  std::mutex telling;
  std::string sentence;
};

namespace {

constexpr size_t name_bytes_max = 200;
constexpr uint32_t rank_max = 5, threads_max = 256;
constexpr int64_t elements_max = int64_t{1} << 40;

// Of a c10::Error: libtorch has no type of its own for an allocation that failed on the CPU.
int32_t status_of(const std::string &text) {
  const auto has = [&](const char *part) { return text.find(part) != std::string::npos; };
  return has("can't allocate memory") || has("not enough memory") || has("out of memory") ? RWKV_TRAIN_MEMORY
                                                                                        : RWKV_TRAIN_FORMAT;
}

// `tell` takes the sentence.
template <typename Tell, typename Body>
int32_t guarded(const Tell &tell, const Body &body) noexcept {
  try {
    try {
      body();
      return RWKV_TRAIN_OK;
    } catch (const Failure &failure) {
      tell(failure.sentence);
      return failure.status;
    } catch (const c10::Error &problem) {
      const std::string text = problem.what_without_backtrace();
      tell("Cannot go on: " + text);
      return status_of(text);
    } catch (const std::bad_alloc &) {
      tell("Cannot go on: out of memory");
      return RWKV_TRAIN_MEMORY;
    } catch (const std::exception &problem) {
      tell(std::string("Cannot go on: ") + problem.what());
      return RWKV_TRAIN_INTERNAL;
    } catch (...) {
      tell("Cannot go on: an exception of unknown type");
      return RWKV_TRAIN_INTERNAL;
    }
  } catch (...) { // there was no memory for the sentence either
    return RWKV_TRAIN_INTERNAL;
  }
}

template <typename Body>
int32_t on(rwkv_trainer *handle, const Body &body) noexcept {
  if (!handle) return RWKV_TRAIN_MISUSE;
  const auto tell = [&](std::string sentence) {
    const std::lock_guard lock(handle->telling);
    handle->sentence = std::move(sentence);
  };
  return guarded(tell, [&] {
    const std::unique_lock running(handle->under_way, std::try_to_lock);
    require(running.owns_lock(), RWKV_TRAIN_BUSY, "Cannot do that now: another verb is under way");
    body(handle->trainer);
  });
}

void misuse_unless(bool holds, const char *sentence) { require(holds, RWKV_TRAIN_MISUSE, sentence); }

// Of one sequence of UTF-8 at `at`; 0 when it is none.
size_t utf8_length(const uint8_t *at, size_t left) {
  if (at[0] < 0x80) return 1;
  const size_t length = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
  if (at[0] < 0xc2 || at[0] > 0xf4 || left < length) return 0;
  for (size_t index = 1; index < length; ++index) {
    if ((at[index] & 0xc0) != 0x80) return 0;
  }
  const bool long_form = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
  const bool outside = (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf4 && at[1] > 0x8f);
  return long_form || outside ? 0 : length;
}

std::string name_of(const uint8_t *name, size_t name_bytes) {
  misuse_unless(name && name_bytes > 0 && name_bytes <= name_bytes_max, "Cannot use the name: it has 1 to 200 bytes");
  for (size_t at = 0; at < name_bytes;) {
    const size_t length = utf8_length(name + at, name_bytes - at);
    misuse_unless(length > 0, "Cannot use the name: it is not UTF-8");
    at += length;
  }
  return {reinterpret_cast<const char *>(name), name_bytes};
}

struct Shape {
  std::vector<int64_t> dims;
  int64_t elements = 1;
};

Shape shape_of(const int64_t *dims, uint32_t rank, int64_t dim_min) {
  misuse_unless(rank <= rank_max && (dims || rank == 0), "Cannot take the tensor: it has more than 5 dimensions, or NULL");
  Shape shape;
  for (uint32_t index = 0; index < rank; ++index) {
    misuse_unless(dims[index] >= dim_min && dims[index] <= elements_max, "Cannot take the tensor: a dimension is out of range");
    shape.dims.push_back(dims[index]);
    shape.elements *= dims[index];
    misuse_unless(shape.elements <= elements_max, "Cannot take the tensor: it is too large");
  }
  return shape;
}

torch::Tensor view_of(const void *data, const Shape &shape, torch::ScalarType type) {
  if (shape.elements == 0) return torch::empty(shape.dims, type);
  return torch::from_blob(const_cast<void *>(data), shape.dims, type); // nobody writes to it
}

torch::ScalarType type_of(uint32_t type) {
  misuse_unless(type >= RWKV_TRAIN_FLOAT32 && type <= RWKV_TRAIN_UINT8, "Cannot take the input: there is no such type");
  return type == RWKV_TRAIN_FLOAT32 ? torch::kFloat32 : type == RWKV_TRAIN_INT32 ? torch::kInt32 : torch::kUInt8;
}

void copy_out(const torch::Tensor &tensor, float *out, size_t elements) {
  const torch::Tensor here = tensor.to(torch::kCPU, torch::kFloat32).contiguous();
  const auto count = static_cast<size_t>(here.numel());
  if (elements < count) {
    fail(RWKV_TRAIN_SPACE, "Cannot read: there is room for " + std::to_string(elements) + " of " + std::to_string(count) +
                               " floats");
  }
  misuse_unless(out || count == 0, "Cannot read: no place to write to");
  std::copy_n(here.data_ptr<float>(), count, out);
}

} // namespace

extern "C" {

uint32_t rwkv_train_abi_version(void) { return RWKV_TRAIN_ABI_VERSION; }

int32_t rwkv_trainer_new(uint32_t kind, uint32_t device, uint32_t threads, rwkv_trainer **out) {
  if (!out) return RWKV_TRAIN_MISUSE;
  *out = nullptr;
  if (threads < 1 || threads > threads_max) return RWKV_TRAIN_MISUSE;
  return guarded([](const std::string &) {}, [&] { *out = new rwkv_trainer(kind, device, threads); });
}

void rwkv_trainer_close(rwkv_trainer *handle) {
  if (!handle) return;
  { const std::lock_guard end_of_verb(handle->under_way); }
  delete handle;
}

int32_t rwkv_trainer_sentence(rwkv_trainer *handle, uint8_t *out, size_t out_bytes, size_t *length) {
  if (!handle || !length || (!out && out_bytes > 0)) return RWKV_TRAIN_MISUSE;
  const std::lock_guard lock(handle->telling);
  *length = handle->sentence.size();
  std::copy_n(handle->sentence.data(), std::min(out_bytes, *length), out);
  return out_bytes < *length ? RWKV_TRAIN_SPACE : RWKV_TRAIN_OK;
}

int32_t rwkv_trainer_put_tensor(rwkv_trainer *handle, const uint8_t *name, size_t name_bytes, uint32_t what,
                                const int64_t *dims, uint32_t rank, const float *data, size_t elements) {
  return on(handle, [&](Trainer &trainer) {
    const std::string key = name_of(name, name_bytes);
    misuse_unless(what <= RWKV_TRAIN_MOMENT2, "Cannot put the tensor: only its value and moments can be put");
    const Shape shape = shape_of(dims, rank, 1);
    misuse_unless(data && elements == size_t(shape.elements), "Cannot put the tensor: its data are not as long as its shape says");
    trainer.parameters().put(key, what, view_of(data, shape, torch::kFloat32));
  });
}

int32_t rwkv_trainer_read_tensor(rwkv_trainer *handle, const uint8_t *name, size_t name_bytes, uint32_t what, float *out,
                                 size_t elements) {
  return on(handle, [&](Trainer &trainer) {
    const std::string key = name_of(name, name_bytes);
    misuse_unless(what <= RWKV_TRAIN_GRADIENT, "Cannot read the tensor: there is no such part");
    copy_out(trainer.parameters().part(key, what), out, elements);
  });
}

int32_t rwkv_trainer_set_group(rwkv_trainer *handle, const uint8_t *name, size_t name_bytes, double lr_scale,
                               double weight_decay) {
  return on(handle, [&](Trainer &trainer) {
    const std::string key = name_of(name, name_bytes);
    const auto fits = [](double value) { return value >= 0 && value <= 1e6; };
    misuse_unless(fits(lr_scale) && fits(weight_decay), "Cannot set the group: its numbers lie in 0..1e6");
    trainer.parameters().set_group(key, lr_scale, weight_decay);
  });
}

int32_t rwkv_trainer_set_number(rwkv_trainer *handle, const uint8_t *name, size_t name_bytes, double value) {
  return on(handle, [&](Trainer &trainer) { trainer.set_number(name_of(name, name_bytes), value); });
}

int32_t rwkv_trainer_put_input(rwkv_trainer *handle, const uint8_t *name, size_t name_bytes, uint32_t type,
                               const int64_t *dims, uint32_t rank, const void *data, size_t bytes) {
  return on(handle, [&](Trainer &trainer) {
    const std::string key = name_of(name, name_bytes);
    const torch::ScalarType kind = type_of(type);
    const Shape shape = shape_of(dims, rank, 0);
    const size_t wanted = size_t(shape.elements) * c10::elementSize(kind);
    misuse_unless(bytes == wanted && (data || bytes == 0), "Cannot put the input: its data are not as long as its shape says");
    trainer.put_input(key, view_of(data, shape, kind));
  });
}

int32_t rwkv_trainer_clear_inputs(rwkv_trainer *handle) {
  return on(handle, [](Trainer &trainer) { trainer.clear_inputs(); });
}

int32_t rwkv_trainer_accumulate(rwkv_trainer *handle) {
  return on(handle, [](Trainer &trainer) { trainer.accumulate(); });
}

int32_t rwkv_trainer_apply(rwkv_trainer *handle) {
  return on(handle, [](Trainer &trainer) { trainer.apply(); });
}

int32_t rwkv_trainer_evaluate(rwkv_trainer *handle) {
  return on(handle, [](Trainer &trainer) { trainer.evaluate(); });
}

int32_t rwkv_trainer_output_shape(rwkv_trainer *handle, const uint8_t *name, size_t name_bytes, int64_t *dims,
                                  uint32_t *rank) {
  return on(handle, [&](Trainer &trainer) {
    const std::string key = name_of(name, name_bytes);
    misuse_unless(dims && rank, "Cannot tell the shape: no place to write to");
    const torch::Tensor &output = trainer.output(key);
    *rank = static_cast<uint32_t>(output.dim());
    std::copy_n(output.sizes().begin(), *rank, dims);
  });
}

int32_t rwkv_trainer_read_output(rwkv_trainer *handle, const uint8_t *name, size_t name_bytes, float *out,
                                 size_t elements) {
  return on(handle, [&](Trainer &trainer) { copy_out(trainer.output(name_of(name, name_bytes)), out, elements); });
}

int32_t rwkv_trainer_carried_floats(rwkv_trainer *handle, uint64_t *rows, uint64_t *floats) {
  return on(handle, [&](Trainer &trainer) {
    misuse_unless(rows && floats, "Cannot tell the size: no place to write to");
    const torch::Tensor state = trainer.carried();
    *rows = state.defined() ? uint64_t(state.size(0)) : 0;
    *floats = state.defined() ? uint64_t(state.numel()) : 0;
  });
}

int32_t rwkv_trainer_read_carried(rwkv_trainer *handle, float *out, size_t elements) {
  return on(handle, [&](Trainer &trainer) {
    const torch::Tensor state = trainer.carried();
    if (state.defined()) copy_out(state, out, elements);
  });
}

int32_t rwkv_trainer_put_carried(rwkv_trainer *handle, uint64_t rows, const float *data, size_t elements) {
  return on(handle, [&](Trainer &trainer) {
    misuse_unless(data || elements == 0, "Cannot put the state: no data");
    misuse_unless(rows == 0 ? elements == 0 : elements > 0 && elements % rows == 0,
                  "Cannot put the state: its rows are not of one length");
    const auto width = rows == 0 ? int64_t{0} : int64_t(elements / rows);
    const Shape shape{{int64_t(rows), width}, int64_t(elements)};
    trainer.put_carried(view_of(data, shape, torch::kFloat32));
  });
}
}
