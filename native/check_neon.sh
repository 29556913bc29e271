#!/bin/sh
# The NEON products and row ops without an ARM machine: the library and its tests are cross-compiled for aarch64 and run
# by an emulator of it. There "neon" is the target that the library picks by itself, which products_test proves.
# Needs aarch64-linux-gnu-g++, qemu-aarch64-static and cmake; without them it prints why and exits 77.
#   check_neon.sh [FOLDER]   FOLDER: of the build, else native/build-neon
# RWKV_BUILD_JOBS: compilers at once, else one per processor.
set -eu

for tool in aarch64-linux-gnu-g++ qemu-aarch64-static cmake; do
  command -v "$tool" > /dev/null || { echo "skipped: no $tool"; exit 77; }
done

cd "$(dirname "$0")"
folder=${1:-build-neon}
tests="tiles_test products_test ops_test model_test laws_test"
passed=0 failed=0

# kind, more compiler options: aarch64 as it always is, and with its dot product of bytes.
for kind in base dot; do
  if [ "$kind" = dot ]; then options=-march=armv8.2-a+dotprod; else options=; fi
  mkdir -p "$folder/$kind"
  log=$folder/$kind/build.log
  # shellcheck disable=SC2086 # the names of tests are words
  if ! {
    cmake -S . -B "$folder/$kind" -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
      -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++ -DCMAKE_CXX_FLAGS="$options" -DCMAKE_EXE_LINKER_FLAGS=-static &&
      cmake --build "$folder/$kind" --target $tests -j "${RWKV_BUILD_JOBS:-$(getconf _NPROCESSORS_ONLN)}"
  } > "$log" 2>&1; then
    echo "Cannot build native for aarch64 ($kind); the end of $log:" >&2
    tail -n 30 "$log" >&2
    exit 1
  fi
  for test in $tests; do
    arguments=
    case $test in
      products_test) arguments="neon short" ;;
      laws_test)
        # Whole models, slow in emulation: once is enough, with the kernels that differ.
        if [ "$kind" = base ]; then continue; fi
        arguments=neon ;;
    esac
    # shellcheck disable=SC2086 # none or two arguments
    if qemu-aarch64-static "$folder/$kind/$test" $arguments > "$folder/$kind/$test.log" 2>&1; then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
      echo "$kind $test:" >&2
      tail -n 20 "$folder/$kind/$test.log" >&2
    fi
  done
done
echo "native neon: $passed passed, $failed failed"
[ "$failed" = 0 ]
