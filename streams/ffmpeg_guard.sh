#!/bin/sh
# Starts ffmpeg so that it cannot outlive the process that asked for it, not even after kill -9 of that process
# while the input is stalled. Clears the environment (a no_proxy in it would bypass the address gate) and bounds
# memory. GANDER_FFMPEG names the program; without it, ffmpeg of PATH runs.
program=${GANDER_FFMPEG:-ffmpeg}
parent=$PPID

ulimit -c 0 2>/dev/null
# 4 GiB of address space, in KiB: a 4K stream takes under one, a decompression bomb would take all.
ulimit -v 4194304 2>/dev/null

if setpriv --pdeathsig KILL true 2>/dev/null; then
  # The kernel kills ffmpeg when the thread that started it ends: the main thread, or a worker that was stopped.
  # The inner shell looks once more, because the parent may have died before the signal was armed.
  exec env -i PATH="$PATH" LC_ALL=C setpriv --pdeathsig KILL \
    sh -c '[ "$PPID" = "$0" ] || exit 1; exec "$@"' "$parent" "$program" "$@"
fi

# Without setpriv of util-linux: a watcher that looks once a second. It watches this shell too, because that is
# what gets killed on a normal stop.
exec 3<&0
env -i PATH="$PATH" LC_ALL=C "$program" "$@" <&3 3<&- &
child=$!
guard=$$
(
  exec </dev/null >/dev/null 2>&1 3<&-
  while kill -0 "$parent" && kill -0 "$guard" && kill -0 "$child"; do sleep 1; done
  kill -9 "$child"
) &
exec 3<&-
wait "$child"
