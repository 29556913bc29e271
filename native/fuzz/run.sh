#!/bin/sh
# Builds the fuzz targets with clang and runs each on the corpus; keeps the smallest inputs that reach all that was
# reached.
#   run.sh [SECONDS_PER_TARGET] [TARGET...]
# Prints "N targets clean, M runs" and exits with 0; with 1 when an input broke something (it is kept in
# build-fuzz/broken), 77 when there is no clang. RWKV_CLANG: the compiler. RWKV_BUILD_JOBS: compilers at once.
set -eu

cd "$(dirname "$0")/.."
seconds=${1:-60}
[ $# -gt 0 ] && shift
targets=${*:-safetensors gguf state_blob abi_sequence}
clang=
for name in ${RWKV_CLANG:-clang++ clang++-19 clang++-18 clang++-17 clang++-16 clang++-15 clang++-14}; do
  if command -v "$name" > /dev/null; then clang=$name; break; fi
done
if [ -z "$clang" ]; then echo "skipped: there is no clang++, which libFuzzer comes with" >&2; exit 77; fi

build=build-fuzz
mkdir -p "$build"
log=$build/build.log
if ! { cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_COMPILER="$clang" -DRWKV_TESTS=OFF \
  -DRWKV_BENCH=OFF -DRWKV_FUZZ=ON -DRWKV_SANITIZE=address,undefined,fuzzer-no-link &&
  for program in $targets seeds; do
    cmake --build "$build" -j "${RWKV_BUILD_JOBS:-2}" --target "fuzz_$program"
  done; } > "$log" 2>&1; then
  echo "Cannot build the fuzz targets; the end of native/$log:" >&2
  tail -n 30 "$log" >&2
  exit 1
fi

# Kernels that the sanitizers see.
if [ "$(uname -m)" = x86_64 ]; then export RWKV_DEVICE="${RWKV_DEVICE:-cpu:avx2}"; fi
"$build/fuzz/fuzz_seeds" "$build/seeds"
clean=0 runs=0 all=0
for target in $targets; do
  all=$((all + 1))
  program=$build/fuzz/fuzz_$target work=$build/work/$target kept=fuzz/corpus/$target out=$build/$target.log
  mkdir -p "$work" "$kept" "$build/broken"
  failed=no
  "$program" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2500 -max_len=16384 -print_final_stats=1 \
    -artifact_prefix="$build/broken/$target-" "$work" "$kept" "$build/seeds/$target" > "$out" 2>&1 || failed=yes
  done_runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$out")
  runs=$((runs + ${done_runs:-0}))
  if [ "$failed" = yes ] || [ -z "$done_runs" ]; then
    echo "$target: broken; the end of native/$out:" >&2
    tail -n 40 "$out" >&2
    continue
  fi
  clean=$((clean + 1))
  # All seeds, and of what the merge keeps the smallest, up to a bound.
  fresh=$build/merged/$target
  rm -rf "$fresh" && mkdir -p "$fresh"
  "$program" -merge=1 -max_len=3072 "$fresh" "$kept" "$work" > "$build/$target.merge.log" 2>&1 || continue
  rm -rf "$kept" && mkdir -p "$kept"
  size=0
  for input in $(ls -Sr "$fresh"); do # the smallest first
    size=$((size + $(wc -c < "$fresh/$input")))
    [ "$size" -le 50000 ] || break
    cp "$fresh/$input" "$kept/$input"
  done
  for seed in "$build/seeds/$target"/*; do cp "$seed" "$kept/"; done
done
echo "$clean targets clean, $runs runs"
[ "$clean" = "$all" ]
