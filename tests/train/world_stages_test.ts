// The stages that make the demo model, in small: a tower of the world, a tower of anybody's pictures, a narrator that sees
// through the first, and the bundle of both. By the commands themselves, with square art.
import { expect } from "@std/expect";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { openTrainer } from "../../ffi/mod.ts";
import { watchVideo } from "../../src/cli/train_video.ts";
import { readBundle } from "../../src/model/bundle.ts";
import { trainStream } from "../../src/train/stream/command.ts";
import { loadTensors } from "../../src/train/tensor_files.ts";
import { trainTower } from "../../src/train/tower/command.ts";
import { decodePicture } from "../../streams/mod.ts";
import { writeSquareArt } from "../support/square_art.ts";
import { no_trainer, trainer_path } from "./built.ts";

const toy = new URL("./data/", import.meta.url).pathname;
let folder: string;

function ports() {
  return {
    signal: new AbortController().signal,
    say: { line: () => {} },
    ...{ decodePicture, watchVideo },
    openTrainer: (options: Omit<Parameters<typeof openTrainer>[0], "library_path">) =>
      openTrainer({ library_path: trainer_path, ...options }),
    prepareArt: () => Promise.resolve({ art_dir: join(folder, "art") }),
  };
}

async function lossesOf(out_dir: string): Promise<number[]> {
  const text = await Deno.readTextFile(join(out_dir, "log.jsonl"));
  return text.trimEnd().split("\n").map((line) => JSON.parse(line).loss);
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("the stages of the demo model", { sanitizeOps: false, sanitizeResources: false }, () => {
  beforeAll(() => {
    folder = Deno.makeTempDirSync({ prefix: "gander-stages-" });
    writeSquareArt(join(folder, "art"));
  });
  afterAll(() => Deno.removeSync(folder, { recursive: true }));

  it.unless(no_trainer, "go from nothing to a bundle", async () => {
    const tower_dir = join(folder, "tower"), stream_dir = join(folder, "stream");
    const small = { micro_bsz: "8", epoch_count: "1", validate_steps: "1000" };
    const tower = await trainTower(
      { ...small, proj_dir: tower_dir, epoch_steps: "100", warmup_steps: "5", side_px: "32" },
      ports(),
    );
    expect(tower).toEqual({ step: 100, finished: true });
    const losses = await lossesOf(tower_dir);
    expect(mean(losses.slice(-10))).toBeLessThan(0.95 * mean(losses.slice(0, 5)));

    const words = {
      ...{
        ...small,
        micro_bsz: "2",
        proj_dir: stream_dir,
        epoch_steps: "30",
        warmup_steps: "2",
        lr_init: "4e-3",
      },
      ...{ tower: join(tower_dir, "tower.safetensors"), side_px: "32", real_share: "0.5" },
      ...{ n_layer: "2", n_embd: "64", ticks_min: "8", ticks_max: "12", name: "small-pond" },
    };
    expect(await trainStream(words, ports())).toEqual({ step: 30, finished: true });
    const said = await lossesOf(stream_dir);
    expect(mean(said.slice(-3))).toBeLessThan(0.9 * said[0]!);

    const { manifest } = await readBundle(join(stream_dir, "bundle"));
    expect([manifest.name, manifest.trained, manifest.vision?.views]).toEqual([
      "small-pond",
      true,
      "before_and_now",
    ]);
    // Weights go into the next run as they are.
    const again = await trainStream({
      ...words,
      proj_dir: join(folder, "again"),
      epoch_steps: "1",
      lr_init: "0",
      lr_final: "0",
      load_model: join(stream_dir, "stream.pth"),
      save_bundle: "0",
    }, ports());
    expect(again.finished).toBe(true);
    const [before, after] = await Promise.all(
      [stream_dir, join(folder, "again")].map((dir) => loadTensors(join(dir, "stream.pth"))),
    );
    expect([...after!].map(([name, { data }]) => [name, data])).toEqual(
      [...after!.keys()].map((name) => [name, before!.get(name)!.data]),
    );
  });

  it.unless(no_trainer, "take pictures with captions for a tower", async () => {
    const proj_dir = join(folder, "captions");
    const end = await trainTower({
      ...{ proj_dir, data_file: join(toy, "toy.jsonl"), image_folder: join(toy, "toy"), side_px: "32" },
      ...{ micro_bsz: "6", warmup_steps: "2", epoch_steps: "30", epoch_count: "1", validate_steps: "1000" },
    }, ports());
    expect(end).toEqual({ step: 30, finished: true });
    const losses = await lossesOf(proj_dir);
    expect(mean(losses.slice(-5))).toBeLessThan(mean(losses.slice(0, 5)));
  });

  it.unless(no_trainer, "refuse what cannot be, in a sentence", async () => {
    const refused = (words: Record<string, string>) => trainStream({ proj_dir: folder, ...words }, ports());
    await expect(refused({ real_share: "0.5" })).rejects.toThrow("--tower is missing");
    await expect(refused({ ticks_min: "soon" })).rejects.toThrow('Cannot use --ticks_min "soon"');
    await expect(trainTower({ proj_dir: folder, side_px: "50" }, ports())).rejects.toThrow(
      "a multiple of 16",
    );
    await expect(trainTower({ proj_dir: folder, data_file: "none.json" }, ports())).rejects.toThrow(
      "none.json",
    );
  });
});
