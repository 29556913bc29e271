#!/bin/sh
# For a machine with an NVIDIA GPU, nvcc and cmake, nothing else: builds the library with CUDA, runs the device tests there,
# runs them again under compute-sanitizer where it is installed, then the benchmark. Prints the figures as JSON lines.
#   gpu_check.sh [build folder]
# RWKV_CHECK_ARCH: the architecture to build for (default: native, the GPU that is here). RWKV_CHECK_SHAPES,
# RWKV_CHECK_FORMATS: of the benchmark, whose model files are made in the build folder, one at a time.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$here/build-cuda}
shapes=${RWKV_CHECK_SHAPES:-0.1b 0.4b 1.5b 2.9b}
formats=${RWKV_CHECK_FORMATS:-f16 bf16 q8 q4}
if ! command -v nvidia-smi > /dev/null || ! nvidia-smi -L > /dev/null 2>&1; then
  echo "Cannot check the device: there is no NVIDIA GPU here" >&2
  exit 77
fi

nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,clocks.max.mem --format=csv,noheader
cmake -S "$here" -B "$build" -DCMAKE_BUILD_TYPE=Release -DRWKV_CUDA=ON \
  -DCMAKE_CUDA_ARCHITECTURES="${RWKV_CHECK_ARCH:-native}"
cmake --build "$build" -j "$(getconf _NPROCESSORS_ONLN)"

failed=0
(cd "$build" && ctest -L cuda --output-on-failure) || failed=1
if command -v compute-sanitizer > /dev/null; then
  for tool in memcheck racecheck synccheck initcheck; do
    for test in "$build"/cuda/cuda_*_test; do
      echo "compute-sanitizer $tool $(basename "$test")"
      compute-sanitizer --tool "$tool" --error-exitcode 1 "$test" || failed=1
    done
  done
fi

bench=$(find "$build" -name rwkv_bench -type f -perm -u+x | head -n 1)
model=$build/gpu_check.gguf
trap 'rm -f "$model"' EXIT
for shape in $shapes; do
  for format in $formats; do
    echo "rwkv_bench $shape $format"
    { "$bench" write --shape "$shape" --format "$format" "$model" &&
      RWKV_DEVICE=cuda "$bench" measure --model "$model" --streams 1,8,64,256,960 --parts prefill,decode,batch,states
    } || failed=1
  done
done
exit "$failed"
