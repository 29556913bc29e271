// Every kind of vision tower as ONNX against towers.py and features.py: random miniatures, and true sizes on request.
import { expect } from "@std/expect";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { expectBelow, missingPython, runPython, temporaryFolder } from "./python_cases.ts";
import { measureTower, type TowerCase } from "./tower_cases.ts";

const missing = missingPython("torch", "numpy");
const too_large = Deno.env.get("GANDER_TEST_LARGE") === "1"
  ? missing
  : "true sizes need 8 GB of memory, 6 GB of disk and several minutes; GANDER_TEST_LARGE=1 runs them";

// float32 against float64. Measured 8e-7 at most; the exact and the tanh GELU differ by more than this.
const relative_max = 1e-5;
// Matrices rounded to float16: measured 6e-4, and 1 - cosine 1e-7.
const half = { relative: 3e-3, angle: 1e-6 };
// Linear layers in 8 bits, random weights: measured 4e-2, and 6e-4.
const eighth = { relative: 0.1, angle: 2e-3 };

describe("vision towers against torch", { sanitizeOps: false, sanitizeResources: false }, () => {
  let folder: string, cases: TowerCase[];
  beforeAll(async () => {
    folder = await temporaryFolder();
    cases = await runPython<TowerCase[]>("tower_cases.py", folder);
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  const families: Record<string, RegExp> = {
    "CLIP of v5 and v6.0, every grid size": /^v[56]/,
    "SigLIP2 of v7.01, pooled and not": /^v7\.01/,
    "three towers of HD, UHD and v7.00, pooled and not": /^(hd|uhd|v7\.00)/,
    "each encoder alone": /^(DINO|SigLIP|CLIP|SAM)/,
  };
  for (const [name, pattern] of Object.entries(families)) {
    it.unless(missing, `float32: ${name}`, async () => {
      const own = cases.filter((one) => pattern.test(one.name));
      expect(own.length).toBeGreaterThan(3);
      for (const one of own) {
        const { relative } = await measureTower(one, folder, "fp32");
        expectBelow(relative_max, one.name, relative);
      }
    });
  }

  it.unless(missing, "takes every miniature", () => {
    const others = cases.filter((one) => !Object.values(families).some((pattern) => pattern.test(one.name)));
    expect(others.map((one) => one.name)).toEqual([]);
  });

  for (const [weights, bar] of [["fp16", half], ["int8", eighth]] as const) {
    it.unless(missing, `${weights}: within its tolerance`, async () => {
      for (const name of ["v6.0 grid size -1", "v7.01", "hd", "uhd", "v7.00"]) {
        const one = cases.find((each) => each.name === name)!;
        const { relative, cosine } = await measureTower(one, folder, weights);
        expectBelow(bar.relative, name, relative);
        expectBelow(bar.angle, name, 1 - cosine);
        // Not the float32 graph under another name.
        expect(relative).toBeGreaterThan(relative_max);
      }
    });
  }
});

describe("vision towers of true size against torch", { sanitizeOps: false, sanitizeResources: false }, () => {
  it.unless(too_large, "v6.0, v7.01 and v7.00, random weights", async () => {
    const folder = await temporaryFolder();
    try {
      for (const one of await runPython<TowerCase[]>("tower_cases.py", folder, "true")) {
        const { relative } = await measureTower(one, folder, "fp32");
        // float32 on both sides; measured 1.3e-6.
        expectBelow(2e-5, one.name, relative);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});
