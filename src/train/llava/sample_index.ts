// Where every sample of a data file lies, so that any of them can be read at any time while none is in memory: 16 bytes a
// sample. Bad rows are found when the file is opened, reported with their place, counted and left out.
// Must not know tokens or pixels.
import { isAbsolute, join, normalize } from "node:path";
import { DataError } from "./errors.ts";
import { type JsonElement, listKind, readElements } from "./json_elements.ts";
import { data_limits } from "./limits.ts";
import { type ReadRow, readRow, type RowOptions, type Sample } from "./row.ts";

export interface SampleIndexOptions extends RowOptions {
  /** Root of the picture paths; undefined: rows with pictures are bad rows. */
  image_folder: string | undefined;
  /** Bad rows as they are found, the first hundred: `data.json: element 12 (line 40): it has no answer`. */
  onProblem?: (line: string) => void;
}

export interface DataReport {
  rows: number;
  samples: number;
  /** Rows that are left out. */
  bad_rows: number;
  /** Rounds without an answer in rows that are not. */
  dropped_rounds: number;
  /** Pictures of the sample that has most. */
  images_most: number;
  /** The first hundred. */
  problems: string[];
}

/** A path below the folder, or undefined when it leads out of it. Links inside the folder are followed: data sets have them. */
export function imagePath(folder: string, path: string): string | undefined {
  const inside = normalize(path);
  if (isAbsolute(inside) || inside === ".." || /^\.\.[/\\]/.test(inside) || inside.includes("\0")) {
    return undefined;
  }
  return join(folder, inside);
}

export class SampleIndex implements Disposable {
  readonly report: DataReport = {
    rows: 0,
    samples: 0,
    bad_rows: 0,
    dropped_rounds: 0,
    images_most: 0,
    problems: [],
  };
  readonly #file: Deno.FsFile;
  #offsets = new Float64Array(1024);
  #lengths = new Uint32Array(1024);
  /** Which of the samples of the row. */
  #pieces = new Uint32Array(1024);

  private constructor(readonly path: string, readonly options: SampleIndexOptions, file: Deno.FsFile) {
    this.#file = file;
  }

  /** Reads the whole file once. Throws DataError when it is no data file or no row is good. */
  static async open(path: string, options: SampleIndexOptions): Promise<SampleIndex> {
    const elements = readElements(path);
    const first = await elements.next(); // refuses a path that cannot be opened
    const index = new SampleIndex(path, options, await Deno.open(path, { read: true }));
    try {
      if (!first.done) index.#add(first.value);
      for await (const element of elements) index.#add(element);
      const { rows, samples, problems } = index.report;
      if (samples === 0) {
        const why = problems.length > 0 ? `; the first: ${problems[0]}` : "";
        throw new DataError(
          "data_invalid",
          `Cannot train on "${path}": none of its ${rows} rows is good${why}`,
        );
      }
      return index;
    } catch (error) {
      index[Symbol.dispose]();
      throw error;
    }
  }

  get count(): number {
    return this.report.samples;
  }

  /** Synchronous: one row is a few kB, and the system has it in memory more often than not. */
  read(number: number): Sample {
    if (!(number >= 0 && number < this.count)) throw new RangeError(`There is no sample ${number}`);
    const bytes = new Uint8Array(this.#lengths[number]!);
    this.#file.seekSync(this.#offsets[number]!, Deno.SeekMode.Start);
    for (let end = 0; end < bytes.length;) {
      const count = this.#file.readSync(bytes.subarray(end));
      if (count === null) throw this.#changed();
      end += count;
    }
    const row = parseRow(bytes, this.options);
    const sample = typeof row === "string" ? undefined : row.samples[this.#pieces[number]!];
    if (sample === undefined) throw this.#changed();
    return sample;
  }

  /** Where a picture of a sample lies. */
  imagePath(image: string): string {
    return imagePath(this.options.image_folder!, image)!;
  }

  /** For bad rows, and for pictures that turn out to be unreadable. */
  tell(line: string): void {
    const { problems } = this.report;
    if (problems.length >= data_limits.problems_listed_max) return;
    problems.push(line);
    this.options.onProblem?.(line);
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }

  #add(element: JsonElement): void {
    const { report } = this;
    report.rows++;
    const row = element.bytes === undefined
      ? `it has ${element.length} bytes; ${data_limits.row_bytes_max} are read`
      : parseRow(element.bytes, this.options);
    const problem = typeof row === "string" ? row : this.#findMissing(row.samples.at(-1)!.images);
    if (problem !== undefined) {
      report.bad_rows++;
      const place = listKind(this.path) === "list"
        ? `element ${element.number} (line ${element.line})`
        : `line ${element.line}`;
      return this.tell(`${this.path}: ${place}: ${problem}`);
    }
    const { samples, dropped_rounds } = row as ReadRow;
    report.dropped_rounds += dropped_rounds;
    report.images_most = Math.max(report.images_most, samples.at(-1)!.images.length);
    for (const piece of samples.keys()) this.#put(element, piece);
  }

  #findMissing(images: readonly string[]): string | undefined {
    const { image_folder } = this.options;
    if (images.length === 0) return undefined;
    if (image_folder === undefined) return "it has a picture, and no --image_folder is given";
    for (const image of images) {
      const path = imagePath(image_folder, image);
      if (path === undefined) return `its picture "${image}" leads out of the image folder`;
      try {
        if (!Deno.statSync(path).isFile) return `its picture "${image}" is no file`;
      } catch (error) {
        return `its picture "${image}": ${
          error instanceof Deno.errors.NotFound ? "not found" : (error as Error).message
        }`;
      }
    }
    return undefined;
  }

  #put({ offset, length }: JsonElement, piece: number): void {
    const at = this.report.samples++;
    if (at >= data_limits.samples_max) {
      throw new DataError("data_invalid", `Cannot train on "${this.path}": it has over ${at} samples`);
    }
    if (at === this.#offsets.length) {
      const grown = <T extends Float64Array | Uint32Array>(to: T, from: T) => (to.set(from), to);
      this.#offsets = grown(new Float64Array(2 * at), this.#offsets);
      this.#lengths = grown(new Uint32Array(2 * at), this.#lengths);
      this.#pieces = grown(new Uint32Array(2 * at), this.#pieces);
    }
    this.#offsets[at] = offset;
    this.#lengths[at] = length;
    this.#pieces[at] = piece;
  }

  #changed(): DataError {
    return new DataError(
      "data_invalid",
      `Cannot read "${this.path}": it was changed while it was trained on`,
    );
  }
}

function parseRow(bytes: Uint8Array, options: RowOptions): ReadRow | string {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    return error instanceof SyntaxError ? `it is no JSON: ${error.message}` : "it is no UTF-8";
  }
  return readRow(value, options);
}
