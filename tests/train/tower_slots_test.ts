// The object tower's graph says what its definition says: picking and slots on heads given from outside, with odd cases.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import * as ort from "onnxruntime-node";
import { randomStream } from "../../src/random.ts";
import { frameLight } from "../../src/vision/frame_light.ts";
import { box_numbers, type CellGrid, pickObjects } from "../../src/vision/object_picking.ts";
import { ObjectGraph } from "../../src/vision/onnx/object_graph.ts";
import { writeObjectSlots } from "../../src/vision/onnx/object_slots.ts";
import { slots_per_frame, slotWidth, writeSlots } from "../../src/vision/slots.ts";

const grid: CellGrid = { rows: 6, columns: 6, classes: 5 };
const cells = grid.rows * grid.columns, row = grid.classes + 1;
const side_px = 8, frame_bytes = side_px * side_px * 3;

interface Case {
  logits: Float32Array;
  boxes: Float32Array;
  /** Heads of the frame before. */
  earlier: { logits: Float32Array; boxes: Float32Array };
  before: Uint8Array;
  now: Uint8Array;
}

/** Everything is background, boxes are a third of the frame in the middle of their cell. */
function empty(): Case {
  const frame = () => new Uint8Array(frame_bytes);
  return { ...emptyHeads(), earlier: emptyHeads(), before: frame(), now: frame() };
}

function emptyHeads() {
  const logits = new Float32Array(cells * row), boxes = new Float32Array(cells * box_numbers);
  for (let cell = 0; cell < cells; cell++) {
    logits[cell * row + grid.classes] = 8;
    boxes[cell * box_numbers + 2] = Math.log(0.2);
  }
  return { logits, boxes };
}

function random(seed: number): Case {
  const next = randomStream(seed, "heads"), one = empty();
  for (const heads of [one, one.earlier]) {
    for (let at = 0; at < heads.logits.length; at++) {
      heads.logits[at] = 3 * next() + (at % row === grid.classes ? 2 : 0);
    }
    for (let at = 0; at < heads.boxes.length; at++) heads.boxes[at] = 1.5 * next();
  }
  for (let at = 0; at < frame_bytes; at++) {
    one.before[at] = 128 + 127 * next();
    one.now[at] = 128 + 127 * next();
  }
  return one;
}

/** A thing of class `thing` in a cell. */
function put(one: Case["earlier"], cell: number, thing: number, sureness = 8): void {
  one.logits[cell * row + grid.classes] = 0;
  one.logits[cell * row + thing] = sureness;
}

function expected({ logits, boxes, earlier, before, now }: Case): Float32Array {
  const out = new Float32Array(slots_per_frame * slotWidth(grid.classes));
  writeSlots(pickObjects({ logits, boxes }, earlier, grid), frameLight(before, now), grid.classes, out);
  return out;
}

let session: Promise<ort.InferenceSession> | undefined;

function open(): Promise<ort.InferenceSession> {
  return session ??= (() => {
    const parts = new ObjectGraph(() => undefined, "fp32"), { graph } = parts;
    const frame = (name: string) => {
      const light = parts.step("Cast", [graph.input(name, "uint8", ["N", side_px, side_px, 3])], { to: 1 });
      return {
        logits: graph.input(`${name}_logits`, "float32", ["N", cells, row]),
        boxes: graph.input(`${name}_boxes`, "float32", ["N", cells, box_numbers]),
        light: parts.step("Mul", [light, parts.number(1 / 255)]),
      };
    };
    const slots = writeObjectSlots(parts, frame("now"), frame("before"), grid);
    graph.output("vectors", slots, "float32", ["N", slots_per_frame, slotWidth(grid.classes)]);
    return ort.InferenceSession.create(graph.finish("slots"), { intraOpNumThreads: 1, logSeverityLevel: 4 });
  })();
}

async function found(many: readonly Case[]): Promise<Float32Array[]> {
  const floats = (pick: (one: Case) => Float32Array, dims: number[]) =>
    new ort.Tensor("float32", Float32Array.from(many.flatMap((one) => [...pick(one)])), [
      many.length,
      ...dims,
    ]);
  const frames = (pick: (one: Case) => Uint8Array) =>
    new ort.Tensor("uint8", Uint8Array.from(many.flatMap((one) => [...pick(one)])), [
      many.length,
      side_px,
      side_px,
      3,
    ]);
  const { vectors } = await (await open()).run({
    now_logits: floats(({ logits }) => logits, [cells, row]),
    now_boxes: floats(({ boxes }) => boxes, [cells, box_numbers]),
    before_logits: floats(({ earlier }) => earlier.logits, [cells, row]),
    before_boxes: floats(({ earlier }) => earlier.boxes, [cells, box_numbers]),
    before: frames(({ before }) => before),
    now: frames(({ now }) => now),
  });
  const width = slots_per_frame * slotWidth(grid.classes), data = vectors!.data as Float32Array;
  return many.map((_, at) => data.slice(at * width, (at + 1) * width));
}

function expectNear(a: Float32Array, b: Float32Array): void {
  expect(a.length).toBe(b.length);
  let worst = 0;
  a.forEach((value, at) => worst = Math.max(worst, Math.abs(value - b[at]!)));
  expect(worst).toBeLessThan(1e-4);
}

const present = (slots: Float32Array) =>
  Array.from({ length: slots_per_frame }, (_, at) => slots[at * slotWidth(grid.classes) + grid.classes]! > 0);

describe("object slots as a graph", { sanitizeOps: false, sanitizeResources: false }, () => {
  it("are those of the definition on random heads", async () => {
    const many = Array.from({ length: 200 }, (_, seed) => random(seed));
    const got = await found(many), wanted = many.map(expected);
    got.forEach((one, at) => expectNear(one, wanted[at]!));
    const counts = wanted.map((one) => present(one).filter(Boolean).length);
    expect(new Set(counts).size).toBeGreaterThan(1);
  });

  it("know the light alone where nothing is", async () => {
    const one = empty();
    one.now.fill(200);
    const [got] = await found([one]);
    expectNear(got!, expected(one));
    expect(present(got!)).toEqual([false, false, false, false]);
    expect(got!.some((value) => value !== 0)).toBe(true);
  });

  it("keep the four surest of five, left to right", async () => {
    const one = empty();
    [0, 2, 4, 12, 16].forEach((cell, at) => put(one, cell, at, cell === 12 ? 3 : 8));
    const [got] = await found([one]);
    expectNear(got!, expected(one));
    expect(present(got!)).toEqual([true, true, true, true]);
    const classes = [0, 1, 2, 3].map((slot) =>
      [...got!.subarray(slot * slotWidth(5), slot * slotWidth(5) + 5)].findIndex((share) => share > 0.5)
    );
    expect(classes).toEqual([0, 1, 2, 4]);
  });

  it("take one of two neighbours that mean the same thing, and both of two that do not", async () => {
    const same = empty(), apart = empty();
    put(same, 14, 1, 7);
    put(same, 15, 1, 8);
    same.boxes[14 * box_numbers] = 0.5;
    same.boxes[15 * box_numbers] = -0.5;
    put(apart, 14, 1);
    put(apart, 16, 1);
    const got = await found([same, apart]);
    expectNear(got[0]!, expected(same));
    expectNear(got[1]!, expected(apart));
    expect(present(got[0]!)).toEqual([true, false, false, false]);
    expect(present(got[1]!)).toEqual([true, true, false, false]);
  });

  it("see what moved, what is new and what took another's place", async () => {
    const one = empty();
    put(one, 8, 1);
    put(one.earlier, 7, 1); // One cell to the right.
    put(one, 22, 2);
    put(one.earlier, 22, 3); // Another thing in the same place.
    put(one, 35, 4); // Nobody was near.
    const [got] = await found([one]);
    expectNear(got!, expected(one));
    const [moved, changed, came] = pickObjects(one, one.earlier, grid);
    expect(moved!.vx).toBeCloseTo(1 / 6, 2);
    expect(moved!.vy).toBeCloseTo(0, 3);
    expect(moved!.fresh).toBeLessThan(0.1);
    expect([changed!.vx, changed!.vy]).toEqual([0, 0]);
    expect(changed!.fresh).toBeGreaterThan(0.9);
    expect(came!.fresh).toBe(1);
  });

  it("settle ties in the same way", async () => {
    const one = empty();
    // All as sure as each other, two of them one above the other.
    for (const cell of [1, 25, 4, 28, 31]) put(one, cell, 2);
    const [got] = await found([one]);
    expectNear(got!, expected(one));
  });

  it("stay finite whatever the box head says", async () => {
    const one = empty();
    put(one, 7, 3);
    one.boxes.set([1e4, -1e4, 200, 1e4, -1e4, 1e4, 300, -300], 7 * box_numbers);
    const [got] = await found([one]);
    expect(got!.every(Number.isFinite)).toBe(true);
    expectNear(got!.map((value) => value / 1e4), expected(one).map((value) => value / 1e4));
  });
});
