import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { readRunFlags, runFlagsHelp, train_run_flags } from "./flags.ts";

describe("readRunFlags", () => {
  it("has upstream's defaults", () => {
    const { options, seed, device, numbers } = readRunFlags({});
    expect(options).toMatchObject({
      steps: 1000,
      accumulate: 1,
      beta1: 0.9,
      beta2: 0.99,
      eps: 1e-8,
      clip: 1,
    });
    expect(options.lrOf(0)).toBeCloseTo(6e-4, 7);
    expect(options.lrOf(999)).toBeCloseTo(1e-5, 10);
    expect(options.decayScaleOf).toBeUndefined();
    expect([seed, device, numbers]).toEqual([1, "auto", { grad_checkpoint: 0, bf16: 0 }]);
  });

  it("counts mini epochs in micro-steps and the run in optimizer steps", () => {
    const { options, begin_micro_steps } = readRunFlags({
      ...{ epoch_steps: "100", epoch_count: "3", epoch_begin: "2", epoch_save: "2" },
      ...{ accumulate_grad_batches: "4", lr_init: "1", lr_final: "0", warmup_steps: "0" },
      ...{ weight_decay: "0.1", weight_decay_final: "0.001" },
    });
    expect(options).toMatchObject({ steps: 75, save_every_steps: 50, validate_every_steps: 25 });
    expect(begin_micro_steps).toBe(200);
    // Micro-step 200 of 500.
    expect(options.lrOf(0)).toBeCloseTo((1 + Math.cos(Math.PI * 201 / 500)) / 2, 12);
    expect(options.decayScaleOf!(74)).toBeCloseTo(0.01 ** (497 / 500), 12);
  });

  it("lets a command change defaults and a person change both", () => {
    const initial = { lr_decay: "linear", lr_init: "1e-3", lr_final: "0" };
    expect(readRunFlags({}, initial).options.lrOf(499)).toBeCloseTo(5e-4, 6);
    expect(readRunFlags({ lr_init: "2e-3" }, initial).options.lrOf(499)).toBeCloseTo(1e-3, 5);
    expect(runFlagsHelp(initial)).toContain("--lr_init 1e-3");
  });

  it("names the flag that it cannot use", () => {
    const cases: [Record<string, string>, string][] = [
      [{ lr_init: "fast" }, 'Cannot use --lr_init "fast": it is a number of at least 0'],
      [{ lr_init: "" }, "--lr_init"],
      [{ micro_bsz: "1.5" }, "--micro_bsz"],
      [{ precision: "fp16" }, "one of fp32, bf16"],
      [{ accelerator: "tpu" }, "--accelerator"],
      [{ epoch_steps: "10", accumulate_grad_batches: "3" }, "multiple of --accumulate_grad_batches 3"],
    ];
    for (const [words, sentence] of cases) expect(() => readRunFlags(words)).toThrow(sentence);
  });

  it("explains every flag on a line of its own", () => {
    expect(runFlagsHelp().trimEnd().split("\n")).toHaveLength(train_run_flags.length);
    for (const line of runFlagsHelp().split("\n")) expect(line.length).toBeLessThan(140);
  });
});
