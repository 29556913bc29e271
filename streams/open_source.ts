// From what a person typed to a source that can run. Must not know the service that runs it.
import type { SourcePolicy } from "./address_policy.ts";
import { type PullOptions, PullSource } from "./pull_source.ts";
import { type SourceDeps, system_deps } from "./source_deps.ts";
import { parseSource } from "./source_url.ts";

export interface SourceSpec {
  url: string;
  /** RTSP only; "tcp" unless said. */
  transport?: "tcp" | "udp";
  /** Files only: start again at the end. */
  loop?: boolean;
}

export type OpenSourceOptions =
  & Partial<SourceDeps>
  & Omit<PullOptions, "policy" | "deps" | "transport" | "loop">;

/** A source for this address. Throws SourceError `denied` for an address that may not be opened; connects nothing. */
export function openSource(
  spec: SourceSpec,
  policy: SourcePolicy,
  options: OpenSourceOptions = {},
): PullSource {
  const { transport, loop } = spec;
  const deps = { ...system_deps, ...options };
  return new PullSource(parseSource(spec.url, policy), { ...options, policy, deps, transport, loop });
}
