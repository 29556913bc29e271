// The states that `gander serve` takes when nobody configures anything, for people who plan memory. Counted by the same
// rules as compose.ts opens the engine. Must not know engines.
import { config_schema } from "../config.ts";
import type { Manifest } from "../model/manifest.ts";
import { stateBytes } from "../model/rwkv_header.ts";
import { countStates } from "../pipeline/policy.ts";
import { sizeText } from "./size_text.ts";

export interface ServedStates {
  streams: number;
  /** Of the language model: those of the streams, and those of questions and chats. */
  states: number;
  /** All of them, and the one of a token compressor. */
  bytes: number;
}

/** Null for a text-only bundle, which cannot watch. */
export function servedStates({ policy, rwkv, vision }: Pick<Manifest, "policy" | "rwkv" | "vision">) {
  if (vision === null) return null;
  const streams = config_schema.shape.streams_max.parse(undefined);
  const states = countStates(policy, streams);
  const compressor = vision.compressor === null
    ? 0
    : stateBytes({ layers: vision.compressor.layers, width: rwkv.width });
  return { streams, states, bytes: states * stateBytes(rwkv) + compressor } satisfies ServedStates;
}

/** Empty for null. `other_bytes`: weights and vision. */
export function servedText(served: ServedStates | null, other_bytes: number): string {
  if (served === null) return "";
  const { streams, states, bytes } = served;
  return `${states} states for up to ${streams} streams, ${sizeText(bytes)}; ` +
    `about ${sizeText(bytes + other_bytes)} in all (streams_max lowers it)`;
}
