// "Test this address": opens a source, waits for its first picture, says what it found. Keeps nothing running.
// Must not know streams or who asks.
import type { SourcePolicy } from "./address_policy.ts";
import { runDecoder } from "./decode_run.ts";
import { asSourceError, SourceError } from "./errors.ts";
import { decoderFailure } from "./ffmpeg_reason.ts";
import { source_limits } from "./limits.ts";
import { openInput } from "./open_input.ts";
import type { SourceSpec } from "./open_source.ts";
import { type SourceDeps, system_deps } from "./source_deps.ts";
import { parseSource, redactorFor, type SourceLocation } from "./source_url.ts";

export interface ProbeResult {
  ok: boolean;
  /** As the source sends it. */
  width?: number;
  height?: number;
  codec?: string;
  fps?: number;
  /** From the start of the probe to the first picture. */
  first_frame_ms?: number;
  /** A sentence for a person, with no password in it. */
  reason: string;
}

export interface ProbeOptions extends Partial<SourceDeps> {
  timeout_ms?: number;
  signal?: AbortSignal;
}

/** What ffmpeg says about the first video track, e.g. `Video: h264 (High), yuv420p, 640x360 [SAR 1:1], 25 fps`. */
export function videoFacts(
  line: string,
): Pick<ProbeResult, "codec" | "width" | "height" | "fps"> | undefined {
  const match = /Stream #0:\d+.*?: Video: ([a-z0-9_]+).*?, (\d{2,5})x(\d{2,5})\b/.exec(line);
  if (!match) return undefined;
  const fps = /, ([\d.]+) fps/.exec(line)?.[1];
  return {
    codec: match[1],
    width: Number(match[2]),
    height: Number(match[3]),
    ...fps && { fps: Number(fps) },
  };
}

interface Attempt {
  facts: Partial<ProbeResult>;
  /** Undefined when a picture came. */
  error: SourceError | undefined;
}

/** Opens and closes a source. Never rejects: what went wrong is the reason. */
export async function probeSource(
  spec: SourceSpec,
  policy: SourcePolicy,
  options: ProbeOptions = {},
): Promise<ProbeResult> {
  const deps = { ...system_deps, ...options };
  const { timeout_ms = source_limits.first_frame_ms_max } = options;
  const begun_ms = deps.clock.monotonic_ms();
  const stop = new AbortController();
  const outside = () => stop.abort();
  options.signal?.addEventListener("abort", outside, { once: true });
  const deadline = deps.clock.sleep(timeout_ms, stop.signal).then(outside);
  try {
    const location = parseSource(spec.url, policy);
    let result: Attempt | undefined;
    for (const probe_bytes of [source_limits.probe_bytes, source_limits.probe_bytes_max]) {
      result = await attempt(location, { spec, policy, deps, signal: stop.signal, probe_bytes });
      if (result.error?.code !== "format" || result.error.retry === "never") break;
    }
    const { facts, error } = result!;
    if (error) return { ok: false, ...facts, reason: error.message };
    const first_frame_ms = Math.round(deps.clock.monotonic_ms() - begun_ms);
    return { ok: true, ...facts, first_frame_ms, reason: "a picture came" };
  } catch (error) {
    return { ok: false, reason: asSourceError(error, "source").message };
  } finally {
    stop.abort();
    await deadline;
    options.signal?.removeEventListener("abort", outside);
  }
}

interface AttemptOptions {
  spec: SourceSpec;
  policy: SourcePolicy;
  deps: SourceDeps;
  signal: AbortSignal;
  probe_bytes: number;
}

async function attempt(location: SourceLocation, options: AttemptOptions): Promise<Attempt> {
  const { spec: { transport = "tcp" }, policy, deps, signal, probe_bytes } = options;
  await using opened = await openInput(location, { policy, transport, deps, signal });
  const facts: Partial<ProbeResult> = {};
  const came = new AbortController();
  const end = await runDecoder({
    input: opened.input,
    ...{ width_px: 32, height_px: 32, rate_hz: 25, timing: opened.has_media_clock ? "media" : "arrival" },
    ...{ start_s: 0, seek_s: 0, real_time: false, verbose: true, probe_bytes },
  }, {
    onLine: (line) => void (facts.codec ?? Object.assign(facts, videoFacts(line))),
    onFrame: () => came.abort(),
  }, {
    ...{ clock: deps.clock, signal: AbortSignal.any([signal, came.signal]), temp_directory: undefined },
    ...{ first_frame_ms: source_limits.first_frame_ms_max, stall_ms: source_limits.stall_ms },
  });
  if (came.signal.aborted) return { facts, error: undefined };
  const { label } = location;
  const stderr = redactorFor(location)(end.exit.stderr);
  const late = () => new SourceError("stalled", label, "no picture came in time");
  const said = () => decoderFailure({ label, stderr, finite: opened.finite });
  return { facts, error: opened.failure() ?? (end.why === "exit" ? said() : late()) };
}
