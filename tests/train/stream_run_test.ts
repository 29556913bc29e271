// The stream stage on the real trainer: a tiny model learns when to be silent, alone and with a carried state.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { join } from "node:path";
import { openTrainer } from "../../ffi/mod.ts";
import { runStage } from "../../src/train/run.ts";
import { streamParameters } from "../../src/train/stream/beginning.ts";
import { stream_defaults, StreamStage, type StreamStageOptions } from "../../src/train/stream/stage.ts";
import { no_trainer, trainer_path } from "./built.ts";

const calm = { signal: new AbortController().signal, say: { line: () => {} } };

async function logOf(change: Partial<StreamStageOptions>): Promise<Record<string, number>[]> {
  const out_dir = await Deno.makeTempDir({ prefix: "gander-stream-" });
  const trainer = openTrainer({ library_path: trainer_path, kind: "language", device: "cpu", threads: 1 });
  try {
    const stage = new StreamStage({
      ...stream_defaults,
      ticks_max: 24,
      validation_rows: 2,
      parameters: () => Promise.resolve(streamParameters({ width: 64, layers: 2, seed: 1 })),
      ...change,
    });
    const end = await runStage(stage, trainer, {
      ...{ out_dir, steps: 24, accumulate: 1, lrOf: () => 4e-3, beta1: 0.9, beta2: 0.98, eps: 1e-8, clip: 1 },
      ...{ checkpoint_every_steps: 0, validate_every_steps: 12, save_every_steps: 0 },
    }, calm);
    expect(end).toEqual({ step: 24, finished: true });
    const text = await Deno.readTextFile(join(out_dir, "log.jsonl"));
    return text.trimEnd().split("\n").map((line) => JSON.parse(line));
  } finally {
    trainer.close();
    await Deno.remove(out_dir, { recursive: true });
  }
}

describe("a stream run", () => {
  for (const carried_segments of [0, 3]) {
    it.unless(
      no_trainer,
      `learns ${carried_segments > 0 ? "with a carried state" : "from rows"}, and validates`,
      async () => {
        const log = await logOf({ carried_segments, carried_positions: 128 });
        const losses = log.map(({ loss }) => loss).filter((loss) => loss !== undefined) as number[];
        expect(losses.length).toBe(24);
        // Nothing is known at first: ln 576 is 6.4.
        expect(losses[0]).toBeGreaterThan(5);
        expect(losses.slice(-4).every((loss) => loss < losses[0]! * 0.8)).toBe(true);
        expect(JSON.stringify(log)).toContain("silence_loss");
      },
    );
  }

  it.unless(no_trainer, "learns the same when it keeps less for the way back", async () => {
    const lossesOf = async (numbers: Record<string, number>) =>
      (await logOf({ numbers })).map(({ loss }) => loss).filter((loss) => loss !== undefined);
    const kept = await lossesOf({}), computed_again = await lossesOf({ grad_checkpoint: 1 });
    expect(computed_again.length).toBe(24);
    expect(computed_again).toEqual(kept);
  });
});
