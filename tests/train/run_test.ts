// Laws of the run, on a trainer that is a few lines of arithmetic.
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { join } from "node:path";
import { listCheckpoints } from "../../src/train/checkpoint.ts";
import { readSafetensorsHeader } from "../../src/model/safetensors.ts";
import type { NamedTensor } from "../../src/train/ports.ts";
import { runStage } from "../../src/train/run.ts";
import type { RunOptions, Stage } from "../../src/train/stage.ts";
import { PlainTrainer } from "./plain_trainer.ts";

let dir: string;

const one = (value: number): NamedTensor => ({ dims: [1], data: Float32Array.of(value) });

function stageOf(more: Partial<Stage> = {}): Stage {
  return {
    name: "plain",
    kind: "language",
    parameters: () => Promise.resolve(new Map([["b", one(3)], ["a", one(-2)]])),
    groupOf: () => ({ lr_scale: 1, weight_decay: 0.01 }),
    numbers: { carry: 1 },
    batch: (micro_step) =>
      Promise.resolve({
        tokens: { dims: [1, 3], data: Int32Array.of(1, 2, -2) },
        targets: { dims: [1, 1], data: Float32Array.of(Math.sin(micro_step)) },
      }),
    ...more,
  };
}

function optionsOf(more: Partial<RunOptions> = {}): RunOptions {
  return {
    ...{
      steps: 30,
      accumulate: 2,
      lrOf: (step) => 0.1 / (1 + step),
      beta1: 0.9,
      beta2: 0.99,
      eps: 1e-8,
      clip: 1,
    },
    ...{ out_dir: dir, checkpoint_every_steps: 7, validate_every_steps: 0, save_every_steps: 0 },
    ...more,
  };
}

const calm = { signal: new AbortController().signal, say: { line: () => {} } };
const values = (trainer: PlainTrainer) => ["a", "b"].map((name) => trainer.readTensor(name, 1)[0]);
const logOf = async (folder: string) =>
  (await Deno.readTextFile(join(folder, "log.jsonl"))).trimEnd().split("\n").map((line) => JSON.parse(line));

describe("runStage", () => {
  beforeEach(async () => {
    dir = await Deno.makeTempDir({ prefix: "gander-run-" });
  });
  afterEach(async () => {
    await Deno.remove(dir, { recursive: true });
  });

  it("does every step once, at its rate, and keeps the last two checkpoints", async () => {
    const trainer = new PlainTrainer();
    expect(await runStage(stageOf(), trainer, optionsOf(), calm)).toEqual({ step: 30, finished: true });
    expect(trainer.rates).toEqual(Array.from({ length: 30 }, (_, step) => 0.1 / (1 + step)));
    expect((await listCheckpoints(dir)).map(({ step }) => step)).toEqual([30, 28]);
    const log = await logOf(dir);
    expect(log.map(({ step }) => step)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    expect(log[0]).toMatchObject({ lr: 0.1, step: 1 });
    expect(log[0].loss).toBeGreaterThan(1);
    expect(log[0].tokens_per_s).toBeGreaterThan(0);
    expect(log[29].loss).toBeLessThan(log[0].loss);
    // Two micro-steps add up; norm and epsilon are those of their mean.
    expect(trainer.numbers.get("clip")).toBe(2);
    expect(trainer.numbers.get("eps")).toBe(2e-8);
  });

  it("goes on bit for bit after it was stopped anywhere", async () => {
    const whole = new PlainTrainer();
    await runStage(stageOf(), whole, optionsOf({ out_dir: join(dir, "whole") }), calm);
    let trainer = new PlainTrainer();
    for (const stop_after of [1, 9, 21, 99]) {
      trainer = new PlainTrainer();
      const stop = new AbortController();
      const stage = stageOf({
        batch: (micro_step) => {
          if (micro_step >= 2 * stop_after) stop.abort();
          return stageOf().batch(micro_step);
        },
      });
      await runStage(stage, trainer, optionsOf(), { ...calm, signal: stop.signal });
    }
    expect(values(trainer)).toEqual(values(whole));
    expect(trainer.carried).toEqual(whole.carried);
    const [pieced, at_once] = [await logOf(dir), await logOf(join(dir, "whole"))];
    expect(pieced.map(({ step, loss, lr }) => [step, loss, lr])).toEqual(
      at_once.map(({ step, loss, lr }) => [step, loss, lr]),
    );
  });

  it("goes back to the checkpoint when the process died behind it, and the log with it", async () => {
    const whole = new PlainTrainer();
    await runStage(stageOf(), whole, optionsOf({ out_dir: join(dir, "whole") }), calm);
    const broken = stageOf({
      batch: (micro_step) =>
        micro_step < 40 ? stageOf().batch(micro_step) : Promise.reject(new Error("died")),
    });
    await expect(runStage(broken, new PlainTrainer(), optionsOf(), calm)).rejects.toThrow("died");
    expect((await listCheckpoints(dir))[0]!.step).toBe(14);
    await Deno.writeTextFile(join(dir, "log.jsonl"), '{"step":20,"lo', { append: true });
    await Deno.writeTextFile(join(dir, "checkpoint-000000021.safetensors.part"), "half");
    const trainer = new PlainTrainer();
    await runStage(stageOf(), trainer, optionsOf(), calm);
    expect(values(trainer)).toEqual(values(whole));
    expect((await logOf(dir)).map(({ step }) => step)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    expect([...Deno.readDirSync(dir)].some(({ name }) => name.endsWith(".part"))).toBe(false);
  });

  it("takes the checkpoint before when the newest does not open", async () => {
    await runStage(stageOf(), new PlainTrainer(), optionsOf(), calm);
    const [newest] = await listCheckpoints(dir);
    await Deno.truncate(newest!.path, 100);
    const lines: string[] = [];
    const trainer = new PlainTrainer();
    await runStage(stageOf(), trainer, optionsOf(), { ...calm, say: { line: (text) => lines.push(text) } });
    expect(trainer.rates.length).toBe(2);
    expect(lines[0]).toContain(newest!.path);
    for (const { path } of await listCheckpoints(dir)) await Deno.truncate(path, 100);
    await expect(runStage(stageOf(), new PlainTrainer(), optionsOf(), calm)).rejects.toThrow(
      "no checkpoint of it opens",
    );
  });

  it("refuses a run with other settings, and names them", async () => {
    await runStage(stageOf({ settings: { seed: 1 } }), new PlainTrainer(), optionsOf(), calm);
    const again = (stage: Stage, options = optionsOf()) => runStage(stage, new PlainTrainer(), options, calm);
    await expect(again(stageOf({ settings: { seed: 2 } }))).rejects.toThrow("seed was 1, now it is 2");
    await expect(again(stageOf({ settings: { seed: 1 } }), optionsOf({ beta2: 0.95 }))).rejects.toThrow(
      "beta2 was 0.99, now it is 0.95",
    );
    await expect(again(stageOf({ settings: { seed: 1 } }), optionsOf({ lrOf: () => 0.1 }))).rejects.toThrow(
      "learning rate at step 3 was 0.025, now it is 0.1",
    );
    const frozen = stageOf({ settings: { seed: 1 }, groupOf: () => ({ lr_scale: 0, weight_decay: 0 }) });
    await expect(again(frozen)).rejects.toThrow("groups was");
    expect(await again(stageOf({ settings: { seed: 1 } }))).toEqual({ step: 30, finished: true });
  });

  it("skips steps whose loss is no number, begins the state anew, and ends when they do not stop", async () => {
    const stage = (bad: (step: number) => boolean) =>
      stageOf({
        batch: async (micro_step) => {
          const batch = await stageOf().batch(micro_step);
          if (bad(micro_step)) batch.targets!.data[0] = NaN;
          return batch;
        },
      });
    const trainer = new PlainTrainer();
    await runStage(stage((micro_step) => micro_step === 10 || micro_step === 21), trainer, optionsOf(), calm);
    expect(trainer.rates.length).toBe(28);
    expect(values(trainer).every(Number.isFinite)).toBe(true);
    const skipped = (await logOf(dir)).filter((record) => record.skipped);
    expect(skipped.map(({ step }) => step)).toEqual([6, 11]);
    const options = optionsOf({ out_dir: join(dir, "bad") });
    await expect(runStage(stage((micro_step) => micro_step > 20), new PlainTrainer(), options, calm)).rejects
      .toThrow(
        "8 steps in a row up to 18 changed nothing",
      );
  });

  it("hands the values over, asks for scores, and puts the state back behind them", async () => {
    const plain = new PlainTrainer(), asked = new PlainTrainer();
    await runStage(stageOf(), plain, optionsOf({ out_dir: join(dir, "plain") }), calm);
    const saved: [number, number[]][] = [];
    const stage = stageOf({
      validate: async (evaluate) => {
        const { loss } = await evaluate(await stageOf().batch(5), ["loss"]);
        return { held_out: loss!.data[0]! };
      },
    });
    const options = optionsOf({
      validate_every_steps: 20,
      save_every_steps: 12,
      onSave: (step, parameters) => {
        saved.push([step, [...parameters.values()].map(({ data }) => data[0]!)]);
        return Promise.resolve();
      },
    });
    await runStage(stage, asked, options, calm);
    expect(values(asked)).toEqual(values(plain));
    expect(saved.map(([step]) => step)).toEqual([12, 24, 30]);
    expect(saved[2]![1]).toEqual(values(asked));
    const scored = (await logOf(dir)).filter(({ scores }) => scores);
    expect(scored.map(({ step }) => step)).toEqual([20, 30]);
    expect(Number.isFinite(scored[0].scores.held_out)).toBe(true);
  });

  it("writes frozen tensors once and leaves them as they are", async () => {
    const stage = stageOf({ groupOf: (name) => ({ lr_scale: name === "a" ? 0 : 1, weight_decay: 0 }) });
    const stop = new AbortController();
    const cut = {
      ...stage,
      batch: (micro_step: number) => {
        if (micro_step === 20) stop.abort();
        return stage.batch(micro_step);
      },
    };
    const trainer = new PlainTrainer();
    const options = optionsOf({ checkpoint_every_steps: 3 });
    expect((await runStage(cut, trainer, options, { ...calm, signal: stop.signal })).finished).toBe(false);
    const again = new PlainTrainer();
    await runStage(stage, again, options, calm);
    expect(values(again)[0]).toBe(-2);
    expect(values(again)[1]).not.toBe(values(trainer)[1]);
    const [newest] = await listCheckpoints(dir);
    expect([...(await readSafetensorsHeader(newest!.path)).tensors.keys()].sort()).toEqual(
      ["carried", "moment1/b", "moment2/b", "value/b"],
    );
    const { tensors } = await readSafetensorsHeader(join(dir, "frozen.safetensors"));
    expect([...tensors.keys()]).toEqual(["value/a"]);
  });

  it("keeps a folder to itself", async () => {
    let inner: Promise<unknown> | undefined;
    const stage = stageOf({
      parameters: () => {
        inner = runStage(stageOf(), new PlainTrainer(), optionsOf(), calm).catch((error) => error.message);
        return stageOf().parameters();
      },
    });
    await runStage(stage, new PlainTrainer(), optionsOf(), calm);
    expect(await inner).toBe(`Cannot train into "${dir}": another process does`);
  });

  it("writes a page that needs nothing but itself", async () => {
    const stage = stageOf({ name: "a </script><b>" });
    await runStage(stage, new PlainTrainer(), optionsOf(), calm);
    const page = await Deno.readTextFile(join(dir, "loss.html"));
    expect(page).not.toMatch(/https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
    expect(page.match(/<\/script>/g)).toHaveLength(1);
    expect(page).not.toContain("http-equiv");
    const [, json] = /const run = (\{.*?\});\n/s.exec(page)!;
    const run = JSON.parse(json!);
    expect(run.points).toHaveLength(30);
    expect(run.points[29].step).toBe(30);
  });
});
