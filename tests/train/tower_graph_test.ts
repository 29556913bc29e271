// A tower exported as ONNX computes what the trainer's does, on the same pictures and parameters.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import * as ort from "onnxruntime-node";
import { openTrainer } from "../../ffi/trainer.ts";
import { randomStream, uniform } from "../../src/random.ts";
import type { NamedTensor } from "../../src/train/ports.ts";
import { towerParameters } from "../../src/train/tower/parameters.ts";
import { frameLight } from "../../src/vision/frame_light.ts";
import { pickObjects } from "../../src/vision/object_picking.ts";
import { buildObjectTower, type ObjectTowerOptions } from "../../src/vision/onnx/object_tower.ts";
import { slots_per_frame, slotWidth, writeSlots } from "../../src/vision/slots.ts";
import { no_trainer, trainer_path } from "./built.ts";

const side_px = 48, cells = 9, classes = 5, pairs = 3;
const class_tokens = [[0], [1, 2], [3], [4, 5, 6], [7]];

/** Nothing is at its beginning: norms, biases and scales are as arbitrary as after a training. */
function parameters(): Map<string, NamedTensor> {
  const made = towerParameters({ side_px, stem: [16, 16, 32, 64, 128], layers: 2, shared: 24, words: 9 }, 5);
  return new Map([...made].map(([name, { dims, data }]) => {
    const noise = uniform(9, `around ${name}`, data.length, 0.1);
    return [name, { dims, data: data.map((value, at) => value + noise[at]!) }];
  }));
}

function pictures(): Uint8Array<ArrayBuffer> {
  const next = randomStream(3, "pictures");
  return Uint8Array.from({ length: pairs * 2 * side_px * side_px * 3 }, () => 128 + 127 * next());
}

type Outputs = Record<string, Float32Array>;

async function exported(
  tensors: Map<string, NamedTensor>,
  options: Partial<ObjectTowerOptions>,
): Promise<Outputs> {
  const file = buildObjectTower((name) => tensors.get(name), {
    ...{ class_tokens, width_px: side_px, height_px: side_px, weights: "fp32", heads: true },
    ...options,
  });
  const session = await ort.InferenceSession.create(file, { intraOpNumThreads: 1, logSeverityLevel: 4 });
  try {
    const rgb = new ort.Tensor("uint8", pictures(), [2 * pairs, side_px, side_px, 3]);
    const results = await session.run({ rgb });
    return Object.fromEntries(
      Object.entries(results).map(([name, { data }]) => [name, Float32Array.from(data as Float32Array)]),
    );
  } finally {
    await session.release();
  }
}

async function trained(tensors: Map<string, NamedTensor>): Promise<Outputs> {
  using trainer = openTrainer({ library_path: trainer_path, kind: "tower", device: "cpu", threads: 1 });
  for (const [name, tensor] of tensors) trainer.putTensor(name, tensor);
  const width = Math.max(...class_tokens.map(({ length }) => length));
  const words = class_tokens.flatMap((row) => [...row, ...new Array(width - row.length).fill(-1)]);
  // Each frame by itself: it is its own frame before.
  const rgb = pictures(), bytes = side_px * side_px * 3;
  const alone = new Uint8Array(2 * rgb.length);
  for (let frame = 0; frame < 2 * pairs; frame++) {
    for (const half of [0, 1]) {
      alone.set(rgb.subarray(frame * bytes, (frame + 1) * bytes), (2 * frame + half) * bytes);
    }
  }
  // Its quick sums of half the bits are for training.
  trainer.setNumber("cpu_bf16", 0);
  trainer.putBatch({
    pixels: { dims: [2 * pairs, 2, side_px, side_px, 3], data: alone },
    class_tokens: { dims: [classes, width], data: Int32Array.from(words) },
  });
  await trainer.evaluate();
  const read = (name: string) => trainer.readOutput(name).data;
  return { cell_logits: read("cell_logits"), cell_box: read("cell_box") };
}

function farthest(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((worst, value, at) => Math.max(worst, Math.abs(value - b[at]!)), 0);
}

describe("an object tower as ONNX", { sanitizeOps: false, sanitizeResources: false }, () => {
  it.unless(no_trainer, "gives the heads that the trainer gives", async () => {
    const tensors = parameters();
    const [graph, trainer] = [await exported(tensors, {}), await trained(tensors)];
    expect(farthest(graph.cell_logits!, trainer.cell_logits!)).toBeLessThan(1e-3);
    expect(farthest(graph.cell_box!, trainer.cell_box!)).toBeLessThan(1e-3);
    // The heads do say something.
    expect(new Set(graph.cell_logits!.map((value) => Math.round(value * 10))).size).toBeGreaterThan(20);
  });

  it("makes slots of its own heads", async () => {
    const { cell_logits, cell_box, vectors } = await exported(parameters(), { objectness_min: 0.1 });
    const width = slots_per_frame * slotWidth(classes), bytes = side_px * side_px * 3, rgb = pictures();
    for (let pair = 0; pair < pairs; pair++) {
      const heads = (frame: number) => {
        const rows = (data: Float32Array, each: number) =>
          data.subarray(frame * cells * each, (frame + 1) * cells * each);
        return { logits: rows(cell_logits!, classes + 1), boxes: rows(cell_box!, 8) };
      };
      const grid = { rows: 3, columns: 3, classes };
      const found = pickObjects(heads(2 * pair + 1), heads(2 * pair), grid, 0.1);
      expect(found.length).toBeGreaterThan(0);
      const frame = (at: number) => rgb.subarray(at * bytes, (at + 1) * bytes);
      const wanted = new Float32Array(width);
      writeSlots(found, frameLight(frame(2 * pair), frame(2 * pair + 1)), classes, wanted);
      expect(farthest(vectors!.subarray(pair * width, (pair + 1) * width), wanted)).toBeLessThan(1e-4);
    }
  });

  it("stores halves, and projects", async () => {
    const tensors = parameters(), inputs = slotWidth(classes), out = 7;
    tensors.set("proj.weight", { dims: [out, inputs], data: uniform(1, "projector", out * inputs, 0.3) });
    tensors.set("proj.bias", { dims: [out], data: uniform(1, "bias", out, 0.3) });
    const full = await exported(tensors, {}), half = await exported(tensors, { weights: "fp16" });
    expect(full.vectors!.length).toBe(pairs * slots_per_frame * out);
    expect(farthest(full.cell_logits!, half.cell_logits!)).toBeLessThan(0.1);
    const sizes = (["fp32", "fp16"] as const).map((weights) =>
      buildObjectTower((name) => tensors.get(name), {
        ...{ class_tokens, width_px: side_px, height_px: side_px, weights },
      }).length
    );
    expect(sizes[1]! / sizes[0]!).toBeLessThan(0.6);
    const bare = new Map([...tensors].filter(([name]) => !name.startsWith("proj.")));
    const { vectors } = await exported(bare, {});
    const weight = tensors.get("proj.weight")!.data, bias = tensors.get("proj.bias")!.data;
    const wanted = Float32Array.from(full.vectors!, (_, at) => {
      const slot = Math.floor(at / out) * inputs, row = at % out;
      let sum = bias[row]!;
      for (let one = 0; one < inputs; one++) sum += vectors![slot + one]! * weight[row * inputs + one]!;
      return sum;
    });
    expect(farthest(full.vectors!, wanted)).toBeLessThan(1e-4);
  });

  it("names what does not fit", () => {
    const build = (change: (tensors: Map<string, NamedTensor>) => void, tokens = class_tokens) => {
      const tensors = parameters();
      change(tensors);
      const options = {
        class_tokens: tokens,
        width_px: side_px,
        height_px: side_px,
        weights: "fp32" as const,
      };
      return () => buildObjectTower((name) => tensors.get(name), options);
    };
    expect(build((all) => all.delete("norm.bias"))).toThrow('needs the tensor "norm.bias"');
    expect(build((all) => all.get("position")!.data.fill(NaN))).toThrow('"position" holds NaN');
    expect(build((all) => all.set("position", { dims: [4, 128], data: new Float32Array(512) }))).toThrow(
      '"position" has the shape [4, 128], not [9, 128]',
    );
    expect(build(() => {}, [[0], [99]])).toThrow("words [99] are not in the tower");
  });
});
