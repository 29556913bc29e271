import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { tryBatches } from "./batch_trial.ts";

describe("tryBatches()", () => {
  it("batches when a batch saves a tenth", async () => {
    const trial = await tryBatches((frames) => Promise.resolve(frames === 1 ? 10 : 30), true);
    expect(trial).toMatchObject({ pays: true, single_ms: 10, batch_ms: 30 });
    expect(trial.finding).toBe("4 frames take 30.0 ms together, 40.0 ms one by one: batched");
  });

  it("does not batch when it saves less", async () => {
    const trial = await tryBatches((frames) => Promise.resolve(10 * frames - (frames - 1)), true);
    expect(trial.pays).toBe(false);
  });

  it("does not try slow towers, nor towers that take one frame", async () => {
    const runs: number[] = [];
    const run = (frames: number) => Promise.resolve((runs.push(frames), 2_400));
    expect((await tryBatches(run, true)).finding).toBe("not tried: one frame takes 2400 ms");
    expect((await tryBatches(run, false)).finding).toBe("the model takes one frame at a time");
    expect(runs).toEqual([1, 1, 1, 1]);
  });

  it("runs a tower that takes many seconds only once", async () => {
    const runs: number[] = [];
    const run = (frames: number) => Promise.resolve((runs.push(frames), 16_000));
    expect((await tryBatches(run, true)).finding).toBe("not tried: one frame takes 16000 ms");
    expect(runs).toEqual([1]);
  });
});
