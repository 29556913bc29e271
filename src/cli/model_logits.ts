// Logits of every position of a token list, from an empty state. Must not know output formats.
import { openEngine } from "../../ffi/mod.ts";
import type { Bundle } from "../model/bundle.ts";
import { UsageError } from "./arguments.ts";

/** The engine keeps 4096 rows at most; fewer where the vocabulary is large, so that they stay below 64 MiB. */
const kept_rows_max = 4096;
const kept_bytes_max = 64 << 20;

/** "1,2,3" with or without blanks. Throws UsageError that names the word. */
export function readTokens(text: string | undefined): number[] {
  if (text === undefined || text.trim() === "") {
    throw new UsageError("model logits: --tokens 1,2,3 is missing");
  }
  return text.split(",").map((word) => {
    const digits = word.trim();
    if (/^[0-9]{1,9}$/.test(digits)) return Number(digits);
    throw new UsageError(`model logits: "${digits}" is not a token id`);
  });
}

/** One row of VOCAB floats per token, in order. Throws UsageError for an id the model has no row for. */
export async function* logitsOf(
  bundle: Bundle,
  tokens: readonly number[],
  library_path: string,
): AsyncGenerator<Float32Array> {
  const { vocab } = bundle.manifest.rwkv;
  const foreign = tokens.find((token) => token >= vocab);
  if (foreign !== undefined) {
    throw new UsageError(`model logits: token ${foreign} is not below the vocabulary of ${vocab}`);
  }
  const weights_path = bundle.weights_path;
  const engine = await openEngine({ library_path, device: "cpu", weights_path, states_max: 1, threads: 1 });
  try {
    using state = engine.open();
    state.keepLogits(true);
    const chunk = Math.max(1, Math.min(kept_rows_max, Math.floor(kept_bytes_max / (4 * vocab))));
    for (let from = 0; from < tokens.length; from += chunk) {
      state.putTokens(tokens.slice(from, from + chunk));
      while (state.pending > 0) await engine.run();
      yield* state.takeLogits();
    }
  } finally {
    await engine.close();
  }
}
