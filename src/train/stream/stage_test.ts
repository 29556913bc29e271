import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { slots_per_frame } from "../../vision/slots.ts";
import { things } from "../../world/vocabulary.ts";
import type { Evaluate } from "../stage.ts";
import { streamParameters } from "./beginning.ts";
import { next_vector, padding } from "./sequence.ts";
import { slot_width, tick_floats } from "./simulate.ts";
import { stream_defaults, StreamStage, type StreamStageOptions } from "./stage.ts";
import { nameToken, worldVocabulary } from "./vocabulary.ts";

const parameters = () => Promise.resolve(streamParameters({ width: 64, layers: 2, seed: 1 }));
const stageWith = (change: Partial<StreamStageOptions>) =>
  new StreamStage({ ...stream_defaults, parameters, ...change });
const carried = { carried_segments: 4, carried_positions: 100, rows: 2 };

describe("the stream stage", () => {
  it("makes a batch from its number alone, in any order", async () => {
    for (const options of [{}, carried, { seed: 7 }]) {
      const once = stageWith(options), again = stageWith(options);
      const first = [await once.batch(0), await once.batch(1), await once.batch(5)];
      expect([await again.batch(5), await again.batch(1), await again.batch(0)].reverse()).toEqual(first);
      expect(first[0]).not.toEqual(first[1]);
    }
    expect(await stageWith({ seed: 2 }).batch(0)).not.toEqual(await stageWith({ seed: 3 }).batch(0));
  });

  it("hands carried clips out in pieces of one length, and says where one begins", async () => {
    const stage = stageWith({ ...carried, rows: 1 });
    const resets: number[] = [], positions: number[] = [], pieces: number[][] = [];
    for (let step = 0; step < 8; step++) {
      const { tokens, reset, vectors } = await stage.batch(step);
      const data = tokens!.data as Int32Array;
      expect(data.filter((token) => token === next_vector).length).toBe(vectors!.dims[0]);
      expect(data.includes(padding)).toBe(false);
      positions.push(data.length);
      resets.push(reset!.data[0]!);
      pieces.push([...data]);
    }
    expect(positions).toEqual(Array(8).fill(100));
    expect(resets).toEqual([1, 0, 0, 0, 1, 0, 0, 0]);
    // Where frames are whole again behind a seam, nothing was lost or told twice.
    const whole = pieces.slice(0, 4).flat().join(" ").replaceAll("-1 -1 -1 -1", "").match(/-1/g) ?? [];
    expect(whole.length).toBeLessThan(slots_per_frame);
    expect(stage.numbers.carry).toBe(1);
  });

  it("hands its numbers to the trainer", () => {
    expect(stageWith({ numbers: { bf16: 1 } }).numbers).toEqual({ bf16: 1, l2wrap: 0, carry: 0 });
  });

  it("weighs every batch the same", async () => {
    for (const options of [{}, carried]) {
      const stage = stageWith(options);
      for (let step = 0; step < 6; step++) {
        const { weights } = await stage.batch(step);
        const sum = (weights!.data as Float32Array).reduce((total, one) => total + one, 0);
        expect(Math.abs(sum - 1)).toBeLessThan(1e-4);
      }
    }
  });

  it("asks a real tower for its share of the clips, and takes what it says", async () => {
    let asked = 0;
    const tower = (_: unknown, ticks: number) => {
      asked++;
      return Promise.resolve(new Float32Array(ticks * tick_floats).fill(0.5));
    };
    const stage = stageWith({ real_share: 0.5, tower, rows: 8 });
    let real = 0, all = 0;
    for (let step = 0; step < 6; step++) {
      const { vectors } = await stage.batch(step);
      const [count] = vectors!.dims as [number, number];
      for (let row = 0; row < count; row++) {
        all++;
        if (vectors!.data[row * slot_width + 3] === 0.5) real++;
      }
    }
    expect(asked).toBeGreaterThan(12);
    expect(asked).toBeLessThan(36);
    expect([real > all * 0.2, real < all * 0.8]).toEqual([true, true]);
  });

  it("begins with a projector that says a name where it sees its class", async () => {
    const tensors = await parameters();
    const projector = tensors.get("proj.weight")!, embedding = tensors.get("emb.weight")!;
    expect(projector.dims).toEqual([64, slot_width]);
    for (const [column, { name }] of things.entries()) {
      for (let row = 0; row < 64; row++) {
        expect(projector.data[row * slot_width + column]).toBe(embedding.data[nameToken(name) * 64 + row]);
      }
    }
  });

  it("trains w0 faster, and lets only matrices decay", () => {
    const stage = stageWith({});
    expect(stage.groupOf("blocks.1.att.w0", [1, 1, 64])).toEqual({ lr_scale: 2, weight_decay: 0 });
    expect(stage.groupOf("head.weight", [576, 64])).toEqual({ lr_scale: 1, weight_decay: 0.05 });
    expect(stage.groupOf("ln_out.weight", [64]).weight_decay).toBe(0);
  });

  it("validates with one pass a row, on rows of its own", async () => {
    const { silence, size } = worldVocabulary();
    let rows = 0;
    const evaluate: Evaluate = (batch) => {
      const [count, length] = batch.tokens!.dims as [number, number];
      rows += count;
      const data = new Float32Array(count * length * size);
      for (let at = 0; at < count * length; at++) data[at * size + silence] = 20;
      return Promise.resolve({ logits: { dims: [count, length, size], data } });
    };
    const scores = await stageWith({ validation_rows: 6 }).validate(evaluate);
    expect(rows).toBe(6);
    expect(scores).toMatchObject({ quiet: 1, f1: 0 });
    expect(scores.silence_loss).toBeLessThan(0.01);
  });
});
