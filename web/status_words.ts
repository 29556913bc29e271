// The state of a stream, a connection or a probe as words for a person. Pure.
import type { Probe, StreamView } from "../src/wire/mod.ts";
import type { Phase } from "./connection.ts";
import { durationText } from "./time_text.ts";

/** good: all is well; busy: it mends itself; bad: a person must act; idle: nothing is meant to happen. */
export type Tone = "good" | "busy" | "bad" | "idle";

export interface StatusWords {
  word: string;
  tone: Tone;
}

const by_status: Record<StreamView["status"], StatusWords> = {
  connecting: { word: "Connecting", tone: "busy" },
  live: { word: "Live", tone: "good" },
  stalled: { word: "Stalled", tone: "busy" },
  reconnecting: { word: "Reconnecting", tone: "busy" },
  ended: { word: "Ended", tone: "idle" },
  denied: { word: "Refused", tone: "bad" },
};

export function streamStatus(stream: Pick<StreamView, "status" | "paused">): StatusWords {
  return stream.paused ? { word: "Paused", tone: "idle" } : by_status[stream.status];
}

/** One line under the name: the reason when there is one, else for how long it has been so. */
export function statusLine(stream: StreamView, now_ms: number): string {
  const { word } = streamStatus(stream);
  const since = durationText(now_ms - stream.since_ms);
  if (stream.paused) return "Paused: what it remembers is kept";
  if (stream.status === "live") return `${word} for ${since}`;
  return stream.reason === "" ? `${word} for ${since}` : `${word}: ${stream.reason}`;
}

export function phaseWords(phase: Phase, now_ms: number): StatusWords {
  switch (phase.kind) {
    case "open":
      return { word: "Connected", tone: "good" };
    case "connecting":
      return { word: "Connecting", tone: "busy" };
    case "waiting": {
      const wait_s = Math.max(0, Math.ceil((phase.retry_at_ms - now_ms) / 1000));
      return { word: wait_s === 0 ? "Reconnecting" : `Reconnecting in ${wait_s} s`, tone: "busy" };
    }
    case "closed":
      return { word: "Not connected", tone: "bad" };
  }
}

export function probeWords(probe: Probe): string {
  if (!probe.ok) return `It does not open: ${probe.reason || "no reason was given"}.`.replace(/\.\.$/, ".");
  const size = probe.width_px && probe.height_px ? `${probe.width_px} × ${probe.height_px}` : "";
  const kind = [size, probe.codec ?? ""].filter((part) => part !== "").join(" ");
  const first = probe.first_frame_ms === undefined
    ? ""
    : `, first picture after ${(probe.first_frame_ms / 1000).toFixed(1)} s`;
  return `It works: ${kind || "pictures come"}${first}.`;
}
