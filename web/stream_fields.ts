// The add and edit form as values: what is typed becomes a spec or a patch of the wire. Pure.
import {
  type SourceSpec,
  stream_patch_schema,
  stream_spec_schema,
  type StreamPatch,
  type StreamSpec,
  type StreamView,
  wire_limits,
} from "../src/wire/mod.ts";

/** As typed: numbers are text until they are checked. */
export interface StreamFields {
  name: string;
  url: string;
  transport: "tcp" | "udp";
  loop: boolean;
  tick_rate_hz: string;
  speak_threshold: string;
  /** Of a model that is asked about single pictures; empty: as the model wants. */
  instruction: string;
  language: string;
  cadence_s: string;
  every_s: string;
  gate_change: boolean;
  gate_novelty: boolean;
}

export const examples = [
  { kind: "RTSP camera", url: "rtsp://user:password@192.168.1.20:554/stream1" },
  { kind: "HLS", url: "https://example.org/live/index.m3u8" },
  { kind: "HTTP / MJPEG", url: "http://192.168.1.20/video.mjpg" },
  { kind: "File", url: "/recordings/yard.mp4" },
  { kind: "Test pattern", url: "testsrc:" },
] as const;

export function formOf(stream: StreamView | undefined): StreamFields {
  const source = stream?.source.kind === "pull" ? stream.source : undefined;
  return {
    name: stream?.name ?? "",
    url: source?.url ?? "",
    transport: source?.transport ?? "tcp",
    loop: source?.loop ?? false,
    tick_rate_hz: stream ? String(stream.tick_rate_hz) : "",
    speak_threshold: stream ? String(stream.stats.speak_threshold) : "",
    instruction: stream?.refresh?.instruction ?? "",
    language: stream?.refresh?.language ?? "",
    cadence_s: String(stream?.refresh?.cadence_s ?? ""),
    every_s: String(stream?.refresh?.every_s ?? ""),
    gate_change: stream?.gates.change ?? true,
    gate_novelty: stream?.gates.novelty ?? true,
  };
}

export function kindOf(url: string): "rtsp" | "http" | "testsrc" | "file" | "none" {
  const text = url.trim().toLowerCase();
  if (text === "") return "none";
  if (/^rtsps?:/.test(text)) return "rtsp";
  if (/^https?:/.test(text)) return "http";
  return text.startsWith("testsrc:") ? "testsrc" : "file";
}

export function sourceOf(fields: StreamFields): SourceSpec {
  const kind = kindOf(fields.url);
  return {
    kind: "pull",
    url: fields.url.trim(),
    ...(kind === "rtsp" && fields.transport === "udp" ? { transport: fields.transport } : {}),
    ...(canLoop(kind) && fields.loop ? { loop: true } : {}),
  };
}

/** Only a recording ends, and a server may have one too. */
export function canLoop(kind: ReturnType<typeof kindOf>): boolean {
  return kind === "file" || kind === "http";
}

/** Stands in an address where a password or a query was. */
const secret_mark = "***";

/** True when an address cannot be opened from here: only the server knows what is behind the mark. */
export function hidesSecret(fields: StreamFields): boolean {
  return fields.url.includes(secret_mark);
}

/** A name for those who give none: the host, the file, or the kind. */
export function nameOf(fields: StreamFields): string {
  const url = fields.url.trim();
  if (fields.name.trim() !== "") return fields.name.trim();
  if (kindOf(url) === "testsrc") return "Test pattern";
  if (kindOf(url) === "file") return url.split(/[\\/]/).at(-1) || url;
  return URL.canParse(url) ? new URL(url).hostname : url;
}

function number(text: string): number | undefined {
  return text.trim() === "" ? undefined : Number(text);
}

/** What was typed; a field that was emptied is left as it is. */
function refreshOf(fields: StreamFields): NonNullable<StreamSpec["refresh"]> {
  const { instruction, language } = fields;
  const [cadence_s, every_s] = [number(fields.cadence_s), number(fields.every_s)];
  return {
    ...(instruction.trim() === "" ? {} : { instruction }),
    ...(language.trim() === "" ? {} : { language: language.trim() }),
    ...(cadence_s === undefined ? {} : { cadence_s }),
    ...(every_s === undefined ? {} : { every_s }),
  };
}

function settingsOf(fields: StreamFields) {
  const tick_rate_hz = number(fields.tick_rate_hz);
  const speak_threshold = number(fields.speak_threshold);
  return {
    name: nameOf(fields).slice(0, wire_limits.name_chars_max),
    ...(tick_rate_hz === undefined ? {} : { tick_rate_hz }),
    ...(speak_threshold === undefined ? {} : { speak_threshold }),
    gates: { change: fields.gate_change, novelty: fields.gate_novelty },
  };
}

/** Gates that were not touched are left to the server, whose defaults may differ from what the form shows. */
export function specOf(fields: StreamFields): StreamSpec {
  const { gates, ...settings } = settingsOf(fields);
  const untouched = JSON.stringify(gates) === JSON.stringify(settingsOf(formOf(undefined)).gates);
  const refresh = refreshOf(fields);
  return {
    ...settings,
    ...(untouched ? {} : { gates }),
    ...(Object.keys(refresh).length === 0 ? {} : { refresh }),
    source: sourceOf(fields),
  };
}

/** With the defaults said too: what a patch leaves out stays. */
function sourcePatchOf(fields: StreamFields): SourceSpec {
  const kind = kindOf(fields.url);
  return {
    kind: "pull",
    url: fields.url.trim(),
    ...(kind === "rtsp" ? { transport: fields.transport } : {}),
    ...(canLoop(kind) ? { loop: fields.loop } : {}),
  };
}

/** Only what was changed. An address as it was shown, or emptied, is the one that the server has. */
export function patchOf(fields: StreamFields, stream: StreamView): StreamPatch {
  const shown = formOf(stream);
  const before = settingsOf(shown);
  const now = { ...settingsOf(fields), name: fields.name.trim() };
  const source = sourcePatchOf({ ...fields, url: fields.url.trim() || shown.url });
  const changed = JSON.stringify(source) !== JSON.stringify(sourcePatchOf(shown));
  const patch: StreamPatch = stream.source.kind === "pull" && changed ? { source } : {};
  if (now.name !== before.name) patch.name = now.name;
  if (now.tick_rate_hz !== before.tick_rate_hz) patch.tick_rate_hz = now.tick_rate_hz;
  if (now.speak_threshold !== before.speak_threshold) patch.speak_threshold = now.speak_threshold;
  if (JSON.stringify(now.gates) !== JSON.stringify(before.gates)) patch.gates = now.gates;
  const known: Record<string, unknown> = refreshOf(shown);
  const typed = Object.entries(refreshOf(fields)).filter(([key, value]) => value !== known[key]);
  if (typed.length > 0) patch.refresh = Object.fromEntries(typed);
  return patch;
}

const field_names: Record<string, string> = {
  name: "The name",
  source: "The address",
  tick_rate_hz: "Ticks per second",
  speak_threshold: "P(speak)",
  "refresh.instruction": "What is asked of each picture",
  "refresh.language": "The language",
  "refresh.cadence_s": "Seconds between captions",
  "refresh.every_s": "Seconds of a still picture",
};

/** What the wire would refuse, as a sentence; undefined when it may be sent. */
export function firstProblem(fields: StreamFields, stream: StreamView | undefined): string | undefined {
  if (!stream && fields.url.trim() === "") return "Enter an address.";
  if (hidesSecret(fields) && fields.url.trim() !== formOf(stream).url) {
    return `The address: type it whole, with what ${secret_mark} stands for.`;
  }
  const parsed = stream
    ? stream_patch_schema.safeParse(patchOf(fields, stream))
    : stream_spec_schema.safeParse(specOf(fields));
  const issue = parsed.error?.issues[0];
  return issue &&
    `${
      field_names[issue.path.slice(0, 2).join(".")] ?? field_names[String(issue.path[0])] ?? "The form"
    }: ${issue.message}.`;
}
