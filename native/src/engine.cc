#include "engine.h"

#include "failure.h"

#include <algorithm>
#include <cstring>

namespace rwkv {

struct Engine::StepClaim {
  StepClaim(Gate &of, const char *action) : gate(of) {
    if (!gate.begin_step()) fail(RWKV_BUSY, std::string("Cannot ") + action + ": a run is under way");
  }
  ~StepClaim() { gate.end_step(); }
  Gate &gate;
};

Engine::Engine(uint32_t device, uint32_t states_max, uint32_t threads)
    : device_(resolve_device(device)), states_max_(states_max), threads_(std::max(threads, 1u)) {}

void Engine::require_loaded(const char *action) const {
  if (!loaded_) fail(RWKV_MISUSE, std::string("Cannot ") + action + ": the engine is not loaded");
}

void Engine::put_path(std::string path) {
  const StepClaim claim(gate_, "put a path");
  if (loaded_) fail(RWKV_MISUSE, "Cannot put a path: the engine is loaded");
  path_ = std::move(path);
}

void Engine::set_format(std::optional<Format> format) {
  const StepClaim claim(gate_, "set a format");
  if (loaded_) fail(RWKV_MISUSE, "Cannot set a format: the engine is loaded");
  format_ = format;
}

void Engine::load() {
  const StepClaim claim(gate_, "load");
  if (loaded_) fail(RWKV_MISUSE, "Cannot load: the engine is loaded");
  // Everything is made aside and moved in at the end: a failure leaves the engine as it was.
  auto model = make_model(device_, path_, format_);
  try {
    const size_t stride = whole_lines(model->shape().state_floats), last_stride = whole_lines(model->shape().width);
    size_t floats = 0;
    if (__builtin_mul_overflow(stride, size_t{states_max_}, &floats)) throw std::bad_alloc();
    StateBlock memory(model->memory(), floats);
    Floats lasts(last_stride * states_max_);
    auto slots = std::make_unique<Slot[]>(states_max_);
    auto stepper = std::make_unique<Stepper>(*model, states_max_, threads_);
    std::vector<Slot *> free, open, stepped;
    free.reserve(states_max_), open.reserve(states_max_), stepped.reserve(states_max_);
    for (uint32_t index = states_max_; index-- > 0;) {
      slots[index].engine = this;
      slots[index].memory = memory.data() + index * stride;
      slots[index].last = lasts.data() + index * last_stride;
      free.push_back(&slots[index]);
    }
    model_ = std::move(model), memory_ = std::move(memory), lasts_ = std::move(lasts);
    slots_ = std::move(slots), stepper_ = std::move(stepper);
    free_ = std::move(free), open_ = std::move(open), stepped_ = std::move(stepped);
  } catch (const std::bad_alloc &) {
    fail(RWKV_MEMORY, "Cannot allocate " + std::to_string(states_max_) + " states: out of memory");
  }
  loaded_ = true;
}

void Engine::run() {
  require_loaded("run");
  const StepClaim claim(gate_, "run");
  {
    const auto lock = gate_.table();
    stepped_.assign(open_.begin(), open_.end()); // within its reserve
  }
  std::lock_guard workers(workers_mutex_);
  const auto done = stepper_->run(stepped_);
  tokens_ += done.positions;
  if (done.worked) ++runs_;
}

const Model &Engine::model() const {
  require_loaded("tell sizes");
  return *model_;
}

uint64_t Engine::info(uint32_t key) const {
  switch (key) {
    case RWKV_INFO_DEVICE: return device_.device;
    case RWKV_INFO_VERSION: return shape().version;
    case RWKV_INFO_WIDTH: return shape().width;
    case RWKV_INFO_LAYERS: return shape().layers;
    case RWKV_INFO_VOCAB: return shape().vocab;
    case RWKV_INFO_STATE_BYTES: return SlotLayout(shape()).floats() * sizeof(float);
    case RWKV_INFO_BLOB_BYTES: return blob_bytes(shape(), BlobKind::f32);
    case RWKV_INFO_BLOB_HALF_BYTES: return blob_bytes(shape(), BlobKind::f16);
    case RWKV_INFO_TARGET: return shape().target;
    case RWKV_INFO_WEIGHT_BYTES: return shape().weight_bytes;
    case RWKV_INFO_STATES_MAX: return states_max_;
    case RWKV_INFO_STATES_OPEN: return states_open_;
    case RWKV_INFO_RUNS: return runs_;
    case RWKV_INFO_TOKENS: return tokens_;
    default: fail(RWKV_MISUSE, "Cannot tell info " + std::to_string(key) + ": there is no such key");
  }
}

Slot &Engine::take_slot(bool is_fork) {
  if (free_.empty()) {
    fail(RWKV_FULL, "Cannot open a state: all " + std::to_string(states_max_) + " slots are taken");
  }
  Slot &slot = *free_.back();
  free_.pop_back();
  slot.serial = ++serial_;
  slot.is_fork = is_fork;
  slot.open = true;
  open_.push_back(&slot);
  ++holders_, ++states_open_;
  return slot;
}

Slot &Engine::new_state() {
  require_loaded("open a state");
  const auto lock = gate_.table();
  Slot &slot = take_slot(false); // its memory was zeroed at load or when the slot was closed
  return slot;
}

void Engine::require_tick_edge(Slot &slot, const char *action) const {
  if (const uint64_t pending = slot.pending()) {
    fail(RWKV_BUSY, std::string("Cannot ") + action + " the state: " + std::to_string(pending) +
                        " positions are still queued");
  }
}

Slot &Engine::fork(Slot &parent) {
  const auto gate = gate_.between_steps();
  std::lock_guard lock(parent.mutex);
  require_tick_edge(parent, "fork");
  Slot &slot = take_slot(true);
  model_->memory().copy(slot.memory, parent.memory, state_floats());
  std::copy_n(parent.last, model_->shape().width, slot.last);
  slot.sampler = parent.sampler;
  slot.stops = parent.stops;
  slot.fed = parent.fed;
  return slot;
}

void Engine::reset(Slot &slot) {
  const auto gate = gate_.between_steps();
  std::lock_guard lock(slot.mutex);
  slot.clear();
  clear_memory(slot);
}

void Engine::clear_memory(Slot &slot) const {
  model_->memory().zero(slot.memory, state_floats());
  std::fill_n(slot.last, model_->shape().width, 0.0f);
}

void Engine::close(Slot &slot) {
  {
    const auto gate = gate_.between_steps();
    std::lock_guard lock(slot.mutex);
    if (!slot.open) return;
    slot.clear();
    slot.outbox = {};
    slot.sampler = {}, slot.stops = {}, slot.keep = {};
    clear_memory(slot);
    slot.open = false;
    open_.erase(std::find(open_.begin(), open_.end(), &slot));
    free_.push_back(&slot);
    --states_open_;
  }
  release();
}

// A step waits for one copy: the order of the blob and its checksum come when the gate is open again.
void Engine::export_state(Slot &slot, BlobKind kind, std::span<uint8_t> out) {
  const size_t floats = state_floats();
  StateCopy state{std::vector<float>(SlotLayout(shape()).floats()), 0};
  {
    const auto gate = gate_.between_steps();
    std::lock_guard lock(slot.mutex);
    require_tick_edge(slot, "export");
    model_->memory().read(state.floats.data(), slot.memory, floats);
    std::copy_n(slot.last, shape().width, state.floats.data() + floats);
    state.fed = slot.fed;
  }
  write_blob(out.data(), shape(), kind, state);
}

void Engine::import_state(Slot &slot, std::span<const uint8_t> blob) {
  const StateCopy state = read_blob(blob, shape());
  const size_t floats = state_floats();
  const auto gate = gate_.between_steps();
  std::lock_guard lock(slot.mutex);
  require_tick_edge(slot, "import into");
  model_->memory().write(slot.memory, state.floats.data(), floats);
  std::copy_n(state.floats.data() + floats, shape().width, slot.last);
  slot.fed = state.fed;
}

void Engine::read_logits(Slot &slot, std::span<float> out) const {
  if (shape().vocab == 0) {
    fail(RWKV_MISUSE, "Cannot read logits: the weights have no \"emb.weight\" and \"head.weight\"");
  }
  std::vector<float> newest(model_->shape().width);
  {
    std::lock_guard lock(slot.mutex);
    if (slot.fed == 0) fail(RWKV_MISUSE, "Cannot read logits: nothing was fed yet");
    std::copy_n(slot.last, newest.size(), newest.begin());
  }
  const std::unique_lock workers(workers_mutex_, std::try_to_lock); // a step under way needs them more
  model_->logits(newest.data(), 1, out.data(), workers ? stepper_->team() : Team());
}

void Engine::close() {
  gate_.between_steps(); // waits out a step
  release();
}

void Engine::release() {
  if (--holders_ == 0) delete this;
}

void Engine::set_sentence(std::string_view sentence) noexcept {
  std::lock_guard lock(sentence_mutex_);
  size_t bytes = std::min(sentence.size(), sizeof sentence_);
  // Never half a character: step back over continuation bytes.
  while (bytes < sentence.size() && bytes > 0 && (static_cast<uint8_t>(sentence[bytes]) & 0xc0) == 0x80) --bytes;
  std::memcpy(sentence_, sentence.data(), bytes);
  sentence_bytes_ = bytes;
}

size_t Engine::copy_sentence(std::span<uint8_t> out) const {
  std::lock_guard lock(sentence_mutex_);
  std::copy_n(sentence_, std::min(out.size(), sentence_bytes_), out.data());
  return sentence_bytes_;
}

} // namespace rwkv
