// The stages of VisualRWKV on the toy set, from files to a bundle that answers: what a person would do, small.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openTrainer } from "../../ffi/trainer.ts";
import { openTrainLibrary } from "../../ffi/train_library.ts";
import { describe as describePictures } from "../../src/cli/describe.ts";
import { openCheckpoint } from "../../src/model/import/open_checkpoint.ts";
import { readTensor } from "../../src/train/llava/memory_checkpoint.ts";
import { trainFinetune, trainPretrain, type VisualTrainPorts } from "../../src/train/llava/train_visual.ts";
import { decodePicture } from "../../streams/mod.ts";
import { toy_data, toy_images, type ToyFiles, writeToy } from "./toy_visual.ts";

const library_path = fileURLToPath(new URL("../../native/train/build/librwkv_train.so", import.meta.url));
const missing = existsSync(library_path) ? undefined : "the trainer library is not built: it needs libtorch";
// Never closed, because libtorch does not survive that: opened before a test could count it as its own leak.
if (!missing) openTrainLibrary(library_path);
const engine_path = fileURLToPath(new URL("../../native/build/librwkv.so", import.meta.url));

async function withToy(body: (files: ToyFiles, dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "gander-toy-" });
  try {
    await body(await writeToy(dir), dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function portsOf(lines: string[], signal = new AbortController().signal): VisualTrainPorts {
  return {
    openTrainer: (options) => openTrainer({ library_path, ...options }),
    decodePicture,
    signal,
    say: { line: (line) => lines.push(line) },
  };
}

const wordsOf = ({ tower, vocabulary }: ToyFiles, proj_dir: string) => ({
  ...{ proj_dir, data_file: toy_data, image_folder: toy_images, val_file: toy_data, vision_tower_dir: tower },
  ...{
    tokenizer: vocabulary,
    ctx_len: "160",
    proj_type: "mlp",
    accelerator: "cpu",
    threads: "1",
    micro_bsz: "4",
  },
  ...{ vision_threads: "1", licence: "Apache-2.0" },
});

async function scoresOf(proj_dir: string): Promise<Record<string, number>[]> {
  const log = await Deno.readTextFile(join(proj_dir, "log.jsonl"));
  return log.trim().split("\n").map((line) => JSON.parse(line)).flatMap(({ scores }) => scores ?? []);
}

async function weightsOf(path: string): Promise<Map<string, Float32Array>> {
  await using checkpoint = await openCheckpoint([path]);
  const found = new Map<string, Float32Array>();
  for (const [name, tensor] of checkpoint.tensors) found.set(name, (await readTensor(tensor)).data);
  return found;
}

/** The first question of some samples, asked as everybody asks: what was learned is what is said. */
async function askBundle(bundle: string): Promise<void> {
  const rows = (await Deno.readTextFile(toy_data)).trim().split("\n").map((line) => JSON.parse(line));
  for (const { image, conversations: [asked, answer] } of [rows[0], rows[4], rows[8], rows[12]]) {
    const pictures = [image].flat().map((name: string) => join(toy_images, name));
    const question = asked.value.replaceAll("<image>", "").trim();
    let said = "";
    const io = { out: (text: string) => said += text, err() {}, stop: new AbortController().signal };
    const words = [...pictures, "--prompt", question, "--bundle", bundle, "--device", "cpu"];
    const compose = () => Promise.reject(new Error("no service takes part"));
    expect(await describePictures(words, io as Parameters<typeof describePictures>[1], compose)).toBe(0);
    expect(said.trim()).toBe(answer.value);
  }
}

describe("the stage finetune", () => {
  it.unless(missing, "learns every answer about the toy pictures", () =>
    withToy(async (files, dir) => {
      const lines: string[] = [];
      const proj_dir = join(dir, "out");
      const end = await trainFinetune({
        ...wordsOf(files, proj_dir),
        ...{ load_model: files.language, epoch_steps: "40", epoch_count: "6", epoch_save: "0" },
        ...{ lr_init: "3e-3", lr_final: "1e-4" },
      }, portsOf(lines));
      expect(end).toEqual({ step: 240, finished: true });
      const scores = await scoresOf(proj_dir);
      expect(scores[0]!.answers_right).toBeLessThan(0.5);
      expect(scores.at(-1)).toMatchObject({ tokens_right: 1, answers_right: 1 });
      expect(lines).toContain(
        `${toy_data}: 14 samples of 14 rows; 0 bad rows and 0 rounds without an answer left out`,
      );

      // Upstream's names; the embedding as it was, all else moved.
      const before = await weightsOf(files.language), after = await weightsOf(join(proj_dir, "rwkv-5.pth"));
      expect([...after.keys()].filter((name) => !name.startsWith("rwkv.")).sort()).toEqual([
        ...["proj.gate.weight", "proj.ln_v.bias", "proj.ln_v.weight", "proj.o_proj.weight"],
      ]);
      expect(after.get("rwkv.emb.weight")).toEqual(before.get("emb.weight"));
      expect(after.get("rwkv.head.weight")).not.toEqual(before.get("head.weight"));
      expect(after.get("rwkv.blocks.0.ln0.weight")).not.toEqual(before.get("blocks.0.ln0.weight"));
      const bundle = join(proj_dir, "bundle");
      if (existsSync(engine_path)) await askBundle(bundle);

      // The bundle is a beginning as good as the files: its projector comes out of the tower and goes in again.
      const again = join(dir, "again");
      const { vision_tower_dir: _, tokenizer: __, ...words } = wordsOf(files, again);
      const third: string[] = [];
      const steps = { epoch_steps: "1", lr_init: "1e-5", lr_final: "1e-5" };
      await trainFinetune({ ...words, model_path: bundle, ...steps }, portsOf(third));
      expect(third[0]).toBe("finetune: gander-finetune, RWKV-7, its gate_before projector");
      expect((await scoresOf(again))[0]).toMatchObject({ answers_right: 1 });
      const moved = await weightsOf(join(again, "rwkv-0.pth"));
      expect([...moved.keys()].sort()).toEqual([...after.keys()].sort());
      for (const [name, data] of moved) {
        const far = Math.max(...data.map((value, at) => Math.abs(value - after.get(name)![at]!)));
        expect([name, far <= 1.1e-5, far > 0]).toEqual([name, true, name !== "rwkv.emb.weight"]);
      }
      if (existsSync(engine_path)) await askBundle(join(again, "bundle"));
    }));
});

describe("the stage pretrain", () => {
  it.unless(
    missing,
    "moves the projector and nothing else, and goes on after it was stopped",
    () =>
      withToy(async (files, dir) => {
        const words = {
          ...{
            load_model: files.language,
            epoch_steps: "8",
            epoch_count: "1",
            lr_init: "1e-2",
            save_bundle: "0",
          },
          ...{ checkpoint_steps: "4" },
        };
        const whole = join(dir, "whole"), parted = join(dir, "parted");
        await trainPretrain({ ...wordsOf(files, whole), ...words }, portsOf([]));
        const after = await weightsOf(join(whole, "rwkv-0.pth"));
        for (const [name, data] of await weightsOf(files.language)) {
          expect(after.get(`rwkv.${name}`)).toEqual(data);
        }
        expect(after.get("proj.ln_v.weight")!.some((value) => value !== 1)).toBe(true);

        const stop = new AbortController();
        const ports = portsOf([], stop.signal);
        let steps = 0;
        const first = await trainPretrain({ ...wordsOf(files, parted), ...words }, {
          ...ports,
          openTrainer(options) {
            const trainer = ports.openTrainer(options);
            const apply = trainer.apply.bind(trainer);
            trainer.apply = () => (++steps === 3 && stop.abort(), apply());
            return trainer;
          },
        });
        expect(first).toEqual({ step: 3, finished: false });
        const lines: string[] = [];
        await trainPretrain({ ...wordsOf(files, parted), ...words }, portsOf(lines));
        expect(lines).toContain("going on after step 3 of 8");
        expect(await weightsOf(join(parted, "rwkv-0.pth"))).toEqual(after);

        const nothing = trainPretrain({ ...wordsOf(files, dir), ...words, freeze_proj: "1" }, portsOf([]));
        await expect(nothing).rejects.toThrow("everything is frozen");

        // What stage 1 leaves, stage 2 begins with.
        const second: string[] = [];
        await trainFinetune({
          ...wordsOf(files, join(dir, "second")),
          ...{
            model_path: join(whole, "rwkv-0.pth"),
            epoch_steps: "1",
            lr_init: "1e-9",
            lr_final: "1e-9",
            save_bundle: "0",
          },
        }, portsOf(second));
        expect(second[0]).toBe("finetune: VisualRWKV v7.01, RWKV-7, its gate_before projector");
        const [begun] = await scoresOf(join(dir, "second")), [left] = (await scoresOf(whole)).slice(-1);
        expect(begun!.loss).toBeCloseTo(left!.loss!, 4);
      }),
  );
});
