// The real thing as a child process, started the way the launcher starts it: scoped permissions, no prompt. Owns
// start, output, kill -9 and the look for what it left behind. Must not know what a test asserts.
import { fileURLToPath } from "node:url";

export const root: string = fileURLToPath(new URL("../../", import.meta.url));

export interface GanderProcess {
  pid: number;
  /** Whole lines of standard output, in order, as they came. */
  lines: string[];
  /** Everything on standard error so far. */
  err(): string;
  /** Resolves when a line of standard error matches; rejects when the process ends first. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  kill(signal: Deno.Signal): void;
  ended: Promise<Deno.CommandStatus>;
}

/** Everything after `gander`. The launcher itself is tested in launcher_test.ts. */
export function startGander(
  words: readonly string[],
  environment: Record<string, string> = {},
): GanderProcess {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--cached-only", "--no-check", "--config", `${root}deno.json`],
      ...["--allow-net", "--allow-env", "--allow-read", "--allow-write", "--allow-sys"],
      `--allow-run=${root}streams/ffmpeg_guard.sh,ffmpeg`,
      `--allow-ffi=${root}native/build/librwkv.so,${root}node_modules`,
      ...[`${root}src/main.ts`, ...words],
    ],
    env: environment,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const lines: string[] = [];
  let err = "";
  const listeners = new Set<() => void>();
  const read = async (stream: ReadableStream<Uint8Array>, take: (text: string) => void) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      take(decoder.decode(chunk, { stream: true }));
      for (const listener of [...listeners]) listener();
    }
  };
  let rest = "";
  const output = read(child.stdout, (text) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    lines.push(...parts);
  });
  const errors = read(child.stderr, (text) => err += text);
  const ended = Promise.all([child.status, output, errors]).then(([status]) => {
    for (const listener of [...listeners]) listener();
    return status;
  });
  let over = false;
  void ended.then(() => over = true);
  return {
    pid: child.pid,
    lines,
    err: () => err,
    said: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(err);
          if (found) resolve(found);
          else if (over) reject(new Error(`gander ended without saying ${pattern}:\n${err}`));
          else return;
          listeners.delete(look);
        };
        listeners.add(look);
        void ended.then(look);
        look();
      }),
    kill: (signal) => child.kill(signal),
    ended,
  };
}

/** Processes whose parent is `pid`, and their descendants, by /proc. */
export function descendants(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const entry of Deno.readDirSync("/proc")) {
    const child = Number(entry.name);
    if (!Number.isInteger(child)) continue;
    try {
      const stat = Deno.readTextFileSync(`/proc/${child}/stat`);
      parents.set(child, Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
    } catch {
      // It ended while we looked.
    }
  }
  const found = [pid];
  for (let at = 0; at < found.length; at++) {
    for (const [child, parent] of parents) if (parent === found[at]) found.push(child);
  }
  return found.slice(1);
}

/** True while the process runs (a zombie does not). */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

/** Waits until `look` is truthy; rejects after `ms` with what was hoped for. */
export async function until<T>(
  look: () => T | Promise<T>,
  hoped: string,
  ms = 20_000,
): Promise<NonNullable<T>> {
  const end_ms = performance.now() + ms;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > end_ms) throw new Error(`${hoped}: not within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Runs gander to its end. */
export async function runGander(
  words: readonly string[],
  environment: Record<string, string> = {},
): Promise<{ code: number; lines: string[]; err: string }> {
  const gander = startGander(words, environment);
  const { code } = await gander.ended;
  return { code, lines: gander.lines, err: gander.err() };
}
