// log.jsonl of a run: one object a step, those behind the checkpoint cut off when the run goes on. Must not know what is
// in a record beyond its step.
import { join } from "node:path";
import { train_limits } from "./limits.ts";

export interface LogRecord {
  /** Steps done with this one. */
  step: number;
  loss?: number;
  /** Parts of the loss, by the trainer's names. */
  parts?: Record<string, number>;
  lr?: number;
  grad_norm?: number;
  tokens_per_s?: number;
  images_per_s?: number;
  /** Training time since the run began, all sessions together. */
  wall_s?: number;
  /** Why the step changed nothing. */
  skipped?: string;
  /** On data that is not trained on. */
  scores?: Record<string, number>;
}

export class RunLog implements Disposable {
  readonly #file: Deno.FsFile;

  private constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /** Keeps records up to `step`, which `onRecord` is told, and cuts off the rest. */
  static async open(dir: string, step: number, onRecord: (record: LogRecord) => void): Promise<RunLog> {
    const path = join(dir, "log.jsonl");
    const file = await Deno.open(path, { read: true, write: true, create: true });
    const { size } = await file.stat();
    if (size <= train_limits.log_bytes_max) await file.truncate(await keptBytes(path, step, onRecord));
    await file.seek(0, Deno.SeekMode.End);
    return new RunLog(file);
  }

  append(record: LogRecord): void {
    const bytes = new TextEncoder().encode(`${JSON.stringify(record)}\n`);
    for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
  }

  sync(): Promise<void> {
    return this.#file.syncData();
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** Bytes up to the first line that is broken or belongs to a later step. */
async function keptBytes(
  path: string,
  step: number,
  onRecord: (record: LogRecord) => void,
): Promise<number> {
  const bytes = await Deno.readFile(path);
  const decoder = new TextDecoder();
  let at = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0) break;
    let record: LogRecord;
    try {
      record = JSON.parse(decoder.decode(bytes.subarray(at, end)));
    } catch {
      break; // Cut by a crash: what follows cannot be older.
    }
    if (!(record.step <= step)) break;
    onRecord(record);
    at = end + 1;
  }
  return at;
}
