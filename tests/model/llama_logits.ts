// A process of its own that asks llama.cpp for the logits of every position of a token list, and for the tokens it
// would choose greedily after them. Uses the binary of npm:@node-llama-cpp/linux-x64 by itself: its package asks for
// platforms that the registry may not have. Never downloads, never builds. Must not know our engine.
//   llama_logits.ts BINARIES MODEL.gguf 1,2,3 GREEDY OUT     writes float32 rows to OUT, prints the greedy tokens
import { createRequire } from "node:module";
import process from "node:process";

interface Context {
  init(): Promise<boolean>;
  initBatch(size: number): void;
  addToBatch(sequence: number, first: number, tokens: Uint32Array, wanted: Uint32Array): Uint32Array;
  decodeBatch(): Promise<void>;
  /** [token, probabilities, confidence, [token, logit, token, logit, …]] */
  sampleToken(index: number, sampler: unknown, ...more: boolean[]): Promise<[number, ...unknown[]]>;
  dispose(): Promise<void>;
}
interface Model {
  init(): Promise<boolean>;
  dispose(): Promise<void>;
}
interface Addon {
  markLoaded(): boolean;
  setLogger(logger: (level: number, message: string) => void): void;
  loadBackends(folder: string): void;
  init(): Promise<void>;
  AddonModel: new (path: string, options: Record<string, unknown>) => Model;
  AddonContext: new (model: Model, options: Record<string, unknown>) => Context;
  AddonSampler: new (model: Model) => { applyConfig(config: { temperature: number }): void };
}

const [folder, path, list, greedy, out] = Deno.args as [string, string, string, string, string];
const tokens = Uint32Array.from(list.split(","), Number);
const loaded = { exports: {} as Addon };
(process as unknown as { dlopen(module: unknown, path: string): void }).dlopen(
  loaded,
  createRequire(import.meta.url).resolve(`${folder}/llama-addon.node`),
);
const addon = loaded.exports;
addon.markLoaded();
// Levels 1 and 2 are failures.
addon.setLogger((level, message) => level <= 2 && Deno.stderr.writeSync(new TextEncoder().encode(message)));
addon.loadBackends(folder);
await addon.init();

const model = new addon.AddonModel(path, { gpuLayers: 0, useMmap: false, addonExports: addon });
if (!await model.init()) throw new Error("llama.cpp cannot load the model");
const context = new addon.AddonContext(model, {
  ...{ contextSize: 512, batchSize: 512, sequences: 1, threads: 1, flashAttention: false },
});
if (!await context.init()) throw new Error("llama.cpp cannot make a context");
const sampler = new addon.AddonSampler(model);
sampler.applyConfig({ temperature: 0 });

/** The likeliest token behind the last of `next`, and rows of logits behind all of them. */
async function evaluate(next: Uint32Array, at: number): Promise<{ choice: number; rows: Float32Array[] }> {
  context.initBatch(next.length);
  const indexes = context.addToBatch(0, at, next, Uint32Array.from(next, (_, i) => i));
  await context.decodeBatch();
  const rows: Float32Array[] = [];
  let choice = -1;
  for (const index of indexes) {
    const [token, , , pairs] = await context.sampleToken(index, sampler, false, false, true);
    const row = new Float32Array((pairs as number[]).length / 2);
    for (let i = 0; i < row.length; i++) {
      row[(pairs as number[])[2 * i]!] = (pairs as number[])[2 * i + 1]!;
    }
    rows.push(row);
    choice = token;
  }
  return { choice, rows };
}

let { choice, rows } = await evaluate(tokens, 0);
await Deno.writeFile(out, new Uint8Array(await new Blob(rows as Float32Array<ArrayBuffer>[]).arrayBuffer()));
const chosen: number[] = [];
for (let at = tokens.length; chosen.length < Number(greedy); at++) {
  chosen.push(choice);
  ({ choice, rows } = await evaluate(Uint32Array.of(choice), at));
}
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(chosen)));
await context.dispose();
await model.dispose();
Deno.exit(0);
