// What one model costs on this machine: a picture, its vectors into a state, words out of it. Medians over runs, with
// the quickest and the slowest beside them. Must not know bundles, files or command lines.
import type { Clock } from "../clock.ts";
import type { Engine, EngineState, Picture, SpanGrid, Vision } from "../pipeline/ports.ts";

export interface Timing {
  p50_ms: number;
  min_ms: number;
  max_ms: number;
  runs: number;
}

export interface ModelCost {
  /** Absent for a text-only model. */
  picture: { vision: Timing; vectors: number; prefill: Timing; prefill_per_s: number } | undefined;
  /** Plain tokens, one state. */
  prompt: { positions: number; prefill: Timing; prefill_per_s: number };
  decode: { tokens: number; decode: Timing; decode_per_s: number };
  fork: Timing;
}

export interface MeasureOptions {
  runs: number;
  prompt_positions: number;
  decode_tokens: number;
}

const picture_px = { width_px: 1280, height_px: 720 };

/** A picture with structure everywhere, so that nothing is cheaper than on a real one. */
function testPicture(): Picture {
  const { width_px, height_px } = picture_px;
  const rgb = new Uint8Array(width_px * height_px * 3);
  for (let at = 0; at < rgb.length; at++) rgb[at] = (at * 7 + (at >> 9) * 13) & 255;
  return { rgb, width_px, height_px };
}

async function time(clock: Clock, runs: number, job: () => Promise<unknown>): Promise<Timing> {
  const times_ms: number[] = [];
  for (let run = 0; run < runs; run++) {
    const begun_ms = clock.monotonic_ms();
    await job();
    times_ms.push(clock.monotonic_ms() - begun_ms);
  }
  times_ms.sort((a, b) => a - b);
  return { p50_ms: times_ms[(runs - 1) >> 1]!, min_ms: times_ms[0]!, max_ms: times_ms.at(-1)!, runs };
}

const perSecond = (count: number, { p50_ms }: Timing) => (1000 * count) / p50_ms;

/** The first run of each part is a warm-up and is not counted. Nobody else may use the engine meanwhile. */
export async function measureModel(
  engine: Engine,
  vision: { vision: Vision; grid: SpanGrid } | undefined,
  { runs, prompt_positions, decode_tokens }: MeasureOptions,
  clock: Clock,
): Promise<ModelCost> {
  const settle = async (state: EngineState) => {
    while (state.pending > 0) await engine.run();
  };
  using state = engine.open();
  const measured = async (job: () => Promise<unknown>) => {
    await job();
    return await time(clock, runs, job);
  };

  let picture: ModelCost["picture"];
  if (vision) {
    const one = testPicture();
    let vectors: Float32Array = new Float32Array();
    const seen = await measured(async () => vectors = await vision.vision.encodePicture(one));
    const count = vectors.length / engine.info.width;
    const prefill = await measured(() => {
      state.reset();
      state.putSpan(vectors, vision.grid);
      return settle(state);
    });
    picture = { vision: seen, vectors: count, prefill, prefill_per_s: perSecond(count, prefill) };
  }
  const { vocab } = engine.info;
  const tokens = Array.from({ length: prompt_positions }, (_, index) => 1 + (index * 31) % (vocab - 1));
  const prefill = await measured(() => {
    state.reset();
    state.putTokens(tokens);
    return settle(state);
  });
  const decode = await measured(async () => {
    state.putDecode({ tokens_max: decode_tokens, seed: 1n });
    await settle(state);
    const { length } = state.takeTokens();
    if (length !== decode_tokens) {
      throw new Error(`the model ended after ${length} of ${decode_tokens} tokens`);
    }
  });
  const fork = await measured(() => Promise.resolve(state.fork().close()));
  return {
    picture,
    prompt: { positions: prompt_positions, prefill, prefill_per_s: perSecond(prompt_positions, prefill) },
    decode: { tokens: decode_tokens, decode, decode_per_s: perSecond(decode_tokens, decode) },
    fork,
  };
}
