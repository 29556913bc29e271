// The caption policy of a bundle, and the one place where it is chosen: how a frame becomes vectors, which frames are
// worth a tick, what the memory is, and what counts as said already. Must not know: ticks, sources, captions' numbers.
import { RequestError } from "../errors.ts";
import { ChangeGate, type FrameGate } from "./change_gate.ts";
import { limits } from "./limits.ts";
import type { Memory } from "./memory.ts";
import { NoveltyGate } from "./novelty_gate.ts";
import type { Engine, Language, Picture, PictureLanguage, Vision } from "./ports.ts";
import type { Pump } from "./pump.ts";
import { RefreshGate } from "./refresh_gate.ts";
import { RefreshMemory } from "./refresh_memory.ts";
import type { RefreshSettings } from "./refresh_prompt.ts";
import { StreamMemory } from "./stream_memory.ts";
import type { Gates } from "./surface.ts";

export interface RefreshPolicy {
  kind: "refresh";
  pictures: PictureLanguage;
  /** What a stream that asks for nothing else gets. */
  settings: RefreshSettings;
  own_language: string;
  frames: number;
}

/** "stream": trained on ticks, with a silence of its own. "refresh": trained on single pictures. */
export type Policy = { kind: "stream" } | RefreshPolicy;

/** The states that one stream holds. */
const states_per_stream: Record<Policy["kind"], number> = { stream: 1, refresh: 2 };

/**
 * The states that a service takes at load: those of its streams, those of questions and chats, and one for a moment: the
 * blank one that a chat is a fork of.
 */
export function countStates(kind: Policy["kind"], streams_max: number): number {
  return streams_max * states_per_stream[kind] + limits.questions_active_max + 1;
}

/** Whose template a question to a stream is written by: a chat's, where the model was trained on chats. */
export function questionWriter(policy: Policy, language: Language): Pick<Language, "question"> {
  return policy.kind === "refresh" ? policy.pictures : language;
}

export interface Narration {
  memory: Memory;
  gate: FrameGate;
  novelty: NoveltyGate;
  /** A frame of the size that the vision asks for, and the one a tick before where there is one → its vectors. */
  encode(frame: Picture, before: Picture | undefined): Promise<Float32Array>;
}

export interface NarrationDeps {
  engine: Engine;
  pump: Pump;
  vision: Vision;
  language: Language;
  policy: Policy;
}

/** Throws RequestError when a stream asks for what its bundle does not do; `what` begins the sentence. */
export function checkRefresh(policy: Policy, { refresh }: { refresh?: unknown }, what: string): void {
  if (refresh === undefined || policy.kind === "refresh") return;
  throw new RequestError("request_invalid", `${what}: "refresh" is for bundles of policy "refresh"`);
}

/** The settings of policy "refresh" in force; null under policy "stream". */
export function settleRefresh(
  policy: Policy,
  asked: Partial<RefreshSettings> | undefined,
): RefreshSettings | null {
  return policy.kind === "refresh" ? { ...policy.settings, ...asked } : null;
}

/** Takes states of the engine. Rejects with NativeError full. */
export function openNarration(
  gates: Gates,
  refresh: Partial<RefreshSettings> | undefined,
  { engine, pump, vision, language, policy }: NarrationDeps,
): Narration {
  if (policy.kind === "stream") {
    return {
      memory: new StreamMemory(engine.open(), language, pump),
      gate: new ChangeGate(gates.change),
      novelty: new NoveltyGate(gates.novelty, { window_ms: language.repeat_ms }),
      encode: ({ rgb }, before) => vision.encode(rgb, before?.rgb),
    };
  }
  const settings = settleRefresh(policy, refresh)!;
  const first = engine.open();
  try {
    return {
      memory: new RefreshMemory([first, engine.open()], {
        ...{ ...policy, language, pump, settings },
        width: engine.info.width,
      }),
      gate: new RefreshGate(settings, gates.change),
      novelty: new NoveltyGate(gates.novelty, { last_line: true, window_ms: language.repeat_ms }),
      encode: (frame) => vision.encodePicture(frame),
    };
  } catch (error) {
    first.close();
    throw error;
  }
}
