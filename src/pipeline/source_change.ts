// What a change makes of a stream's settings. Pure. Must not know what addresses mean.
import type { SourceSettings, StreamChange, StreamRequest } from "./surface.ts";

/** What is left out stays, also inside the source, the gates and the settings of policy "refresh". */
export function changeRequest(
  stored: StreamRequest,
  change: StreamChange,
  redact: (settings: SourceSettings) => SourceSettings,
): StreamRequest {
  const refresh = change.refresh ? { ...stored.refresh, ...change.refresh } : stored.refresh;
  return {
    ...stored,
    ...change,
    source: change.source ? changeSource(stored.source, change.source, redact) : stored.source,
    gates: { ...stored.gates, ...change.gates },
    ...refresh && { refresh },
  };
}

/**
 * What is left out stays. An address given exactly as it is shown is the stored one, secrets included: whoever changes
 * `loop` need not know the password.
 */
export function changeSource(
  stored: SourceSettings,
  given: SourceSettings,
  redact: (settings: SourceSettings) => SourceSettings,
): SourceSettings {
  if (stored.kind !== "pull" || given.kind !== "pull") return given;
  const shown = redact(stored);
  const url = shown.kind === "pull" && shown.url === given.url ? stored.url : given.url;
  return {
    ...stored,
    url,
    ...given.transport !== undefined && { transport: given.transport },
    ...given.loop !== undefined && { loop: given.loop },
  };
}
