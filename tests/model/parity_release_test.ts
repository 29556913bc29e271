// Every released version from end to end: a miniature of its checkpoint is imported, and for one picture the bundle's
// vectors and the engine's logits are compared with those of the references, from pixels on.
import { expect } from "@std/expect";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { openEngine } from "../../ffi/mod.ts";
import { openBundleVision } from "../../src/bundle_vision.ts";
import { importCommand } from "../../src/cli/model_import.ts";
import { type Bundle, readBundle } from "../../src/model/bundle.ts";
import type { Scan } from "../../src/pipeline/ports.ts";
import { byteVocabulary } from "./byte_vocabulary.ts";
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
  version: string;
  files: string[];
  options: string[];
  picture: string;
  width_px: number;
  height_px: number;
  vectors: string;
  count: number;
  width: number;
  scan: Scan;
  rows: number;
  columns: number;
  before: number[];
  after: number[];
  logits: string;
}

const missing = missingPython("torch", "numpy", "PIL") ?? missingLibrary();
const names = [
  ...["v5, two files", "v6.0", "v6.0, upright", "HD", "UHD", "v7.00", "v7.00, 4 vectors", "v7.01", "v7.02"],
  "v7.03",
];
// float32 against float64; measured 7e-7 and 7e-6.
const vectors_relative_max = 1e-5;
const logits_max = 1e-4;

describe("released versions from pixels to logits", { sanitizeOps: false, sanitizeResources: false }, () => {
  let folder: string, tokenizer: string, cases: Case[];
  beforeAll(async () => {
    folder = await temporaryFolder();
    tokenizer = join(folder, "bytes.txt");
    await Deno.writeTextFile(tokenizer, byteVocabulary());
    cases = await runPython<Case[]>("release_cases.py", folder);
    expect(cases.map(({ name }) => name)).toEqual(names);
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  for (const name of names) {
    it.unless(missing, name, async () => {
      const one = cases.find((each) => each.name === name)!;
      const dir = join(folder, "bundle");
      const args = [...one.files, "-o", dir, "--tokenizer", tokenizer, ...one.options];
      expect(await importCommand(args, { out: () => {}, err: () => {} })).toBe(0);
      const bundle = await readBundle(dir);
      const { scan, scan_rows: rows, scan_columns: columns } = bundle.manifest.image!;
      expect({ scan, rows, columns }).toEqual({ scan: one.scan, rows: one.rows, columns: one.columns });

      const vectors = await see(bundle, one);
      const seen = distance(vectors, await readFloats(one.vectors));
      expectBelow(vectors_relative_max, `${name}, vectors`, seen.worst / seen.largest);
      expect(seen.largest).toBeGreaterThan(0.5);

      const logits = await think(bundle, one, vectors);
      const thought = distance(logits, await readFloats(one.logits));
      expectBelow(logits_max, `${name}, logits`, thought.worst);
      expect(thought.largest).toBeGreaterThan(0.5);
      await Deno.remove(dir, { recursive: true });
    });
  }
});

async function see(bundle: Bundle, one: Case): Promise<Float32Array> {
  const options = { library_path, device: "cpu", engine_threads: 1, threads: 1, providers: ["cpu"] } as const;
  const vision = (await openBundleVision(bundle, { ...options, providers: ["cpu"], log: () => {} }))!;
  try {
    const { width_px, height_px } = one;
    return await vision.encodePicture({ rgb: await Deno.readFile(one.picture), width_px, height_px });
  } finally {
    await vision.close();
  }
}

async function think(
  { weights_path, manifest }: Bundle,
  one: Case,
  vectors: Float32Array,
): Promise<number[]> {
  await using engine = await openEngine({
    library_path,
    device: "cpu",
    weights_path,
    states_max: 1,
    threads: 1,
  });
  expect(engine.info.width).toBe(one.width);
  using state = engine.open();
  const { scan, scan_rows: rows, scan_columns: columns } = manifest.image!;
  state.keepLogits(true);
  state.putTokens(one.before);
  state.putSpan(vectors, { scan, rows, columns });
  state.putTokens(one.after);
  while (state.pending > 0) await engine.run();
  return state.takeLogits().flatMap((row) => [...row]);
}
