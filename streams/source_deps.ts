// What every source is handed from outside: time, chance, names, a log. With these replaced, tests need no waiting
// and no network. Must not know any source.
import { lookup } from "node:dns/promises";
import type { Resolver } from "./address_policy.ts";

/** Same shape as the service's own clock. */
export interface SourceClock {
  now_ms(): number;
  monotonic_ms(): number;
  /** Resolves after `duration_ms`, or at once when the signal aborts; never rejects. */
  sleep(duration_ms: number, signal?: AbortSignal): Promise<void>;
}

/** `fields` hold no secret: addresses are labels, decoder output is redacted. */
export type SourceLog = (
  level: "debug" | "info" | "warn",
  message: string,
  fields?: Record<string, unknown>,
) => void;

export interface SourceDeps {
  clock: SourceClock;
  /** Uniform in [0, 1). */
  random: () => number;
  resolve: Resolver;
  log: SourceLog;
  /** Where sockets for previews are made; the system's directory for temporary files without it. */
  temp_directory: string | undefined;
}

function sleep(duration_ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, duration_ms);
    signal?.addEventListener("abort", done, { once: true });
  });
}

export const system_deps: SourceDeps = {
  clock: { now_ms: () => Date.now(), monotonic_ms: () => performance.now(), sleep },
  random: Math.random,
  resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
  log: () => {},
  temp_directory: undefined,
};
