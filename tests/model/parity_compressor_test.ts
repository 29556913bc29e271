// The visual token compressor on the native engine against picture_reference.py: padding in front, odd blocks
// backwards, pooling along the rows.
import { expect } from "@std/expect";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { openEngine } from "../../ffi/mod.ts";
import { type ClosableVision, CompressedVision } from "../../src/compressed_vision.ts";
import {
  distance,
  expectBelow,
  library_path,
  missingLibrary,
  missingPython,
  readFloats,
  runPython,
  temporaryFolder,
} from "./python_cases.ts";

interface Case {
  name: string;
  weights: string;
  width: number;
  rows: number;
  vectors: string;
  wanted: string;
}

const missing = missingPython("torch", "numpy") ?? missingLibrary();
// float32 against float64; measured 2e-6.
const error_max = 2e-5;

/** A tower that always sees the same. */
function towerOf(vectors: Float32Array): ClosableVision {
  return {
    ...{ width_px: 1, height_px: 1, vectors_per_frame: 0 },
    encode: () => Promise.resolve(vectors),
    encodePicture: () => Promise.resolve(vectors),
    close: () => Promise.resolve(),
  };
}

describe("visual token compressor against the reference", () => {
  let folder: string, cases: Case[];
  beforeAll(async () => {
    folder = await temporaryFolder();
    cases = await runPython<Case[]>("compressor_cases.py", folder);
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  it.unless(missing, "every length, twice the same", async () => {
    expect(cases.length).toBeGreaterThan(5);
    for (const one of cases) {
      const options = { library_path, device: "cpu", weights_path: one.weights, states_max: 1 } as const;
      const engine = await openEngine({ ...options, threads: 1 });
      const tower = towerOf(await readFloats(one.vectors));
      const vision = new CompressedVision(tower, engine, { vectors_per_frame: one.rows, padding: 16 });
      try {
        const first = await vision.encodePicture({ rgb: new Uint8Array(3), width_px: 1, height_px: 1 });
        const { worst, largest } = distance(first, await readFloats(one.wanted));
        expectBelow(error_max, one.name, worst);
        expect(largest).toBeGreaterThan(0.5);
        expect(await vision.encode(new Uint8Array(3))).toEqual(first);
      } finally {
        await vision.close();
      }
    }
  });
});
