// The trainer library through FFI: what comes back is what was put in, and every refusal is a sentence with a code.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { NativeTrainer, openTrainer, TrainerError } from "../../ffi/mod.ts";
import { symbols } from "../../ffi/_train_symbols.ts";
import { generateTrain } from "../../ffi/gen_symbols.ts";
import type { Trainer } from "../../src/train/ports.ts";
import { no_trainer, trainer_path } from "./built.ts";
import { tiny_stage } from "./tiny_stage.ts";

function open(threads = 1): NativeTrainer {
  return openTrainer({ library_path: trainer_path, kind: "language", device: "cpu", threads });
}

async function filled(): Promise<NativeTrainer> {
  const trainer = open();
  for (const [name, tensor] of await tiny_stage.parameters()) trainer.putTensor(name, tensor);
  return trainer;
}

function codeOf(body: () => unknown): [string, string] {
  try {
    body();
  } catch (error) {
    if (error instanceof TrainerError) return [error.code, error.message];
    throw error;
  }
  return ["none", ""];
}

describe("the trainer's table of symbols", () => {
  it("is what rwkv_train.h says, and only verbs that block leave the thread", async () => {
    const header = await Deno.readTextFile(
      new URL("../../native/train/include/rwkv_train.h", import.meta.url),
    );
    const table = await Deno.readTextFile(new URL("../../ffi/_train_symbols.ts", import.meta.url));
    expect(generateTrain(header)).toBe(table);
    const nonblocking = Object.entries(symbols).filter(([, symbol]) => "nonblocking" in symbol);
    expect(nonblocking.map(([name]) => name.replace("rwkv_trainer_", ""))).toEqual([
      "accumulate",
      "apply",
      "evaluate",
    ]);
  });
});

describe("openTrainer", () => {
  it("says what to do when the library is not there", () => {
    const [code, sentence] = codeOf(() =>
      openTrainer({ library_path: "/nowhere/librwkv_train.so", kind: "tower", threads: 1 })
    );
    expect(code).toBe("file");
    expect(sentence).toBe(
      'Cannot open trainer library "/nowhere/librwkv_train.so": it is not there; ' +
        "run native/train/build.sh, which needs libtorch",
    );
  });

  it("refuses a file that is no library", async () => {
    const path = await Deno.makeTempFile({ suffix: ".so" });
    expect(codeOf(() => openTrainer({ library_path: path, kind: "tower", threads: 1 }))[0]).toBe("file");
    await Deno.remove(path);
  });

  it.unless(no_trainer, "refuses threads out of range, and takes the CPU where CUDA is not", () => {
    for (const threads of [0, 257, 1.5]) expect(codeOf(() => open(threads))[0]).toBe("misuse");
    using trainer = openTrainer({ library_path: trainer_path, kind: "tower", threads: 1 });
    expect(["cpu", "cuda"]).toContain(trainer.device);
  });
});

describe("NativeTrainer", () => {
  it.unless(no_trainer, "is what src/train asks for", () => {
    using trainer: Trainer = open();
    expect(trainer.readCarried()).toBeUndefined();
  });

  it.unless(no_trainer, "gives back values and moments, of views too", () => {
    using trainer = open();
    const data = Float32Array.from({ length: 8 }, (_, i) => i / 3).subarray(2);
    trainer.putTensor("größe", { dims: [2, 3], data });
    expect(trainer.readTensor("größe", 6)).toEqual(new Float32Array(data));
    expect(trainer.readTensor("größe", 6, "moment1")).toEqual(new Float32Array(6));
    trainer.putTensor("größe", { dims: [2, 3], data }, "moment2");
    expect(trainer.readTensor("größe", 6, "moment2")).toEqual(new Float32Array(data));
    expect(trainer.readTensor("größe", 6, "gradient")).toEqual(new Float32Array(6));
  });

  it.unless(no_trainer, "names what it refuses", async () => {
    using trainer = await filled();
    const cases: [string, () => unknown][] = [
      ["format", () => trainer.putTensor("x", { dims: [3], data: new Float32Array(2) })],
      ["format", () => trainer.putTensor("emb.weight", { dims: [2], data: new Float32Array(2) })],
      ["format", () => trainer.readTensor("nothing", 1)],
      ["misuse", () => trainer.setNumber("luck", 1)],
      ["misuse", () => trainer.readOutput("loss")],
      ["misuse", () => trainer.putTensor("", { dims: [1], data: new Float32Array(1) })],
    ];
    for (const [code, body] of cases) {
      const [found, sentence] = codeOf(body);
      expect([found, sentence.length > 10]).toEqual([code, true]);
    }
    await expect(trainer.apply()).rejects.toMatchObject({ code: "misuse" });
  });

  it.unless(no_trainer, "learns, one verb at a time, and lets the thread go on meanwhile", async () => {
    using trainer = await filled();
    trainer.setNumber("lr", 1e-2);
    const losses: number[] = [];
    for (let step = 0; step < 5; step++) {
      trainer.putBatch(await tiny_stage.batch(0));
      const running = trainer.accumulate();
      await expect(trainer.accumulate()).rejects.toMatchObject({ code: "busy", retry: "backoff" });
      await running;
      losses.push(trainer.readOutput("loss").data[0]!);
      await trainer.apply();
    }
    expect(losses[0]).toBeCloseTo(Math.log(24), 0);
    expect(losses[4]).toBeLessThan(losses[0]! * 0.8);
    expect(trainer.readOutput("grad_norm")).toMatchObject({ dims: [] });
    await trainer.evaluate();
    expect(trainer.readOutput("logits").dims).toEqual([2, 12, 24]);
    expect(trainer.readOutput("losses").dims).toEqual([2]);
  });

  it.unless(no_trainer, "may be closed while it runs", async () => {
    const trainer = await filled();
    trainer.putBatch(await tiny_stage.batch(0));
    const running = trainer.accumulate();
    trainer.close();
    trainer.close();
    await running;
    expect(codeOf(() => trainer.setNumber("lr", 1))).toEqual([
      "misuse",
      "Cannot use the trainer: it is closed",
    ]);
  });
});
