// Run by ffi_test.ts as a process with `--allow-ffi=PATH` and no other permission. Arguments: the library, then
// a model to use through every kind of call, or "leak" to lose a state.
import { openEngine } from "../../ffi/mod.ts";

const [library_path = "", what = ""] = Deno.args;

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

async function useEverything(weights_path: string): Promise<void> {
  let pointers = "allowed";
  try {
    Deno.UnsafePointer.create(1n);
  } catch {
    pointers = "denied";
  }
  const engine = await openEngine({ library_path, device: "cpu", weights_path, states_max: 3, threads: 1 });
  using state = engine.open();
  state.setSampler({ temperature: 1, top_p: 0.9, presence_penalty: 0, count_penalty: 0 });
  state.setStops([]);
  state.putTokens([1, 2]);
  state.putVectors(new Float32Array(engine.info.width).fill(.1));
  state.putDecode({ tokens_max: 5, seed: 1n });
  while (state.pending > 0) await engine.run();
  const tokens = state.takeTokens();
  using fork = state.fork();
  using restored = engine.open();
  restored.importBlob(state.exportBlob());
  const logits = state.readLogits().join();
  const equal = (other: typeof state) => other.readLogits().join() === logits ? "equal" : "different";
  print(`pointers ${pointers}; ${tokens.length} tokens; fork ${equal(fork)}; restored ${equal(restored)}`);
  await engine.close();
}

async function leak(): Promise<void> {
  const engine = await openEngine({ library_path, device: "echo", states_max: 1, threads: 1, onLeak: print });
  (() => engine.open())();
  for (let i = 0; i < 20; i++) {
    (globalThis as unknown as { gc(): void }).gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await engine.close();
}

await (what === "leak" ? leak() : useEverything(what));
