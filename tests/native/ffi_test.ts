// The TypeScript side of the boundary: errors with their sentences, closing in any order, scoped permission,
// leaks that are reported.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";

import {
  type EngineOptions,
  type NativeEngine,
  NativeError,
  openEngine,
  openLibrary,
} from "../../ffi/mod.ts";
import { library_path, not_built } from "./built.ts";
import { withTinyModel } from "./tiny_model.ts";

async function echo(options: Partial<EngineOptions> = {}): Promise<NativeEngine> {
  return await openEngine({ library_path, device: "echo", states_max: 4, threads: 1, ...options });
}

async function failure(promise: Promise<unknown>): Promise<NativeError> {
  const error = await promise.then(() => undefined, (error) => error);
  expect(error).toBeInstanceOf(NativeError);
  return error;
}

function thrown(body: () => unknown): NativeError {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(NativeError);
    return error as NativeError;
  }
  throw new Error("nothing was thrown");
}

describe("openEngine", () => {
  it("names a library that is not there", async () => {
    const error = await failure(echo({ library_path: "/nowhere/librwkv.so" }));
    expect(error.code).toBe("file");
    expect(error.message).toMatch(/^Cannot open library "\/nowhere\/librwkv\.so": /);
  });

  it.unless(not_built, "refuses a library that is not this one", async () => {
    const error = await failure(echo({ library_path: new URL(import.meta.url).pathname }));
    expect(error.code).toBe("file");
  });

  it.unless(not_built, "tells what is wrong with the weights", async () => {
    const load = (weights_path?: string) => failure(echo({ device: "cpu", weights_path }));
    expect((await load()).message).toBe("Cannot load weights: no path was put");
    const missing = await load("/nowhere/x.safetensors");
    expect([missing.code, missing.retry]).toEqual(["file", "never"]);
    expect(missing.message).toBe('Cannot load weights "/nowhere/x.safetensors": no such file');
    await withTinyModel(async (path) => {
      const error = await load(path);
      expect(error.code).toBe("format");
      expect(error.message).toBe(`Cannot load weights "${path}": tensor "blocks.1.att.w1" is missing`);
    }, (tensors) => delete tensors["blocks.1.att.w1"]);
  });

  it.unless(not_built, "answers no_device without CUDA", async () => {
    const error = await failure(echo({ device: "cuda" }));
    expect([error.code, error.retry]).toEqual(["no_device", "never"]);
    expect(error.message).toMatch(/^Cannot open device "cuda": /);
  });

  it.unless(not_built, "refuses impossible numbers", async () => {
    for (const states_max of [0, -1, 1.5, NaN, 65_537, 2 ** 32 + 1]) {
      expect((await failure(echo({ states_max }))).code).toBe("misuse");
    }
    expect((await failure(echo({ threads: 257 }))).code).toBe("misuse");
  });

  it.unless(not_built, "describes the model", async () => {
    await withTinyModel(async (weights_path) => {
      const engine = await echo({ device: "cpu", weights_path });
      const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(weights_path));
      const { model_hash, target, ...sizes } = engine.info;
      expect(["plain", "avx2", "avx512", "vnni", "amx", "neon"]).toContain(target);
      expect(model_hash).toBe(new Uint8Array(digest).toHex());
      expect(sizes).toEqual({
        device: "cpu",
        rwkv_version: 7,
        width: 128,
        layers: 2,
        vocab: 32,
        state_bytes: 4 * (2 * (128 * 64 + 2 * 128) + 128),
        blob_bytes: 4 * (2 * (128 * 64 + 2 * 128) + 128) + 104,
        blob_half_bytes: 2 * (2 * (128 * 64 + 2 * 128) + 128) + 104,
        weight_bytes: sizes.weight_bytes,
        states_max: 4,
      });
      expect(sizes.weight_bytes).toBeGreaterThan(1_000_000);
      await engine.close();
    });
  });
});

describe("NativeEngine", () => {
  it.unless(not_built, "allows one run in flight", async () => {
    const engine = await echo();
    const first = engine.run();
    expect((await failure(engine.run())).code).toBe("busy");
    await first;
    await engine.run();
    await engine.close();
  });

  it.unless(not_built, "counts steps and positions", async () => {
    const engine = await echo();
    using state = engine.open();
    state.putTokens([1, 2, 3]);
    await engine.run();
    await engine.run(); // nothing to do
    expect(engine.counters()).toEqual({ runs: 1, tokens: 3 });
    await engine.close();
  });

  it.unless(not_built, "closes in any order, more than once, with a run under way", async () => {
    for (const engine_first of [true, false]) {
      const engine = await echo();
      const state = engine.open();
      state.putTokens([1, 2]);
      const run = engine.run();
      if (engine_first) await Promise.all([engine.close(), engine.close()]);
      await run;
      expect(state.pending).toBe(0); // a state outlives its engine
      const fork = engine_first ? state.fork() : undefined;
      state.close();
      state.close();
      fork?.close();
      await engine.close();
      expect((await failure(engine.run())).code).toBe("misuse");
      expect(thrown(() => engine.open()).code).toBe("misuse");
      expect(thrown(() => engine.states_open).code).toBe("misuse");
      expect(thrown(() => state.pending).message).toBe("Cannot use the state: it is closed");
    }
  });
});

describe("NativeState", () => {
  it.unless(not_built, "refuses numbers that a typed array would bend", async () => {
    const engine = await echo();
    using state = engine.open();
    for (const token of [-1, 1.5, NaN, 2 ** 32]) {
      expect(thrown(() => state.putTokens([token])).code).toBe("misuse");
      expect(thrown(() => state.setStops([token])).code).toBe("misuse");
    }
    expect(thrown(() => state.putTokens([256])).message).toBe("Cannot use token 256: the vocabulary has 256");
    expect(thrown(() => state.putVectors(new Float32Array(9))).message).toBe(
      "Cannot put 9 floats: they are not rows of 8",
    );
    expect(thrown(() => state.putVectors(new Float32Array(8).fill(NaN))).code).toBe("misuse");
    state.putTokens([1]);
    for (const tokens_max of [0, -1, 1.5, 4097]) {
      expect(thrown(() => state.putDecode({ tokens_max, seed: 1n })).code).toBe("misuse");
    }
    const silence = { token: 0, threshold: NaN };
    expect(thrown(() => state.putDecode({ tokens_max: 1, seed: 1n, silence })).code).toBe("misuse");
    expect(state.pending).toBe(1);
    await engine.close();
  });

  it.unless(not_built, "takes empty arrays", async () => {
    const engine = await echo();
    using state = engine.open();
    state.putTokens([]);
    state.putTokens(new Uint32Array());
    state.putVectors(new Float32Array());
    state.setStops([]);
    expect(state.pending).toBe(0);
    expect(state.takeTokens()).toEqual([]);
    expect(state.takeLogits()).toEqual([]);
    expect(thrown(() => state.importBlob(new Uint8Array())).code).toBe("foreign");
    await engine.close();
  });

  it.unless(not_built, "keeps the caller's arrays out: they may change after a put", async () => {
    const engine = await echo();
    using changed = engine.open(), calm = engine.open();
    const tokens = Uint32Array.of(1, 2, 3), vectors = new Float32Array(16).fill(.5);
    for (const state of [changed, calm]) {
      state.putTokens(tokens);
      state.putVectors(vectors);
    }
    changed.reset();
    changed.putTokens(tokens);
    changed.putVectors(vectors);
    tokens.fill(9);
    vectors.fill(9);
    while (changed.pending + calm.pending > 0) await engine.run();
    expect(changed.exportBlob()).toEqual(calm.exportBlob());
    await engine.close();
  });

  it.unless(not_built, "gives back the vectors it kept, in the order in which they were put", async () => {
    const engine = await echo();
    using state = engine.open(), one_by_one = engine.open();
    state.keepVectors(true);
    const vectors = Float32Array.from({ length: 6 * 8 }, (_, i) => i / 50);
    state.putSpan(vectors, { scan: "snake", rows: 2, columns: 3 });
    while (state.pending > 0) await engine.run();
    const kept = state.takeVectors();
    expect(kept.length).toBe(6 * 8);
    expect(state.takeVectors().length).toBe(0);
    one_by_one.keepVectors(true);
    const order = [0, 1, 2, 5, 4, 3];
    for (const row of order) one_by_one.putVectors(vectors.slice(8 * row, 8 * row + 8));
    while (one_by_one.pending > 0) await engine.run();
    const seen = one_by_one.takeVectors();
    expect(order.flatMap((row) => [...kept.slice(8 * row, 8 * row + 8)])).toEqual([...seen]);
    one_by_one.keepVectors(false);
    for (const bad of [{ rows: 7, columns: 1 }, { rows: -1, columns: 1 }, { rows: 1.5, columns: 2 }]) {
      expect(thrown(() => state.putSpan(vectors, { scan: "snake", ...bad })).code).toBe("misuse");
    }
    await engine.close();
  });

  it.unless(not_built, "takes more tokens than one buffer holds", async () => {
    const engine = await echo();
    using state = engine.open();
    state.putTokens([1]);
    state.putDecode({ tokens_max: 600, seed: -1n });
    while (state.pending > 0) await engine.run();
    const tokens = state.takeTokens();
    expect(tokens.length).toBe(600);
    expect(tokens.every(({ id, probability }) => id < 256 && probability > 0 && probability <= 1)).toBe(true);
    await engine.close();
  });
});

describe("permission", () => {
  const child = (flags: string[], args: string[]) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", ...flags, new URL("./scoped_child.ts", import.meta.url).pathname, ...args],
      stdout: "piped",
      stderr: "piped",
    }).output();

  it.unless(not_built, "--allow-ffi=PATH alone is enough", () =>
    withTinyModel(async (path) => {
      const { code, stdout, stderr } = await child([`--allow-ffi=${library_path}`], [library_path, path]);
      expect(new TextDecoder().decode(stderr)).toBe("");
      expect(new TextDecoder().decode(stdout)).toBe(
        "pointers denied; 5 tokens; fork equal; restored equal\n",
      );
      expect(code).toBe(0);
    }));

  it.unless(not_built, "reports what is collected before it is closed", async () => {
    const flags = [`--allow-ffi=${library_path}`, "--v8-flags=--expose-gc"];
    const { stdout } = await child(flags, [library_path, "leak"]);
    expect(new TextDecoder().decode(stdout)).toBe("A state was collected before it was closed\n");
  });
});

describe("openLibrary", () => {
  it.unless(not_built, "opens and closes without an engine", () => {
    const library = openLibrary(library_path);
    expect(library.symbols.rwkv_abi_version()).toBe(3);
    library.closeUnused();
  });
});
