// Numbers through the whole boundary: the tiny model against the float64 golden values of the specification,
// and a model of another hand against the logits of another implementation.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";

import { type NativeEngine, type NativeState, openEngine } from "../../ffi/mod.ts";
import { library_path, not_built } from "./built.ts";
import {
  pseudoWeights,
  tiny_golden,
  tiny_sizes,
  tiny_tokens,
  tinyTensors,
  withTinyModel,
} from "./tiny_model.ts";

const parity = new URL("../../../shared/data/parity/", import.meta.url);
const parity_missing = await Deno.stat(parity).then(
  () => undefined,
  () => "no parity files beside the repository",
);

async function withEngine(
  weights_path: string,
  body: (engine: NativeEngine) => Promise<void>,
): Promise<void> {
  const engine = await openEngine({ library_path, device: "cpu", weights_path, states_max: 4, threads: 2 });
  try {
    await body(engine);
  } finally {
    await engine.close();
  }
}

async function runToEdge(engine: NativeEngine, state: NativeState): Promise<void> {
  while (state.pending > 0) await engine.run();
}

async function everyLogits(engine: NativeEngine, tokens: number[]): Promise<Float32Array[]> {
  using state = engine.open();
  state.keepLogits(true);
  state.putTokens(tokens);
  await runToEdge(engine, state);
  return state.takeLogits();
}

function expectNear(got: number, wanted: number, tolerance: number): void {
  expect(Math.abs(got - wanted)).toBeLessThanOrEqual(tolerance);
}

describe("tiny model", () => {
  it("pseudo-weights are those of the specification", () => {
    const close = (got: Float32Array, wanted: number[]) =>
      wanted.forEach((value, i) => expectNear(got[i]!, value, 1e-7));
    close(pseudoWeights(0, { shape: [4], scale: 1, offset: 0 }), [
      -.48420246,
      -.62978804,
      .54152547,
      -.83700663,
    ]);
    close(pseudoWeights(3, { shape: [3], scale: .5, offset: .5 }), [.32339116, .9047232, .62444967]);
    expect(Object.keys(tinyTensors()).length).toBe(69);
  });

  it.unless(
    not_built,
    "logits of the first and the last position are the golden ones",
    () =>
      withTinyModel((path) =>
        withEngine(path, async (engine) => {
          const rows = await everyLogits(engine, tiny_tokens);
          expect(rows.length).toBe(5);
          tiny_golden.logits_first.forEach((value, i) => expectNear(rows[0]![i]!, value, 1e-4));
          tiny_golden.logits_last.forEach((value, i) => expectNear(rows[4]![i]!, value, 1e-4));
          const last = [...rows[4]!];
          expect(last.indexOf(Math.max(...last))).toBe(tiny_golden.last_argmax);
          expectNear(last.reduce((a, b) => a + b), tiny_golden.last_sum, 1e-4);
        })
      ),
  );

  it.unless(
    not_built,
    "the state holds the golden matrices and shift vectors",
    () =>
      withTinyModel((path) =>
        withEngine(path, async (engine) => {
          using state = engine.open();
          state.putTokens(tiny_tokens);
          await runToEdge(engine, state);
          const header_bytes = 96;
          const floats = new Float32Array(state.exportBlob().buffer, header_bytes);
          const { width, layers, head_size } = tiny_sizes;
          const s_floats = width * head_size, layer_floats = 2 * width + s_floats;
          for (let layer = 0; layer < layers; layer++) {
            const at = layer * layer_floats, s = floats.subarray(at + width, at + width + s_floats);
            expectNear(s.reduce((a, b) => a + b), tiny_golden.s_sum[layer]!, 1e-3);
            expectNear(s[head_size + 2]!, tiny_golden.s_0_1_2[layer]!, 1e-5);
            expectNear(floats[at]!, tiny_golden.att_prev_0[layer]!, 1e-5);
            expectNear(floats[at + width + s_floats]!, tiny_golden.ffn_prev_0[layer]!, 1e-5);
          }
        })
      ),
  );

  it.unless(
    not_built,
    "a row of the embedding table put as a vector is the token",
    () =>
      withTinyModel((path) =>
        withEngine(path, async (engine) => {
          const { width } = tiny_sizes, table = tinyTensors()["emb.weight"]!.values;
          using by_token = engine.open(), by_vector = engine.open();
          by_token.putTokens([1, 5]);
          by_vector.putVectors(table.slice(width, 2 * width));
          by_vector.putVectors(table.slice(5 * width, 6 * width));
          await runToEdge(engine, by_token);
          await runToEdge(engine, by_vector);
          expect(by_vector.exportBlob()).toEqual(by_token.exportBlob());
        })
      ),
  );
});

describe("parity", () => {
  it.unless(
    not_built ?? parity_missing,
    "an F16 model gives the logits of another implementation",
    () =>
      withEngine(new URL("r7-tiny.safetensors", parity).pathname, async (engine) => {
        const text = await Deno.readTextFile(new URL("tiny_tokens.txt", parity));
        const tokens = text.trim().split(/\s+/).map(Number);
        const wanted = new Float32Array((await Deno.readFile(new URL("logits-tiny-ref.f32", parity))).buffer);
        const rows = await everyLogits(engine, tokens);
        expect(rows.length * engine.info.vocab).toBe(wanted.length);
        const worst = Math.max(
          ...rows.map((row, r) =>
            Math.max(...row.map((value, i) => Math.abs(value - wanted[r * engine.info.vocab + i]!)))
          ),
        );
        expect(worst).toBeLessThan(1e-4); // logits reach 7; fp32 against float64
      }),
  );
});
