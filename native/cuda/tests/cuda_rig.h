// Engines on device "cuda" and on the CPU's plain kernels, and a model small enough for the emulation.
#pragma once

#include "../../tests/rig.h"
#include "on_device.h"

#include <cstdlib>

inline constexpr size_t vocab = 300, width = 128;

inline const char *on_device(const char *name) {
  setenv("RWKV_DEVICE", name, 1); // the rig opens what it says
  return name;
}

struct CudaEngine : private std::string, public Engine {
  explicit CudaEngine(const std::string &path) : std::string(on_device("cuda")), Engine(path) {
    CHECK(load_status == RWKV_OK);
    if (load_status != RWKV_OK) std::fprintf(stderr, "%s\n", sentence().c_str());
  }
};
struct CpuEngine : private std::string, public Engine {
  explicit CpuEngine(const std::string &path) : std::string(on_device("cpu:plain")), Engine(path) {
    CHECK(load_status == RWKV_OK);
  }
};

inline Tensors test_model() {
  auto spec = rwkv7_spec(width);
  spec["emb.weight"].shape = spec["head.weight"].shape = {vocab, width};
  spec["head.weight"].scale = .4;
  return generate(spec);
}

// Matrices that a file holds in a narrow type.
inline bool is_large(const std::string &name) {
  return name.ends_with(".weight") && name.find("ln") == std::string::npos;
}
