#!/bin/sh
# Configures and builds the native library; prints nothing unless it fails. Needs a C++20 compiler and cmake.
#   build.sh [release|asan|tsan|emulated] [--test|--bench]
# release → native/build/librwkv.so; asan and tsan → native/build-asan, native/build-tsan, under sanitizers;
# emulated → native/build-emulated, with device "cuda" run by the emulation, whose tests are those of the kernels alone.
# --test also builds and runs the native tests and prints a summary; --bench also builds bench/ (native/build/rwkv_bench).
# Does nothing when nothing changed.
# RWKV_BUILD_JOBS: compilers at once, else one per processor.
set -eu

cd "$(dirname "$0")"
kind=release
test=no
bench=no
for argument in "$@"; do
  case "$argument" in
    release | asan | tsan | emulated) kind=$argument ;;
    --test) test=yes ;;
    --bench) bench=yes ;;
    *) echo "Cannot build \"$argument\": use build.sh [release|asan|tsan|emulated] [--test|--bench]" >&2; exit 2 ;;
  esac
done

options=
sources="CMakeLists.txt rwkv.map build.sh include src tests bench fuzz"
case "$kind" in
  release) folder=build sanitize= ;;
  asan) folder=build-asan sanitize=address,undefined ;;
  tsan) folder=build-tsan sanitize=thread ;;
  emulated) folder=build-emulated sanitize= options="-DRWKV_CUDA=EMULATED -DRWKV_BENCH=OFF"
    sources="$sources cuda train/cuda train/wkv.cc train/wkv.h" ;;
esac
if [ "$test" = yes ]; then target=all stamp=$folder/.built-all
elif [ "$bench" = yes ]; then target=rwkv_bench stamp=$folder/.built-bench
else target=rwkv stamp=$folder/.built-rwkv; fi

# A new or deleted file changes the time of its folder, so this sees everything.
# shellcheck disable=SC2086
if [ ! -f "$stamp" ] || [ -n "$(find $sources -newer "$stamp" -print -quit)" ]; then
  mkdir -p "$folder"
  log=$folder/build.log
  build() {
    touch "$folder/.started"
    cmake -S . -B "$folder" -DCMAKE_BUILD_TYPE=Release -DRWKV_SANITIZE="$sanitize" $options &&
      cmake --build "$folder" --target "$target" -j "${RWKV_BUILD_JOBS:-$(getconf _NPROCESSORS_ONLN)}" &&
      mv "$folder/.started" "$stamp"
  }
  # One build at a time in a folder, where the machine has flock.
  if command -v flock > /dev/null; then exec 9> "$folder/.lock" && flock 9; fi
  if ! build > "$log" 2>&1; then
    echo "Cannot build native ($kind); the end of native/$log:" >&2
    grep -E 'error|Error' "$log" | head -n 20 >&2 || true
    tail -n 30 "$log" >&2
    exit 1
  fi
fi

if [ "$test" = yes ]; then
  log=$folder/test.log
  if (cd "$folder" && ctest --output-on-failure) > "$log" 2>&1; then failed=0; else failed=1; fi
  if [ "$failed" = 1 ]; then tail -n 60 "$log" >&2; fi
  sed -n 's/^.*tests passed, \([0-9]*\) tests failed out of \([0-9]*\).*$/\1 \2/p' "$log" | {
    read -r bad all || { echo "Cannot run the native tests; see native/$log" >&2; exit 1; }
    echo "native $kind: $((all - bad)) passed, $bad failed"
  }
  exit "$failed"
fi
