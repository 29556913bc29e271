// Frames in pairs through the real worker: a tower that answers frame minus the frame before, so that nothing can be mixed
// up unseen: neither the two frames, nor the pairs of a batch, nor the streams they came from.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { GraphBuilder } from "../../src/vision/onnx/graph.ts";
import type { Picture } from "../../src/vision/picture.ts";
import { resizeInto } from "../../src/vision/resize.ts";
import { planTiles, type Sight } from "../../src/vision/views.ts";
import { type OnnxVision, openVision, type VisionOptions } from "../../src/vision/vision.ts";
import { frame, withFolder } from "./towers.ts";

const width = 12;
const input = { name: "pair", width_px: 8, height_px: 4 };
const vectors = input.width_px * input.height_px * 3 / width;
const sight: Sight = {
  fit: "stretch",
  filter: "bicubic",
  views: "before_and_now",
  tiling: null,
  inputs: [input],
};

/** uint8 [2 N, 4, 8, 3] becomes float32 [N, 8, 12]: second row of each pair minus the first. */
function differenceTower(batch: number | undefined): Uint8Array {
  const graph = new GraphBuilder();
  const rows = batch === undefined ? "2N" : batch * 2;
  const pixels = graph.input(input.name, "uint8", [rows, input.height_px, input.width_px, 3]);
  const floats = graph.node("Cast", "floats", [pixels], { to: 1 });
  const pairs = graph.node("Reshape", "pairs", [
    floats,
    graph.integers("pair_shape", [-1, 2, vectors, width]),
  ]);
  const one = (name: string, at: number) =>
    graph.node("Gather", name, [pairs, graph.integers(`${name}_at`, [at])], { axis: 1 });
  const difference = graph.node("Sub", "difference", [one("now", 1), one("before", 0)]);
  const flat = graph.node("Reshape", "flat", [
    difference,
    graph.integers("flat_shape", [-1, vectors, width]),
  ]);
  graph.output("vectors", flat, "float32", [batch ?? "N", vectors, width]);
  return graph.finish("difference");
}

function withDifference(
  body: (vision: OnnxVision) => Promise<void>,
  { batch, ...options }: Partial<VisionOptions> & { batch?: number } = {},
): Promise<void> {
  return withFolder(async (dir) => {
    const model_path = join(dir, "vision.onnx");
    await Deno.writeFile(model_path, differenceTower(batch));
    const vision = await openVision({
      ...sight,
      model_path,
      width_px: input.width_px,
      height_px: input.height_px,
      vectors_per_frame: vectors,
      vector_width: width,
      threads: 1,
      providers: ["cpu"],
      log: () => {},
      ...options,
    });
    try {
      await body(vision);
    } finally {
      await vision.close();
    }
  });
}

function paint(width_px: number, height_px: number, seed: number): Picture {
  return { rgb: frame({ width_px, height_px } as Parameters<typeof frame>[0], seed), width_px, height_px };
}

function resized(picture: Picture): Uint8Array {
  const out = new Uint8Array(input.width_px * input.height_px * 3);
  resizeInto(out, picture, planTiles(picture, sight)[0]![0]![1]!);
  return out;
}

function difference(now: Picture, before: Picture): number[] {
  const earlier = resized(before);
  return [...resized(now)].map((value, index) => value - earlier[index]!);
}

describe("frames in pairs", () => {
  for (const batch of [undefined, 1]) {
    it(`reach the tower as frame before and frame, those of all streams together: batch ${batch ?? "N"}`, () =>
      withDifference(async (vision) => {
        const streams = Array.from({ length: 21 }, (_, index) => ({
          now: paint(8, 4, 2 * index + 1),
          before: index % 3 === 2 ? undefined : paint(8, 4, 2 * index + 100),
        }));
        const answers = await Promise.all(
          streams.map(({ now, before }) => vision.encode(now.rgb, before?.rgb)),
        );
        streams.forEach(({ now, before = now }, index) => {
          expect([...answers[index]!]).toEqual(difference(now, before));
        });
        expect([...answers[0]!].some((value) => value !== 0)).toBe(true);
        expect(new Set(answers[2])).toEqual(new Set([0]));
        expect(vision.stats().frames).toBe(21);
      }, { batch }));
  }

  it("are both resized where frames are not of the input's size", () =>
    withDifference(async (vision) => {
      const now = paint(20, 11, 3), before = paint(20, 11, 4);
      expect([...await vision.encode(now.rgb, before.rgb)]).toEqual(difference(now, before));
    }, { width_px: 20, height_px: 11 }));

  it("are the picture twice for a picture of its own", () =>
    withDifference(async (vision) => {
      const answer = await vision.encodePicture(paint(31, 9, 5));
      expect(answer.length).toBe(vectors * width);
      expect(new Set(answer)).toEqual(new Set([0]));
    }));

  it("are copied before encode returns, and must be whole", () =>
    withDifference(async (vision) => {
      const now = paint(8, 4, 6), before = paint(8, 4, 7);
      const wanted = difference(now, before);
      const pending = vision.encode(now.rgb, before.rgb);
      now.rgb.fill(0), before.rgb.fill(0);
      expect([...await pending]).toEqual(wanted);
      const error = await vision.encode(now.rgb, new Uint8Array(5)).catch((error) => error);
      expect(error.message).toBe("Cannot encode frame: 5 bytes, wanted are 8 x 4 x 3 = 96");
    }));

  it("are refused by a graph that takes another number of them at a time", async () => {
    await expect(withDifference(() => Promise.resolve(), { batch: 2 })).rejects.toThrow(
      'its input "pair" is uint8 [4, 4, 8, 3], wanted is uint8 [2 N, 4, 8, 3]',
    );
  });
});
