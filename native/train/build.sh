#!/bin/sh
# Configures and builds the trainer library; prints nothing unless it fails. Needs what native/build.sh needs, and libtorch.
#   build.sh [release|asan] [--test]
# release → native/train/build/librwkv_train.so; asan → native/train/build-asan, under sanitizers.
# --test also builds and runs its tests and prints a summary. Does nothing when nothing changed.
# Exit status 3: this machine has no libtorch. RWKV_BUILD_JOBS: compilers at once, else one per processor.
set -eu

cd "$(dirname "$0")"
kind=release
test=no
for argument in "$@"; do
  case "$argument" in
    release | asan) kind=$argument ;;
    --test) test=yes ;;
    *) echo "Cannot build \"$argument\": use build.sh [release|asan] [--test]" >&2; exit 2 ;;
  esac
done

case "$kind" in
  release) folder=build sanitize= ;;
  asan) folder=build-asan sanitize=address,undefined ;;
esac
if [ "$test" = yes ]; then target=all stamp=$folder/.built-all; else target=rwkv_train stamp=$folder/.built-rwkv_train; fi

# A new or deleted file changes the time of its folder, so this sees everything.
if [ ! -f "$stamp" ] ||
  [ -n "$(find . ../tests/tiny_model.h ../tests/check.h -path "./build*" ! -path ./build.sh -prune -o -newer "$stamp" ! -path . -print -quit)" ]; then
  mkdir -p "$folder"
  # What is built here is nothing to keep.
  echo '*' > "$folder/.gitignore"
  log=$folder/build.log
  configure() { cmake -S . -B "$folder" -DCMAKE_BUILD_TYPE=Release -DRWKV_SANITIZE="$sanitize"; }
  build() {
    touch "$folder/.started"
    configure && cmake --build "$folder" --target "$target" -j "${RWKV_BUILD_JOBS:-$(getconf _NPROCESSORS_ONLN)}" &&
      mv "$folder/.started" "$stamp"
  }
  # One build at a time in a folder, where the machine has flock.
  if command -v flock > /dev/null; then exec 9> "$folder/.lock" && flock 9; fi
  if ! build > "$log" 2>&1; then
    if grep -q 'TorchConfig.cmake' "$log"; then
      echo "Cannot build the trainer: libtorch is not installed (Debian: apt-get install libtorch-dev libopenblas0-pthread)" >&2
      exit 3
    fi
    echo "Cannot build the trainer ($kind); the end of native/train/$log:" >&2
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
    read -r bad all || { echo "Cannot run the trainer's tests; see native/train/$log" >&2; exit 1; }
    echo "trainer $kind: $((all - bad)) passed, $bad failed"
  }
  exit "$failed"
fi
