#!/bin/sh
# Compiles every kernel file with nvcc for every architecture the library names; a warning is an error.
#   nvcc_check.sh [table.md]
# table.md gets registers, spills, stack and shared memory of every kernel on every architecture, as Markdown.
# Exit status 77 without nvcc: nothing was checked. RWKV_NVCC: which nvcc. RWKV_CHECK_JOBS: compilers at once.
set -eu

here=$(cd "$(dirname "$0")/.." && pwd)
table=${1:-}
nvcc=${RWKV_NVCC:-nvcc}
architectures="75 80 86 89 90 100 120"
if ! command -v "$nvcc" > /dev/null; then
  echo "Cannot check the kernels: there is no nvcc here" >&2
  exit 77
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
codes=
for architecture in $architectures; do codes="$codes -gencode arch=compute_$architecture,code=sm_$architecture"; done
failed=0
for source in "$here"/cuda/*.cu "$here"/cuda/*.cc "$here"/train/cuda/*.cu; do
  [ -f "$source" ] || continue
  name=${source#"$here"/}
  # As the builds do: the library fuses products and sums only where the source says so, the trainer everywhere.
  case "$name" in cuda/*) fused=--fmad=false ;; *) fused=--fmad=true ;; esac
  log=$work/$(echo "$name" | tr / _).log
  # shellcheck disable=SC2086
  if "$nvcc" -std=c++20 -O3 -Werror all-warnings -Xcompiler -Wall,-Wextra,-fPIC -Xptxas -v --threads "${RWKV_CHECK_JOBS:-2}" \
    "$fused" $codes -I "$here/include" -x cu -c "$source" -o "$work/out.o" > "$log" 2>&1; then
    echo "$name: compiles for sm_$(echo $architectures | sed 's/ /, sm_/g')"
  else
    grep -v '^ptxas info' "$log" >&2 || true
    echo "$name: does not compile" >&2
    failed=1
  fi
done

if [ -n "$table" ] && [ "$failed" = 0 ]; then
  {
    echo "| file | kernel | sm | registers | spill stores, bytes | stack, bytes | static shared, bytes |"
    echo "| --- | --- | --- | --- | --- | --- | --- |"
    for source in "$here"/cuda/*.cu "$here"/train/cuda/*.cu; do
      [ -f "$source" ] || continue
      name=${source#"$here"/}
      # Names are read by c++filt where the machine has it; the anonymous namespace's hash is of no interest.
      { if command -v cu++filt > /dev/null; then cu++filt; elif command -v c++filt > /dev/null; then c++filt; else cat; fi; } \
        < "$work/$(echo "$name" | tr / _).log" | awk -v file="$name" '
        /Compiling entry function/ {
          line = $0
          sub(/.*entry function ./, "", line)
          architecture = line; sub(/.*for .sm_/, "", architecture); sub(/[^0-9].*/, "", architecture)
          sub(/. for .sm_.*/, "", line)
          gsub(/\(anonymous namespace\)::/, "", line); sub(/^void /, "", line)
          kernel = line; sub(/\(.*/, "", kernel)
        }
        /bytes stack frame/ { stack = $1; spill = $5 }
        /Used [0-9]+ registers/ {
          registers = $0; sub(/.*Used /, "", registers); sub(/ .*/, "", registers)
          shared = 0
          if ($0 ~ /bytes smem/) { shared = $0; sub(/ bytes smem.*/, "", shared); sub(/.* /, "", shared) }
          printf "| %s | %s | %s | %s | %s | %s | %s |\n", file, kernel, architecture, registers, spill, stack, shared
        }' | LC_ALL=C sort
    done
  } > "$table"
  echo "Figures: $table"
fi
exit "$failed"
