// What a tower that is frozen says of pictures: computed once, kept on the disk by the hash of the file and the hash of
// the tower. Owns the files of the cache. Must not know towers, pixels or projectors.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { DataError } from "./errors.ts";
import { data_limits } from "./limits.ts";

/** Features of pictures BEFORE the projector, row by row. */
export interface FeatureSource extends AsyncDisposable {
  /** F: floats of one row. */
  readonly width: number;
  /** Rows of one picture; undefined when that depends on the picture (tiles). */
  readonly rows: number | undefined;
  /** Of everything that makes features what they are: tower, pooling, resizing. */
  readonly hash: string;
  /** Rejects with PictureFault when the bytes are no picture. `name` is for the message. */
  features(bytes: Uint8Array, name: string): Promise<Float32Array<ArrayBuffer>>;
}

/** A file that is no picture, or not there. The row it belongs to is passed over; every other error ends the run. */
export class PictureFault extends Error {
  override readonly name = "PictureFault";
}

export interface CacheOptions {
  /** Undefined: nothing is kept. */
  dir: string | undefined;
  /** What is over it is computed every time. */
  bytes_max?: number;
}

export interface CacheStats {
  computed: number;
  cached: number;
  bytes: number;
}

const magic = 0x31465447; // "GTF1"
const header_bytes = 16;

/**
 * Numbers are kept as float32, so that a run says the same with and without a cache, bit for bit. A file that is cut
 * short or of another width is made anew.
 */
export class FeatureCache {
  readonly stats: CacheStats = { computed: 0, cached: 0, bytes: 0 };
  readonly #source: FeatureSource;
  readonly #dir: string | undefined;
  readonly #bytes_max: number;

  private constructor(source: FeatureSource, dir: string | undefined, bytes_max: number) {
    this.#source = source;
    this.#dir = dir;
    this.#bytes_max = bytes_max;
  }

  static async open(
    source: FeatureSource,
    { dir, bytes_max = data_limits.cache_bytes_default }: CacheOptions,
  ): Promise<FeatureCache> {
    const folder = dir === undefined ? undefined : join(dir, source.hash);
    const cache = new FeatureCache(source, folder, bytes_max);
    if (folder !== undefined) {
      await Deno.mkdir(folder, { recursive: true }).catch((cause: Error) => {
        throw new DataError("data_unreadable", `Cannot keep features in "${folder}": ${cause.message}`, {
          cause,
        });
      });
      for await (const shelf of Deno.readDir(folder)) {
        if (!shelf.isDirectory) continue;
        for await (const { name } of Deno.readDir(join(folder, shelf.name))) {
          cache.stats.bytes += (await Deno.stat(join(folder, shelf.name, name))).size;
        }
      }
    }
    return cache;
  }

  get width(): number {
    return this.#source.width;
  }

  /** All rows of one picture. Rejects with PictureFault when the file is not there or is no picture. */
  async read(path: string): Promise<Float32Array<ArrayBuffer>> {
    const bytes = await readPicture(path);
    if (this.#dir === undefined) return await this.#compute(bytes, path);
    const hash = createHash("sha256").update(bytes).digest("hex");
    const shelf = join(this.#dir, hash.slice(0, 2));
    const place = join(shelf, hash);
    const kept = await this.#load(place);
    if (kept !== undefined) {
      this.stats.cached++;
      return kept;
    }
    const features = await this.#compute(bytes, path);
    const file_bytes = header_bytes + features.byteLength;
    if (this.stats.bytes + file_bytes <= this.#bytes_max) {
      await this.#store(shelf, place, features);
      this.stats.bytes += file_bytes;
    }
    return features;
  }

  async #compute(bytes: Uint8Array, path: string): Promise<Float32Array<ArrayBuffer>> {
    const features = await this.#source.features(bytes, path);
    this.stats.computed++;
    return features;
  }

  async #load(place: string): Promise<Float32Array<ArrayBuffer> | undefined> {
    let file: Uint8Array<ArrayBuffer>;
    try {
      file = await Deno.readFile(place);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
    const head = file.length >= header_bytes ? new DataView(file.buffer).getUint32(0, true) : 0;
    if (head !== magic) return undefined;
    const [, width, rows, check] = new Uint32Array(file.buffer, 0, 4);
    const body = file.subarray(header_bytes);
    if (width !== this.#source.width || body.length !== width * rows! * 4) return undefined;
    return checksum(body) === check ? new Float32Array(file.buffer, header_bytes) : undefined;
  }

  /** Beside its place first, so that a run that is killed leaves no half of a file. */
  async #store(shelf: string, place: string, features: Float32Array<ArrayBuffer>): Promise<void> {
    const { width } = this.#source;
    const body = new Uint8Array(features.buffer, features.byteOffset, features.byteLength);
    const file = new Uint8Array(header_bytes + body.length);
    new Uint32Array(file.buffer, 0, 4).set([magic, width, features.length / width, checksum(body)]);
    file.set(body, header_bytes);
    await Deno.mkdir(shelf, { recursive: true });
    const part = `${place}.${crypto.randomUUID()}.part`;
    await Deno.writeFile(part, file);
    await Deno.rename(part, place);
  }
}

async function readPicture(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const { size } = await Deno.stat(path);
    if (size > data_limits.picture_bytes_max) throw new Error(`it has ${size} bytes`);
    return await Deno.readFile(path);
  } catch (cause) {
    const why = cause instanceof Deno.errors.NotFound ? "not found" : (cause as Error).message;
    throw new PictureFault(`Cannot read picture "${path}": ${why}`, { cause });
  }
}

/** FNV-1a over 32-bit words: for disks, not for enemies. */
function checksum(body: Uint8Array<ArrayBuffer>): number {
  let sum = 0x811c9dc5;
  for (const word of new Uint32Array(body.buffer, body.byteOffset, body.length >> 2)) {
    sum = Math.imul(sum ^ word, 0x01000193);
  }
  return sum >>> 0;
}
