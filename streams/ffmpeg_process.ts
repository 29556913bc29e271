// The only place where a process is started: one ffmpeg through fluent-ffmpeg, behind an interface small enough to
// replace. Must not know what the bytes mean, retries, or sources.
import { fileURLToPath } from "node:url";
import { Readable, Writable } from "node:stream";
import ffmpeg from "fluent-ffmpeg";
import type { FfmpegArgs } from "./ffmpeg_args.ts";
import { source_limits } from "./limits.ts";

/** The script that starts ffmpeg: the one program that needs run permission. */
export const guard_path: string = fileURLToPath(new URL("./ffmpeg_guard.sh", import.meta.url));

export interface FfmpegExit {
  /** Exit status; undefined when killed by a signal or never started. */
  code: number | undefined;
  killed: boolean;
  /** The end of what it complained about. Not yet redacted. */
  stderr: string;
}

export interface FfmpegHooks {
  /** Bytes of standard output. The next ones are read when this resolves: the pipe is the backpressure. */
  onOutput(chunk: Uint8Array): void | Promise<void>;
  /** One line of standard error. */
  onLine?(line: string): void;
}

export interface FfmpegProcess {
  /** Resolves, never rejects, when the process is gone and its output was handed over. */
  readonly ended: Promise<FfmpegExit>;
  /** Undefined until started, and when it could not be started. */
  readonly pid: number | undefined;
  /** Bytes given to `write` that the process has not taken yet. */
  readonly backlog_bytes: number;
  /** Queues bytes for standard input; `taken` is called when the pipe has them. Ignored after the end. */
  write(bytes: Uint8Array, taken?: () => void): void;
  /** Ends standard input: the decoder delivers what it holds and exits. */
  closeInput(): void;
  /** At once and for sure. */
  kill(): void;
}

/** Standard input as a queue that knows exactly how much is still in it. */
class InputQueue extends Readable {
  #chunks: { bytes: Uint8Array; taken?: () => void }[] = [];
  #wanted = false;
  #closed = false;
  backlog_bytes = 0;

  constructor() {
    super({ highWaterMark: 1 });
  }

  override _read() {
    this.#wanted = true;
    this.#flush();
  }

  add(bytes: Uint8Array, taken?: () => void) {
    this.backlog_bytes += bytes.byteLength;
    this.#chunks.push({ bytes, taken });
    this.#flush();
  }

  close() {
    this.#closed = true;
    this.#flush();
  }

  #flush() {
    if (!this.#wanted) return;
    const next = this.#chunks.shift();
    if (next) {
      this.#wanted = false;
      this.backlog_bytes -= next.bytes.byteLength;
      this.push(next.bytes);
      next.taken?.();
    } else if (this.#closed) {
      this.#wanted = false;
      this.push(null);
    }
  }
}

interface Child {
  pid?: number;
  exitCode: number | null;
  signalCode: string | null;
}

/** Starts one ffmpeg. `args.address` undefined means that the caller writes its input. */
export function startFfmpeg(args: FfmpegArgs, hooks: FfmpegHooks): FfmpegProcess {
  const input = args.address === undefined ? new InputQueue() : undefined;
  const { promise: ended, resolve } = Promise.withResolvers<FfmpegExit>();
  let child: Child | undefined;
  let stderr = "";
  let kill_wanted = false;
  let settled = false;
  let hook_error: unknown;

  const drained = Promise.withResolvers<void>();
  // Without `close` events: fluent-ffmpeg answers them with a timer of its own and a second kill.
  const output = new Writable({
    emitClose: false,
    autoDestroy: false,
    write(chunk: Uint8Array, _encoding, done) {
      if (hook_error) return done();
      Promise.resolve().then(() => hooks.onOutput(chunk)).then(() => done(), (error) => {
        hook_error = error;
        kill();
        done();
      });
    },
    final(done) {
      drained.resolve();
      done();
    },
  });

  const command = ffmpeg({ stdoutLines: 20 });
  command.setFfmpegPath(guard_path);
  bend(command);
  command.input(input ?? args.address!).inputOptions(...pair(args.input_options));
  for (const { address, options } of args.outputs) {
    command.output(address ?? output).outputOptions(...pair(options));
  }
  if (args.outputs.every(({ address }) => address !== undefined)) drained.resolve();

  const settle = async (failure?: string) => {
    if (settled) return;
    settled = true;
    if (child) await drained.promise;
    input?.destroy();
    const code = child?.exitCode ?? undefined;
    if (failure !== undefined && !child?.pid) stderr = failure;
    if (hook_error) stderr += `\n${hook_error}`;
    resolve({ code, killed: child?.signalCode != null, stderr });
  };
  const kill = () => {
    kill_wanted = true;
    if (child && !settled) command.kill("SIGKILL");
  };
  command.on("start", () => {
    child = (command as unknown as { ffmpegProc: Child }).ffmpegProc;
    if (child.pid === undefined) drained.resolve();
    if (kill_wanted) kill();
  });
  command.on("stderr", (line: string) => {
    stderr = `${stderr}\n${line}`.slice(-source_limits.stderr_tail_chars);
    hooks.onLine?.(line);
  });
  command.on("end", () => void settle());
  command.on("error", (error: Error) => void settle(error.message));
  command.run();

  return {
    ended,
    get pid() {
      return child?.pid;
    },
    get backlog_bytes() {
      return input?.backlog_bytes ?? 0;
    },
    write: (bytes, taken) => settled ? undefined : input?.add(bytes, taken),
    closeInput: () => input?.close(),
    kill,
  };
}

type Ring = { get(): string };
type Ended = (error: Error | null, output: Ring, complaints: Ring) => void;
type Spawn = (args: string[], options: object, onProcess: unknown, onEnd: Ended) => void;

/** Three habits of fluent-ffmpeg 2.1.3 that a service cannot have. */
function bend(command: ffmpeg.FfmpegCommand) {
  const inner = command as unknown as { _spawnFfmpeg: Spawn };
  const spawn = inner._spawnFfmpeg;
  const nothing: Ring = { get: () => "" };
  Object.assign(command, {
    // It would start ffmpeg twice more to read its lists, which newer versions print in columns that its parser does
    // not know. Our argument list is fixed anyway.
    _checkCapabilities: (done: () => void) => done(),
    availableEncoders: (done: (error: null, encoders: object) => void) => done(null, {}),
    // When the program cannot be started it calls back without the rings that it then reads: an uncaught error.
    _spawnFfmpeg: (args: string[], options: object, onProcess: unknown, onEnd: Ended) => {
      spawn.call(command, args, options, onProcess, (error, output, complaints) => {
        onEnd(error, output ?? nothing, complaints ?? nothing);
      });
    },
  });
}

/** One positional argument would be split at a space; two or more are taken as they are. */
function pair(options: string[]): [string, string, ...string[]] {
  if (options.length < 2) throw new TypeError("an argument list has at least one option with its value");
  return options as [string, string, ...string[]];
}
