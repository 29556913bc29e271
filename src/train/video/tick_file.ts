// What a tower sees of one video, tick by tick, in a file: made once, read in parts for as long as a run lasts. Owns the form of
// those files. Must not know captions or models.
import { createHash } from "node:crypto";
import { join } from "node:path";

/** Frames as they come, and a tower that looks at them; the pipeline's and the vision's own. */
export interface VideoEyes {
  /** Frames that the tower wants. */
  frames: { width_px: number; height_px: number; fit: "stretch" | "crop"; rate_hz: number };
  /** K and F. */
  vectors: number;
  width: number;
  /** Of all that the vectors depend on, but the video. */
  hash: string;
  encode(rgb: Uint8Array, before?: Uint8Array): Promise<Float32Array>;
}

export interface WatchedFrame {
  rgb: Uint8Array;
  /** The service's gate for still frames would leave it out. */
  still: boolean;
}

/** Plays a file as the service does, every tick of it. Resolves to why it could not, as half a sentence. */
export type WatchVideo = (
  path: string,
  frames: VideoEyes["frames"],
  onFrame: (frame: WatchedFrame) => Promise<void>,
  signal: AbortSignal,
) => Promise<string | undefined>;

export class TickFile {
  readonly count: number;
  /** By tick; a still one need not be fed. */
  readonly still: readonly boolean[];
  readonly #path: string;
  /** Floats of one tick: 1 where it is still, and its vectors. */
  readonly #record: number;

  private constructor(path: string, record: number, bytes: number) {
    this.#path = path;
    this.#record = record;
    this.count = bytes / (4 * record);
    using file = Deno.openSync(path, { read: true });
    const flag = new Float32Array(1), bytes_of = new Uint8Array(flag.buffer);
    this.still = Array.from({ length: this.count }, (_, tick) => {
      file.seekSync(tick * 4 * record, Deno.SeekMode.Start);
      readWhole(file, bytes_of);
      return flag[0] === 1;
    });
  }

  /** Looks at the video unless that was done before. Resolves to a half sentence where it cannot be watched. */
  static async open(
    video: string,
    { eyes, watch, dir, signal }: { eyes: VideoEyes; watch: WatchVideo; dir: string; signal: AbortSignal },
  ): Promise<TickFile | string> {
    const { size, mtime } = await Deno.stat(video);
    const { frames, vectors, width } = eyes;
    const name = createHash("sha256")
      .update(JSON.stringify([eyes.hash, frames, await Deno.realPath(video), size, mtime?.getTime()]))
      .digest("hex").slice(0, 32);
    const path = join(dir, `${name}.ticks`), record = 1 + vectors * width;
    const there = await Deno.stat(path).catch(() => undefined);
    if (there) return new TickFile(path, record, there.size);
    await Deno.mkdir(dir, { recursive: true });
    const part = `${path}.part`;
    const failed = await writeTicks(part, video, { eyes, watch, signal });
    const { size: bytes } = await Deno.stat(part);
    if (failed !== undefined || bytes === 0) {
      await Deno.remove(part);
      return failed ?? "there is no picture in it";
    }
    await Deno.rename(part, path);
    return new TickFile(path, record, bytes);
  }

  /** Vectors of these ticks, one behind the other. */
  read(ticks: readonly number[]): Float32Array<ArrayBuffer> {
    const floats = this.#record - 1;
    const out = new Float32Array(ticks.length * floats);
    using file = Deno.openSync(this.#path, { read: true });
    ticks.forEach((tick, at) => {
      file.seekSync(4 * (tick * this.#record + 1), Deno.SeekMode.Start);
      readWhole(file, new Uint8Array(out.buffer, 4 * at * floats, 4 * floats));
    });
    return out;
  }
}

async function writeTicks(
  path: string,
  video: string,
  { eyes, watch, signal }: { eyes: VideoEyes; watch: WatchVideo; signal: AbortSignal },
): Promise<string | undefined> {
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  let before: Uint8Array | undefined;
  return await watch(video, eyes.frames, async ({ rgb, still }) => {
    // As the service: what moves is seen against the frame before, fed or not.
    const vectors = await eyes.encode(rgb, before);
    before = rgb;
    const record = Float32Array.of(still ? 1 : 0, ...vectors);
    const bytes = new Uint8Array(record.buffer);
    for (let end = 0; end < bytes.length;) end += await file.write(bytes.subarray(end));
  }, signal);
}

function readWhole(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let end = 0; end < bytes.length;) {
    const count = file.readSync(bytes.subarray(end));
    if (count === null) throw new RangeError("A file of ticks is cut short");
    end += count;
  }
}
