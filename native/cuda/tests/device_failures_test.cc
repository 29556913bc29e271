// What a device does that is not there, is too small, or fails under way: a status and a sentence each time, and states that
// were exported before go on elsewhere. On a real device only what can be asked of it.
// Sources: none
#include "cuda_rig.h"

#include "../graphs.h"

namespace {

#ifndef __CUDACC__

bool says(const Engine &engine, const char *part) { return engine.sentence().find(part) != std::string::npos; }

void lost_under_way(const std::string &path) {
  const CpuEngine cpu(path);
  const State here = cpu.open();
  std::vector<uint8_t> blob;
  {
    const CudaEngine engine(path);
    const State state = engine.open();
    engine.feed(state, {1, 2, 3});
    blob = state.blob();
    CHECK(state.put({4, 5}) == RWKV_OK);
    emu::fail_call(7, cudaErrorLaunchFailure);
    CHECK(rwkv_engine_run(engine) == RWKV_DEVICE_LOST);
    CHECK(says(engine, "the CUDA device failed"));
    const State other = engine.open();
    CHECK(other.put({1}) == RWKV_OK);
    CHECK(rwkv_engine_run(engine) == RWKV_DEVICE_LOST); // and stays lost
    const State third = engine.open();
    CHECK(third.import(blob) == RWKV_DEVICE_LOST);
    CHECK(rwkv_state_reset(third) == RWKV_OK);
  }
  CHECK(here.import(blob) == RWKV_OK);
  emu::reset_device();
  const CudaEngine again(path);
  const State there = again.open();
  CHECK(there.import(blob) == RWKV_OK);
  again.feed(there, {4, 5}), cpu.feed(here, {4, 5});
  const auto memory = here.memory();
  CHECK(normalised_error(there.memory(), {memory.begin(), memory.end()}) < 1e-5);
}

// Whichever call of a load fails, the engine tells, and loads afterwards.
void failing_loads(const std::string &path) {
  const auto attempt = [&](cudaError_t error, int32_t wanted) {
    for (long call = 1;; call += call < 12 ? 1 : 7) {
      on_device("cuda");
      const size_t used = emu::device.memory_used, pinned = emu::device.pinned.size();
      emu::fail_call(call, error);
      const Engine engine(path);
      const bool failed = emu::device.calls >= emu::device.fault_at;
      emu::reset_device();
      if (!failed) {
        CHECK(engine.load_status == RWKV_OK);
        return;
      }
      CHECK(engine.load_status == wanted);
      CHECK(!engine.sentence().empty());
      CHECK(emu::device.memory_used == used && emu::device.pinned.size() == pinned);
      if (call < 12) CHECK(rwkv_engine_load(engine) == RWKV_OK);
    }
  };
  attempt(cudaErrorMemoryAllocation, RWKV_MEMORY);
  attempt(cudaErrorLaunchFailure, RWKV_DEVICE_LOST);
}

void too_small(const std::string &path) {
  on_device("cuda");
  const size_t whole = emu::device.properties.totalGlobalMem;
  for (const size_t room : {size_t{1000}, size_t{1} << 20, size_t{6} << 20}) { // weights, rows, states
    emu::device.properties.totalGlobalMem = emu::device.memory_used + room;
    const Engine engine(path, 200);
    CHECK(engine.load_status == RWKV_MEMORY);
    CHECK(says(engine, "out of memory"));
    emu::device.properties.totalGlobalMem = whole;
    CHECK(rwkv_engine_load(engine) == RWKV_OK);
  }
}

void absent(const std::string &path) {
  on_device("cuda");
  emu::device.devices = 0;
  const Engine engine(path);
  CHECK(engine.load_status == RWKV_NO_DEVICE);
  CHECK(says(engine, "there is no CUDA device"));
  emu::device.devices = 1;
  emu::fail_call(1, cudaErrorInsufficientDriver);
  CHECK(rwkv_engine_load(engine) == RWKV_NO_DEVICE);
  CHECK(rwkv_engine_load(engine) == RWKV_OK);
  on_device("cuda:1");
  const Engine second(path);
  CHECK(second.load_status == RWKV_NO_DEVICE);
  CHECK(says(second, "no CUDA device of that number"));
  emu::device.devices = 2;
  CHECK(rwkv_engine_load(second) == RWKV_OK);
  emu::device.devices = 1;
}

#endif

void other_generations() {
  const TemporaryFile six(bytes_of(tiny_rwkv6()));
  on_device("cuda");
  const Engine engine(six.path());
  CHECK(engine.load_status == RWKV_FORMAT);
  CHECK(engine.sentence().find("RWKV-6") != std::string::npos);
}

// Recorded and replayed, a step does what it does when launched; the tables it reads are those of now.
__global__ void add_tables(float *sum, const float *table) { *sum = *sum * 2 + *table; }

void graphs_replay() {
  rwkv::cuda::Device device;
  rwkv::cuda::Graphs graphs(device);
  const auto lock = device.use();
  OnDevice<float> sum(1), table(1);
  float wanted = 0;
  for (int i = 1; i < 90; ++i) {
    table.put({static_cast<float>(i)});
    const size_t shape = i < 10 ? 1 : static_cast<size_t>(i % 45); // more shapes than are kept, some more often
    graphs.run(shape, 2, [&] {
      LAUNCH(add_tables, 1, 1, 0, device.stream(), static_cast<float *>(sum), static_cast<const float *>(table));
    });
    device.wait("test");
    wanted = wanted * 2 + static_cast<float>(i);
    CHECK(sum.get()[0] == wanted);
    if (i == 9) CHECK(graphs.replays() == 8);
  }
}

} // namespace

int main() {
  graphs_replay();
  other_generations();
#ifndef __CUDACC__
  const TemporaryFile file(bytes_of(test_model()));
  lost_under_way(file.path());
  failing_loads(file.path());
  too_small(file.path());
  absent(file.path());
#endif
  return report("device_failures");
}
