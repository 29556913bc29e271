// Sources as the pipeline wants them, made from the streams room. Wiring: what may be opened is the policy's to say.
import {
  openSource,
  parseSource,
  probeSource,
  PushSource,
  redact,
  type SourcePolicy,
} from "../streams/mod.ts";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";
import type { SourceFactory } from "./pipeline/ports.ts";

export interface SourcesOptions {
  policy: SourcePolicy;
  log: Log;
  /** The service's own; the system's unless said. */
  clock?: Clock;
}

export function createSources({ policy, log, clock }: SourcesOptions): SourceFactory {
  const deps = {
    ...clock && { clock },
    log: (level: "debug" | "info" | "warn", message: string, fields?: Record<string, unknown>) => {
      if (level !== "debug") log[level](message, fields);
    },
  };
  return {
    check(settings) {
      if (settings.kind === "pull") parseSource(settings.url, policy);
    },
    openPull: ({ kind: _, ...spec }) => openSource(spec, policy, deps),
    openPush: () =>
      new PushSource({ label: "the publisher", grace_ms: Infinity, goodbye_ends: false, ...deps }),
    async probe(settings, signal) {
      if (settings.kind === "push") return { ok: true, reason: "a publisher may connect" };
      const { kind: _, ...spec } = settings;
      const { width: width_px, height: height_px, fps: _fps, ...found } = await probeSource(
        spec,
        policy,
        { ...deps, signal },
      );
      return { ...found, width_px, height_px };
    },
    redact: (settings) => settings.kind === "pull" ? { ...settings, url: redact(settings.url) } : settings,
  };
}
