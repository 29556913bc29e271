// A location becomes something the decoder may open: policy asked, format decided, the gate or relay in place.
// Must not know frames, retries or the decoder's life.
import { cancellable, resolveAllowed, type SourcePolicy, verifiesTls } from "./address_policy.ts";
import { asSourceError, SourceError } from "./errors.ts";
import type { DecodeInput } from "./ffmpeg_args.ts";
import { openHttpGate } from "./http_gate.ts";
import { type HeadOptions, readHttpHead } from "./http_head.ts";
import { source_limits } from "./limits.ts";
import { mediaFormat, unknownFormatReason } from "./media_format.ts";
import { openRtspRelay } from "./rtsp_relay.ts";
import type { SourceDeps } from "./source_deps.ts";
import { type NetworkLocation, parseSource, type SourceLocation } from "./source_url.ts";
import { rootsFile } from "./tls_trust.ts";

export interface OpenedInput extends AsyncDisposable {
  input: DecodeInput;
  /** It has an end: a file, a film over HTTP, a closed playlist. */
  finite: boolean;
  /** Its timestamps are worth keeping. Live cameras get the time of arrival instead. */
  has_media_clock: boolean;
  /** Its index leads exactly to the key picture before a time. */
  exact_seek: boolean;
  /** What the gate or the relay knows about a failure; more exact than the decoder's words. */
  failure(): SourceError | undefined;
}

export interface OpenOptions {
  policy: SourcePolicy;
  transport: "tcp" | "udp";
  deps: SourceDeps;
  signal: AbortSignal;
}

/** Opens an input. Throws SourceError. Dispose it when the decoder is gone. */
export async function openInput(location: SourceLocation, options: OpenOptions): Promise<OpenedInput> {
  switch (location.kind) {
    case "testsrc":
      return {
        input: { kind: "testsrc", graph: location.graph },
        finite: false,
        has_media_clock: true,
        exact_seek: false,
        failure: () => undefined,
        [Symbol.asyncDispose]: () => Promise.resolve(),
      };
    case "file":
      return await openFile(location, options.policy);
    default:
      return await (location.kind === "http" ? openHttp(location, options) : openRtsp(location, options));
  }
}

async function openFile(
  { path, label }: { path: string; label: string },
  policy: SourcePolicy,
): Promise<OpenedInput> {
  const deny = (reason: string, code: SourceError["code"] = "denied") => new SourceError(code, label, reason);
  let real_path: string;
  let head: Uint8Array;
  try {
    real_path = await Deno.realPath(path);
    if (Array.isArray(policy.allow_files)) {
      const roots = await Promise.all(
        policy.allow_files.map((root) => Deno.realPath(root).catch(() => undefined)),
      );
      const inside = roots.some((root) => root && (real_path === root || real_path.startsWith(`${root}/`)));
      if (!inside) throw deny("it is outside of the directories that are allowed");
    }
    // Before opening: opening a named pipe would wait for a writer, opening a device may do anything.
    if (!(await Deno.stat(real_path)).isFile) throw deny("it is not a regular file");
    head = await readFileHead(real_path);
  } catch (error) {
    if (error instanceof SourceError) throw error;
    if (error instanceof Deno.errors.NotFound) {
      throw new SourceError("unreachable", label, "no such file", { retry: "never", cause: error });
    }
    throw new SourceError("denied", label, "the file may not be read", { cause: error });
  }
  const format = mediaFormat(head);
  if (format === "hls") throw deny("a playlist on disk is not read: it could name other files", "format");
  if (format === undefined) throw deny(unknownFormatReason(head), "format");
  return {
    input: { kind: "file", path: real_path, format },
    finite: true,
    has_media_clock: true,
    exact_seek: format === "mov",
    failure: () => undefined,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function readFileHead(path: string): Promise<Uint8Array> {
  using file = await Deno.open(path);
  const head = new Uint8Array(source_limits.sniff_bytes);
  let filled = 0;
  for (;;) {
    const count = filled < head.byteLength ? await file.read(head.subarray(filled)) : null;
    if (count === null) return head.subarray(0, filled);
    filled += count;
  }
}

async function openHttp(
  location: NetworkLocation,
  { policy, deps, signal }: OpenOptions,
): Promise<OpenedInput> {
  const options: HeadOptions = { policy, resolve: deps.resolve, signal };
  const head = await readHttpHead(location, options);
  const format = mediaFormat(head.bytes, head.content_type);
  if (format === undefined) throw new SourceError("format", location.label, unknownFormatReason(head.bytes));
  const finite = format === "hls"
    ? await isClosedPlaylist(location, options)
    : format === "mov" || head.finite && format !== "mpjpeg";
  const verify_tls = head.verified ? { roots_file: await rootsFile() } : undefined;
  const gate = openHttpGate(policy, deps.resolve);
  return {
    input: { kind: "http", url: location.url.href, format, proxy_url: gate.url, verify_tls },
    finite,
    has_media_clock: finite || format === "hls",
    exact_seek: format === "mov",
    failure() {
      if (gate.refused) {
        return new SourceError("denied", location.label, `it leads elsewhere, and ${gate.refused}`);
      }
      if (gate.untrusted) return new SourceError("denied", location.label, gate.untrusted);
      return gate.failed ? new SourceError("unreachable", location.label, gate.failed) : undefined;
    },
    [Symbol.asyncDispose]: () => gate[Symbol.asyncDispose](),
  };
}

/** A playlist is live until it says that it is closed. A master does not say it; its variants do. */
async function isClosedPlaylist(location: NetworkLocation, options: HeadOptions): Promise<boolean> {
  const wide = { ...options, bytes_max: source_limits.playlist_bytes_max };
  const master = await readHttpHead(location, wide);
  let text = new TextDecoder().decode(master.bytes);
  const variant = /#EXT-X-STREAM-INF[^\n]*\n\s*([^#\s][^\r\n]*)/.exec(text)?.[1];
  if (variant !== undefined) {
    const target = parseSource(new URL(variant, master.location.url).href, options.policy);
    if (target.kind !== "http") {
      throw new SourceError("denied", location.label, "it leads to something that is not HTTP");
    }
    text = new TextDecoder().decode((await readHttpHead(target, wide)).bytes);
  }
  return /#EXT-X-ENDLIST|#EXT-X-PLAYLIST-TYPE:\s*VOD/.test(text);
}

async function openRtsp(location: NetworkLocation, options: OpenOptions): Promise<OpenedInput> {
  const { label } = location;
  const resolved = await resolveAllowed(
    location.host,
    options.policy,
    cancellable(options.deps.resolve, options.signal),
  );
  if ("refused" in resolved) throw new SourceError("denied", label, resolved.refused);
  if ("failed" in resolved) throw new SourceError("unreachable", label, resolved.failed);
  const verify_tls = verifiesTls(resolved.address, options.policy);
  const relay = await openRtspRelay(location, { address: resolved.address, verify_tls }).catch((error) => {
    throw asSourceError(error, label);
  });
  return {
    input: { kind: "rtsp", url: relay.url, transport: options.transport },
    finite: false,
    has_media_clock: false,
    exact_seek: false,
    failure() {
      if (relay.redirected) {
        return new SourceError("denied", label, "it redirects to another address; name that one");
      }
      if (relay.untrusted) return new SourceError("denied", label, relay.untrusted);
      if (relay.status === 401) {
        return new SourceError("denied", label, "user name and password are not accepted");
      }
      if (relay.status === 403) return new SourceError("denied", label, "the server forbids it (403)");
      if (relay.status === 404) {
        return new SourceError("unreachable", label, "the server knows no such stream (404)");
      }
      if (relay.status === 461) {
        return new SourceError("unreachable", label, `${options.transport} is not supported`);
      }
      return relay.failed ? new SourceError("unreachable", label, relay.failed) : undefined;
    },
    [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose](),
  };
}
