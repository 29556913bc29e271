// What a narrator needs of a stream's memory, whatever the caption policy: stream_memory.ts lives through every tick,
// refresh_memory.ts is made anew. Must not know: sources, gates, caption numbers, files.
import type { EngineState, TickRecord } from "./ports.ts";

export interface TickInput {
  /** Seeds the sampler together with the tick number: a replayed tick says the same words. */
  stream: string;
  tick: number;
  t_media_ms: number;
  /** K x D floats. */
  vectors: Float32Array;
  speak_threshold: number;
  /** The newest captions, oldest first. */
  said(): readonly string[];
  /** Text so far, whenever it grows. */
  onText?: (text: string) => void;
  /** Ends the tick between two steps of the engine; heard only where a tick `builds_aside`. */
  signal?: AbortSignal;
}

export interface TickOutcome {
  /** Empty when the tick was silent. */
  text: string;
  tokens: Uint32Array;
  /** Null when the model was not asked whether to speak. */
  p_speak: number | null;
  /** What was fed before the first word, as TickRecord has it. */
  prompt: Uint32Array;
  vectors: Float32Array;
}

/** How a snapshot holds a state. fp16 halves it, and what comes back is within rounding and not bit for bit. */
export type SnapshotNumbers = "fp32" | "fp16";

/** A state with numbers that fp16 cannot hold is written whole all the same. */
export function exportAs(
  state: Pick<EngineState, "exportBlob" | "exportHalf">,
  numbers: SnapshotNumbers,
): Uint8Array<ArrayBuffer> {
  if (numbers === "fp32") return state.exportBlob();
  try {
    return state.exportHalf();
  } catch (error) {
    if ((error as { code?: unknown }).code !== "misuse") throw error;
    return state.exportBlob();
  }
}

export interface Memory {
  /**
   * True: a tick makes the next state beside the one that is copied and asked, so nobody waits for it, and one that
   * fails or is aborted changes nothing. False: a tick changes the state itself.
   */
  readonly builds_aside: boolean;
  /** A fresh memory: zero state and the bundle's preamble. */
  begin(): Promise<void>;
  tick(input: TickInput): Promise<TickOutcome>;
  /** The newest tick is written down: what it made is the memory from now on. */
  keep(): void;
  /**
   * Brings an imported state of `tick` up to the newest of the recorded ticks, bit for bit. `records`, oldest first,
   * are all after `tick`, and before them that of `tick` itself where it is still there.
   */
  replay(records: readonly TickRecord[], tick: number): Promise<void>;
  /** Only at a tick edge, unless ticks are built aside. So is `exportBlob`. */
  fork(): EngineState;
  exportBlob(numbers?: SnapshotNumbers): Uint8Array<ArrayBuffer>;
  /** Throws when the blob is damaged or another model's; the state is unchanged then, but for work it had left. */
  importBlob(blob: Uint8Array): void;
  close(): void;
}

/** FNV-1a, 64 bit: spreads a stream's name and tick over the sampler's seeds. */
export function seedOf(stream: string, tick: number): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(`${stream}#${tick}`)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash;
}
