// A run as one file: values, both moments, the carried state, the step. Owns names and order of these files, that each is
// whole or not there, and that the last two stay. Must not know the trainer or stages.
import { join } from "node:path";
import { writeSafetensors } from "../model/import/safetensors_writer.ts";
import { readSafetensorsHeader, type TensorEntry } from "../model/safetensors.ts";
import { TrainError } from "./errors.ts";
import { train_limits } from "./limits.ts";
import type { TensorPart } from "./ports.ts";
import type { Settings } from "./settings.ts";

type Floats = Float32Array<ArrayBuffer>;

export interface CheckpointHead {
  /** Steps done. */
  step: number;
  /** Of these, steps that changed the parameters: what the optimizer's bias correction counts. */
  applies: number;
  /** Training time so far, all sessions together. */
  wall_s: number;
  settings: Settings;
}

export interface CheckpointTensor {
  name: string;
  dims: readonly number[];
  /** Never trained: it stands in a file of its own, written once. */
  frozen: boolean;
}

export interface CheckpointData extends CheckpointHead {
  tensors: readonly CheckpointTensor[];
  /** Called once per tensor and part, when its turn comes. */
  read(tensor: CheckpointTensor, part: TensorPart): Floats;
  carried: { rows: number; data: Floats } | undefined;
}

const format = "gander-train-1";
const frozen_name = "frozen.safetensors";
const trained_parts = ["value", "moment1", "moment2"] as const;
const name_pattern = /^checkpoint-(\d{9})\.safetensors$/;

function entryOf(name: string, shape: readonly number[], read: () => Floats) {
  const bytes = () => {
    const { buffer, byteOffset, byteLength } = read();
    return new Uint8Array(buffer, byteOffset, byteLength);
  };
  return {
    name,
    type: "f32" as const,
    shape,
    async *chunks() {
      yield bytes();
    },
  };
}

/** Once, before the first checkpoint of a run with frozen tensors. */
export async function writeFrozen(
  dir: string,
  data: Pick<CheckpointData, "tensors" | "read">,
): Promise<void> {
  const frozen = data.tensors.filter((tensor) => tensor.frozen);
  if (frozen.length === 0) return await Deno.remove(join(dir, frozen_name)).catch(() => {});
  await writeSafetensors(
    join(dir, frozen_name),
    frozen.map((tensor) => entryOf(`value/${tensor.name}`, tensor.dims, () => data.read(tensor, "value"))),
    { format },
  );
}

/** Beside first, flushed, then renamed: a process that dies at any moment leaves the one before. Removes older ones. */
export async function writeCheckpoint(dir: string, data: CheckpointData): Promise<string> {
  const { step, applies, wall_s, settings, carried } = data;
  const entries = data.tensors.filter(({ frozen }) => !frozen).flatMap((tensor) =>
    trained_parts.map((part) => entryOf(`${part}/${tensor.name}`, tensor.dims, () => data.read(tensor, part)))
  );
  if (carried) {
    const shape = [carried.rows, carried.data.length / carried.rows];
    entries.push(entryOf("carried", shape, () => carried.data));
  }
  const path = join(dir, `checkpoint-${String(step).padStart(9, "0")}.safetensors`);
  await writeSafetensors(path, entries, {
    format,
    step: String(step),
    applies: String(applies),
    wall_s: String(wall_s),
    settings: JSON.stringify(settings),
  });
  for (const { path: old } of (await listCheckpoints(dir)).slice(train_limits.checkpoints_kept)) {
    await Deno.remove(old);
  }
  return path;
}

/** Newest first. */
export async function listCheckpoints(dir: string): Promise<{ path: string; step: number }[]> {
  const found: { path: string; step: number }[] = [];
  for await (const { name, isFile } of Deno.readDir(dir)) {
    const step = name_pattern.exec(name)?.[1];
    if (isFile && step) found.push({ path: join(dir, name), step: Number(step) });
  }
  return found.sort((a, b) => b.step - a.step);
}

/** A checkpoint whose header was read. */
export class Checkpoint implements CheckpointHead {
  readonly #dir: string;
  readonly #places = new Map<string, { path: string; data_offset: number; entry: TensorEntry }>();
  readonly tensors: CheckpointTensor[] = [];
  readonly step: number;
  readonly applies: number;
  readonly wall_s: number;
  readonly settings: Settings;

  /** Only openCheckpoint calls this. */
  constructor(dir: string, metadata: ReadonlyMap<string, string>) {
    if (metadata.get("format") !== format) throw new Error(`it is no checkpoint of the format ${format}`);
    this.#dir = dir;
    this.step = Number(metadata.get("step"));
    this.applies = Number(metadata.get("applies"));
    this.wall_s = Number(metadata.get("wall_s"));
    this.settings = JSON.parse(metadata.get("settings") ?? "");
  }

  async add(path: string, frozen: boolean): Promise<void> {
    const { tensors, data_offset } = await readSafetensorsHeader(path);
    for (const [key, entry] of tensors) {
      this.#places.set(key, { path, data_offset, entry });
      if (key.startsWith("value/")) {
        this.tensors.push({ name: key.slice("value/".length), dims: entry.shape, frozen });
      }
    }
  }

  read(name: string, part: (typeof trained_parts)[number]): Promise<Floats> {
    return this.#read(`${part}/${name}`);
  }

  async carried(): Promise<{ rows: number; data: Floats } | undefined> {
    const place = this.#places.get("carried");
    return place && { rows: place.entry.shape[0]!, data: await this.#read("carried") };
  }

  async #read(key: string): Promise<Floats> {
    const place = this.#places.get(key);
    if (!place) throw new TrainError("checkpoint_damaged", `Cannot go on in "${this.#dir}": it lacks ${key}`);
    const bytes = new Uint8Array(place.entry.end - place.entry.start);
    using file = await Deno.open(place.path, { read: true });
    await file.seek(place.data_offset + place.entry.start, Deno.SeekMode.Start);
    for (let done = 0; done < bytes.length;) {
      const count = await file.read(bytes.subarray(done));
      if (count === null) {
        throw new TrainError("checkpoint_damaged", `Cannot read "${place.path}": it is cut short`);
      }
      done += count;
    }
    return new Float32Array(bytes.buffer);
  }
}

/** The newest that opens, or undefined where there is none. `complain` hears of those that do not. */
export async function openCheckpoint(
  dir: string,
  complain: (sentence: string) => void,
): Promise<Checkpoint | undefined> {
  const list = await listCheckpoints(dir);
  for (const { path } of list) {
    try {
      const checkpoint = new Checkpoint(dir, (await readSafetensorsHeader(path)).metadata);
      await checkpoint.add(path, false);
      const frozen = join(dir, frozen_name);
      if (await Deno.stat(frozen).then(() => true, () => false)) await checkpoint.add(frozen, true);
      return checkpoint;
    } catch (error) {
      complain(`Cannot use checkpoint "${path}": ${(error as Error).message}`);
    }
  }
  if (list.length === 0) return undefined;
  throw new TrainError(
    "checkpoint_damaged",
    `Cannot go on with the run in "${dir}": no checkpoint of it opens`,
  );
}
