// The security gate for what a person types: text to a source of a known kind, or a refusal. Pure.
// Must not know processes, sockets or the file system.
import { classifyAddress, refusal, type SourcePolicy } from "./address_policy.ts";
import { SourceError } from "./errors.ts";
import { source_limits } from "./limits.ts";

export type SourceLocation =
  | { kind: "file"; path: string; label: string }
  | NetworkLocation
  | { kind: "testsrc"; graph: string; rate_hz: number; label: string };

export interface NetworkLocation {
  kind: "http" | "rtsp";
  /** Canonical, with user and password; only for the decoder's argument list. */
  url: URL;
  /** Canonical host without brackets: a name or a literal address. */
  host: string;
  port: number;
  /** What people may see. */
  label: string;
}

/** Generators that need no input and never read anything. */
const patterns = [
  "testsrc",
  "testsrc2",
  "smptebars",
  "smptehdbars",
  "rgbtestsrc",
  "yuvtestsrc",
  "mandelbrot",
];
const default_ports: Record<string, number> = { "http:": 80, "https:": 443, "rtsp:": 554, "rtsps:": 322 };

/** Text to location. Throws SourceError `denied` for everything outside a short list of schemes and forms. */
export function parseSource(text: string, policy: SourcePolicy): SourceLocation {
  const refuse = (reason: string, label = redact(text).slice(0, 80)): never => {
    throw new SourceError("denied", label, reason);
  };
  if (text === "") refuse("the address is empty");
  if (text.length > source_limits.address_chars_max) refuse("the address is too long");
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(text)) refuse("the address contains control characters", "…");
  // Two URL parsers disagree about a backslash, and that is how a check is passed and another host opened.
  if (text.includes("\\")) refuse("the address contains a backslash");
  if (text.startsWith("-")) refuse("the address starts with a dash");

  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1].toLowerCase();
  if (scheme === undefined && /^[^/]*:/.test(text)) {
    refuse("a file name with a colon in it is written ./name");
  }
  if (scheme === undefined) return fileLocation(text, policy, refuse);
  if (scheme === "testsrc") return patternLocation(text, refuse);
  if (!["file", "http", "https", "rtsp", "rtsps"].includes(scheme)) {
    refuse(`"${scheme}:" is not a kind of source`);
  }

  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return refuse("the address is not a URL");
  }
  if (scheme === "file") {
    if (url.host !== "") refuse("a file has no host");
    return fileLocation(percentDecoded(url.pathname), policy, refuse);
  }
  return networkLocation(url, policy, refuse);
}

type Refuse = (reason: string, label?: string) => never;

function fileLocation(path: string, policy: SourcePolicy, refuse: Refuse): SourceLocation {
  const label = path.split("/").at(-1) || path;
  if (path.includes("\0")) refuse("the address contains control characters", "…");
  if (policy.allow_files === false) refuse("files of this machine are not allowed", label);
  return { kind: "file", path, label };
}

function networkLocation(url: URL, policy: SourcePolicy, refuse: Refuse): SourceLocation {
  const secure = url.protocol.endsWith("s:");
  let host: string;
  try {
    // For rtsp: the URL parser leaves the host as it is; for http: it turns 0x7f000001 and 127.1 into what they
    // mean. One more pass through it makes both the same.
    host = new URL(`http://${url.hostname}/`).hostname.replace(/^\[|\]$/g, "");
  } catch {
    return refuse("the host is not valid");
  }
  if (host === "") refuse("the host is missing");
  url.hash = "";
  const port = url.port === "" ? default_ports[url.protocol] : Number(url.port);
  const location: NetworkLocation = {
    kind: url.protocol.startsWith("http") ? "http" : "rtsp",
    url,
    host,
    port,
    label: labelOf(url, secure),
  };
  const reason = classifyAddress(host) === undefined ? undefined : refusal(host, policy);
  if (reason) refuse(reason, location.label);
  if (/^(.*\.)?localhost$/.test(host) && !policy.allow_loopback) {
    refuse("addresses of this machine are not allowed", location.label);
  }
  return location;
}

function labelOf(url: URL, secure: boolean): string {
  const scheme = url.protocol.startsWith("http") ? "http" : "rtsp";
  const rest = url.pathname.length > 1 || url.search !== "" ? "/…" : "/";
  return `${scheme}${secure ? "s" : ""}://${url.host}${rest}`;
}

/** `testsrc:` or `testsrc:pattern?size=640x480&rate=25&name=mandelbrot`. */
function patternLocation(text: string, refuse: Refuse): SourceLocation {
  const label = "testsrc:";
  const match = /^testsrc:(?:\/\/)?([a-z0-9]*)(?:\?(.*))?$/i.exec(text);
  if (!match) return refuse("a test pattern is written testsrc:?size=640x480&rate=25&name=testsrc2", label);
  const query = new URLSearchParams(match[2] ?? "");
  for (const key of query.keys()) {
    if (!["size", "rate", "name"].includes(key)) refuse(`a test pattern has no "${key}"`, label);
  }
  const name = query.get("name") ?? (match[1] === "" || match[1] === "pattern" ? "testsrc2" : match[1]);
  if (!patterns.includes(name)) refuse(`the test patterns are ${patterns.join(", ")}`, label);
  const size = /^(\d{2,4})x(\d{2,4})$/.exec(query.get("size") ?? "640x480");
  const width = Number(size?.[1]), height = Number(size?.[2]);
  const side_max = source_limits.side_px_max;
  if (!size || width < 16 || height < 16 || width > side_max || height > side_max) {
    refuse(`the size of a test pattern is like 640x480, each side 16 to ${side_max}`, label);
  }
  if (width * height > source_limits.pixels_max) refuse("the test pattern has too many pixels", label);
  const rate_text = query.get("rate") ?? "25";
  const rate_hz = Number(rate_text);
  if (!/^\d{1,3}(\.\d{1,3})?$/.test(rate_text) || rate_hz <= 0 || rate_hz > 120) {
    refuse("the rate of a test pattern is above 0 and at most 120", label);
  }
  return { kind: "testsrc", graph: `${name}=size=${width}x${height}:rate=${rate_hz}`, rate_hz, label };
}

/** Any text without user names, passwords and query strings of the addresses in it. */
export function redact(text: string): string {
  return text
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"']*@/gi, "$1***@")
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/[^\s?#"']*)\?[^\s"']*/gi, "$1?***")
    .replace(/\b(authorization|cookie):[^\r\n]*/gi, "$1: ***");
}

/** `redact` for the output of a process that was given this location: every spelling of its secrets goes. */
export function redactorFor(location: SourceLocation): (text: string) => string {
  if (location.kind !== "http" && location.kind !== "rtsp") return redact;
  const { username, password, search } = location.url;
  const secrets = [password, percentDecoded(password), search.slice(1), username, percentDecoded(username)]
    .filter((secret) => secret.length >= 3);
  return (text) => redact(secrets.reduce((scrubbed, secret) => scrubbed.replaceAll(secret, "***"), text));
}

/** Percent escapes resolved; the text as it is when they are broken. */
export function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
