import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { PictureFault } from "./features.ts";
import { SampleIndex } from "./sample_index.ts";
import { visualStage, type VisualStageOptions } from "./visual_stage.ts";

const talk = (id: number, image?: string) => ({
  id,
  ...image && { image },
  conversations: [
    { from: "human", value: `${image ? "<image>\n" : ""}q` },
    { from: "gpt", value: String.fromCharCode(97 + id) },
  ],
});

/** Bytes are ids; a picture is two vectors of its number, and "bad.png" is none. */
async function withStage(
  rows: unknown[],
  more: Partial<VisualStageOptions>,
  body: (stage: ReturnType<typeof visualStage>, told: string[], asked: string[]) => Promise<void>,
) {
  const dir = await Deno.makeTempDir({ prefix: "gander-stage-" });
  try {
    for (const name of ["a.png", "b.png", "bad.png"]) await Deno.writeTextFile(`${dir}/${name}`, "");
    await Deno.writeTextFile(`${dir}/x.jsonl`, rows.map((row) => JSON.stringify(row)).join("\n"));
    const told: string[] = [], asked: string[] = [];
    const options = { image_folder: dir, max_rounds: 9, images_min: 0, images_max: 9 } as const;
    using data = await SampleIndex.open(`${dir}/x.jsonl`, {
      ...options,
      onProblem: (line) => told.push(line),
    });
    const stage = visualStage({
      ...{ name: "finetune", model: { parameters: () => Promise.resolve(new Map()) }, data },
      features: {
        width: 1,
        read(path) {
          asked.push(path.slice(dir.length + 1));
          if (path.endsWith("bad.png")) {
            return Promise.reject(new PictureFault(`Cannot read picture "${path}"`));
          }
          return Promise.resolve(Float32Array.of(path.endsWith("a.png") ? 1 : 2, 7));
        },
      },
      encode: (text) => [...new TextEncoder().encode(text)],
      ...{
        validation: data,
        validation_samples: 9,
        ctx_len: 64,
        image_position: "many",
        pad_to_ctx_len: false,
      },
      ...{ micro_bsz: 2, begin_micro_steps: 0, numbers: { l2wrap: 0 }, settings: { a: 1 } },
      ...{ layers: 2, freeze_rwkv: 0, freeze_proj: false, weight_decay: 0 },
      ...more,
    });
    await body(stage, told, asked);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** The letters that a batch learns to answer. */
function answersOf(batch: Awaited<ReturnType<ReturnType<typeof visualStage>["batch"]>>): string {
  const { data, dims: [rows, length] } = batch.targets!;
  return Array.from({ length: rows! }, (_, row) => {
    const learned = data.subarray(row * length!, (row + 1) * length!).find((target) => target > 33);
    return String.fromCharCode(learned!);
  }).join("");
}

describe("visualStage()", () => {
  const rows = [talk(0, "a.png"), talk(1), talk(2, "bad.png"), talk(3, "b.png"), talk(4), talk(5, "a.png")];

  it("sees samples in the order of cubes, and the next one in the place of one whose picture is none", () =>
    withStage(rows, {}, async (stage, told, asked) => {
      // Prime 5 of 6: 0 1 3 2 4, then from the end 5 4 2 3 1; sample 2 becomes 3.
      const all = [];
      for (let micro_step = 0; micro_step < 5; micro_step++) {
        all.push(answersOf(await stage.batch(micro_step)));
      }
      expect(all).toEqual(["ab", "dd", "ef", "ed", "db"]);
      expect([...stage.passed_over]).toEqual([2]);
      expect(asked.filter((name) => name === "bad.png").length).toBe(1);
      expect(told).toEqual([
        expect.stringMatching(/x\.jsonl: sample "2": Cannot read picture ".*bad\.png"$/),
      ]);
      // Later, and asked for anew: the same.
      expect(answersOf(await stage.batch(1))).toBe("dd");
    }));

  it("puts the vectors of every picture where they belong, and pads to the longest or to all", () =>
    withStage(rows, { micro_bsz: 3 }, async (stage) => {
      const batch = await stage.batch(0);
      expect(batch.vectors).toEqual({ dims: [4, 1], data: Float32Array.of(1, 7, 2, 7) });
      expect(batch.tokens!.dims).toEqual([3, 26]);
      await withStage(rows, { pad_to_ctx_len: true }, async (padded) => {
        expect((await padded.batch(0)).tokens!.dims).toEqual([2, 64]);
      });
    }));

  it("begins later by as much as an earlier run saw", () =>
    withStage(rows, { begin_micro_steps: 2 }, async (stage) => {
      expect(answersOf(await stage.batch(0))).toBe("ef");
    }));

  it("passes over what has no answer within ctx_len, and gives up when nothing has", () =>
    withStage(rows, { ctx_len: 22 }, async (stage, told) => {
      // A picture takes three more positions: only words are left.
      expect(answersOf(await stage.batch(0))).toBe("bb");
      expect(told[0]).toContain('sample "0": no answer lies within 22 positions');
      await withStage(rows, { ctx_len: 9 }, async (short) => {
        await expect(short.batch(0)).rejects.toThrow("one sample after the other is passed over");
      });
    }));

  it("scores what can be read", () =>
    withStage(rows, {}, async (stage) => {
      const vocabulary = 128;
      const scores = await stage.validate!((batch) => {
        const targets = batch.targets!.data;
        const logits = new Float32Array(targets.length * vocabulary);
        // Says everything right but the letter "a".
        for (const [at, target] of targets.entries()) {
          if (target >= 0 && target !== 97) logits[at * vocabulary + target] = 1;
        }
        return Promise.resolve({
          loss: { dims: [], data: Float32Array.of(0.5) },
          logits: { dims: [], data: logits },
        });
      });
      // Five samples; blank, letter and two newlines each.
      expect(scores).toEqual({ loss: 0.5, tokens_right: 19 / 20, answers_right: 4 / 5 });
    }));
});
