// What a decoder said when it gave up, as an error a person understands. Pure.
// Must not know processes; the words matched here are those of ffmpeg 5 to 8.
import { SourceError } from "./errors.ts";

interface Rule {
  pattern: RegExp;
  code: SourceError["code"];
  reason: string;
}

const rules: readonly Rule[] = [
  {
    pattern: /401 Unauthorized|authorization failed/i,
    code: "denied",
    reason: "user name and password are not accepted",
  },
  { pattern: /403 Forbidden|access denied/i, code: "denied", reason: "the server forbids it (403)" },
  {
    pattern:
      /verify peer certificate|certificate verify failed|certificate is not trusted|owner does not match/i,
    code: "denied",
    reason: "its certificate is not trusted (the decoder refuses it)",
  },
  { pattern: /404 Not Found/i, code: "unreachable", reason: "the server knows no such stream (404)" },
  { pattern: /Server returned 4XX/i, code: "unreachable", reason: "the server refuses the request" },
  {
    pattern: /Server returned 5XX|503 Service/i,
    code: "unreachable",
    reason: "the server has a problem of its own",
  },
  { pattern: /Connection refused/i, code: "unreachable", reason: "connection refused" },
  { pattern: /Connection timed out|timed out/i, code: "unreachable", reason: "no answer in time" },
  {
    pattern: /No route to host|Network is unreachable/i,
    code: "unreachable",
    reason: "the host cannot be reached",
  },
  { pattern: /Connection reset|Broken pipe/i, code: "unreachable", reason: "the connection was closed" },
  {
    pattern:
      /Picture size \S+ (?:is invalid|exceeds)|exceeds max_pixels|max_pixels|Invalid image size|resolution_rejected/i,
    code: "too_large",
    reason: "the picture is larger than 4096x2176 pixels (resolution_rejected)",
  },
  { pattern: /exceeds max_streams/i, code: "limits", reason: "it has too many tracks" },
  { pattern: /Cannot allocate memory/i, code: "limits", reason: "decoding it needs too much memory" },
  {
    pattern: /matches no streams|does not contain any stream|no video stream/i,
    code: "format",
    reason: "it has no video",
  },
  {
    pattern: /not on whitelist|Decoder .* not found|Unknown decoder|Decoding requested, but no decoder/i,
    code: "format",
    reason: "its video codec is not accepted",
  },
  {
    pattern: /moov atom not found/i,
    code: "format",
    reason: "the file is incomplete (its index is missing)",
  },
  {
    pattern:
      /Invalid data found|could not find codec parameters|Error opening input|EBML header|unspecified (?:size|pixel format)|Invalid argument/i,
    code: "format",
    reason: "it cannot be read as video",
  },
];

export interface FailureFacts {
  label: string;
  /** Redacted. */
  stderr: string;
  /** Recorded input: what cannot be read now cannot be read later. */
  finite: boolean;
}

/** Why a decoder ended without a picture, or broke off. */
export function decoderFailure({ label, stderr, finite }: FailureFacts): SourceError {
  const rule = rules.find(({ pattern }) => pattern.test(stderr));
  if (rule) {
    // Half a key picture after a join in the middle is unreadable too, and fine a second later.
    const retry = rule.code === "format" && !finite ? "backoff" : undefined;
    return new SourceError(rule.code, label, rule.reason, { retry });
  }
  if (
    /ENOENT|EACCES|EAGAIN|\bspawn\b|NotCapable|Requires run access|exec: .*not found|failed to execute/i.test(
      stderr,
    )
  ) {
    return new SourceError("unreachable", label, "ffmpeg cannot be started on this machine");
  }
  const line = stderr.trim().split("\n").at(-1)?.replace(/^\[[^\]]*\]\s*/, "").slice(0, 160);
  return new SourceError(
    "ended",
    label,
    line ? `the decoder stopped: ${line}` : "the stream ended without a picture",
  );
}
