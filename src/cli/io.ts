// Where a command writes and what stops it. Standard output is for results alone; everything else goes to standard
// error, so that a pipe stays clean.
import { createLog, type Log } from "../log.ts";
import type { Config } from "../config.ts";

export interface Io {
  out(text: string): void;
  err(text: string): void;
  /** Aborts at the first SIGINT, SIGTERM or SIGHUP; the second ends the process at once. */
  readonly stop: AbortSignal;
}

const encoder = new TextEncoder();

function writeAll(file: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = encoder.encode(text);
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}

export function openIo(): Io {
  const stop = new AbortController();
  const onSignal = () => {
    if (stop.signal.aborted) Deno.exit(130);
    stop.abort();
  };
  // SIGHUP: the terminal was closed. Under nohup, too: Deno ends at it whatever it inherits.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) Deno.addSignalListener(signal, onSignal);
  return {
    out: (text) => {
      try {
        writeAll(Deno.stdout, text);
      } catch (error) {
        // The reader of the pipe went away (`gander watch … | head`): nothing is left to do.
        if (error instanceof Deno.errors.BrokenPipe) stop.abort();
        else throw error;
      }
    },
    err: (text) => {
      try {
        writeAll(Deno.stderr, text);
      } catch (error) {
        if (!stop.signal.aborted) throw error; // After SIGHUP the terminal is gone, and what is open must still close.
      }
    },
    stop: stop.signal,
  };
}

export function openLog(io: Io, config: Pick<Config, "log_level" | "log_format">): Log {
  return createLog({
    level: config.log_level,
    format: config.log_format,
    write: (line) => io.err(`${line}\n`),
    now_ms: Date.now,
  });
}
