// The stage lm from text files to a bundle, and that a run which was stopped ends with the same bits.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openTrainer } from "../../ffi/trainer.ts";
import { openTrainLibrary } from "../../ffi/train_library.ts";
import { readBundle } from "../../src/model/bundle.ts";
import { trainLm } from "../../src/train/text/train_lm.ts";
import { byteVocabulary } from "../model/byte_vocabulary.ts";

const library_path = fileURLToPath(new URL("../../native/train/build/librwkv_train.so", import.meta.url));
const missing = existsSync(library_path) ? undefined : "the trainer library is not built: it needs libtorch";
if (!missing) openTrainLibrary(library_path); // it is never closed, and no test's leak

const rhyme = "one two three four five, once I caught a fish alive.\n";

async function scoresOf(proj_dir: string): Promise<{ loss: number; tokens_right: number }[]> {
  const log = await Deno.readTextFile(join(proj_dir, "log.jsonl"));
  return log.trim().split("\n").map((line) => JSON.parse(line)).flatMap(({ scores }) => scores ?? []);
}

describe("the stage lm", () => {
  it.unless(missing, "learns a text by heart from nothing, and goes on from its weights", async () => {
    const dir = await Deno.makeTempDir({ prefix: "gander-lm-" });
    try {
      const tokenizer = join(dir, "tokenizer.txt"),
        data_file = join(dir, "rhyme.jsonl"),
        proj_dir = join(dir, "out");
      await Deno.writeTextFile(tokenizer, byteVocabulary());
      await Deno.writeTextFile(data_file, `${JSON.stringify({ text: rhyme })}\n`.repeat(20));
      const lines: string[] = [];
      const ports = {
        openTrainer: (options: { kind: "language"; device: "auto" | "cpu" | "cuda"; threads: number }) =>
          openTrainer({ library_path, ...options }),
        signal: new AbortController().signal,
        say: { line: (line: string) => lines.push(line) },
      };
      const words = {
        ...{ tokenizer, data_file, val_file: data_file, val_samples: "4", accelerator: "cpu", threads: "1" },
        ...{ ctx_len: "64", micro_bsz: "4", lr_init: "4e-3", lr_final: "4e-4", licence: "Apache-2.0" },
      };
      const new_model = { n_layer: "2", n_embd: "64", dim_ffn: "128", epoch_steps: "60", epoch_count: "2" };
      const end = await trainLm({ ...words, ...new_model, proj_dir }, ports);
      expect(end).toEqual({ step: 120, finished: true });
      const scores = await scoresOf(proj_dir);
      expect(scores.length).toBe(2);
      expect(scores.at(-1)!.tokens_right).toBeGreaterThan(0.95);
      expect(lines[0]).toContain(`20 documents, ${20 * (rhyme.length + 1)} tokens; 0 bad rows`);
      expect((await Deno.stat(join(proj_dir, "rwkv-0.pth"))).isFile).toBe(true);

      // Sizes come from the file; another vocabulary than its own is refused.
      const again = join(dir, "again");
      const load_model = join(proj_dir, "rwkv-1.pth");
      await trainLm({
        ...words,
        load_model,
        proj_dir: again,
        epoch_steps: "1",
        lr_init: "1e-6",
        lr_final: "1e-6",
      }, ports);
      expect((await scoresOf(again))[0]!.loss).toBeCloseTo(scores.at(-1)!.loss, 2);
      // A bundle has its vocabulary with it.
      const { tokenizer: _, ...rest } = words;
      const third = {
        ...rest,
        load_model: join(proj_dir, "bundle"),
        proj_dir: join(dir, "third"),
        epoch_steps: "1",
      };
      await trainLm({ ...third, lr_init: "1e-6", lr_final: "1e-6", save_bundle: "0" }, ports);
      expect((await scoresOf(third.proj_dir))[0]!.loss).toBeCloseTo(scores.at(-1)!.loss, 2);
      const wrong = trainLm({ ...words, load_model, proj_dir: again, n_layer: "3" }, ports);
      await expect(wrong).rejects.toThrow("--n_layer is 3, the file has 2");

      const { manifest } = await readBundle(join(proj_dir, "bundle"));
      expect(manifest).toMatchObject({
        name: "gander-lm",
        vision: null,
        rwkv: { version: 7, layers: 2, width: 64 },
      });
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
});
