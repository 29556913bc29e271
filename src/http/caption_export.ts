// Captions as WebVTT, SubRip and JSON Lines text, page by page: a day's log is never in memory at once.
// Must not know HTTP.
import type { Caption, CaptionQuery } from "../pipeline/ports.ts";
import { http_limits } from "./limits.ts";
import { captionMessage } from "./to_wire.ts";

/** How long the last caption before a silence stays on the screen. */
const cue_ms_max = 4_000;

export type ExportFormat = "vtt" | "srt" | "jsonl";
export const export_types: Record<ExportFormat, string> = {
  vtt: "text/vtt; charset=utf-8",
  srt: "application/x-subrip; charset=utf-8",
  jsonl: "application/x-ndjson; charset=utf-8",
};

function pad(value: number, digits = 2): string {
  return String(value).padStart(digits, "0");
}

/** HH:MM:SS.mmm, or with a comma for SubRip. Hours go beyond two digits when a stream lives that long. */
export function cueTime(t_media_ms: number, separator: "." | ","): string {
  const ms = Math.max(0, Math.round(t_media_ms));
  const s = Math.floor(ms / 1000);
  return `${pad(Math.floor(s / 3600))}:${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}${separator}${
    pad(ms % 1000, 3)
  }`;
}

/** Text that cannot end its cue early or become markup: no blank lines, no arrow, no tags. */
export function cueText(text: string): string {
  const lines = text.split(/\s*[\r\n\u2028\u2029]\s*/).filter((line) => line !== "");
  return lines.join("\n").replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Until the next caption begins, but 4 s at most; a clock that did not advance gives no end. */
function cueEnd(caption: Caption, next: Caption | undefined): number {
  const latest_ms = caption.t_media_ms + cue_ms_max;
  if (!next || next.t_media_ms <= caption.t_media_ms) return latest_ms;
  return Math.min(next.t_media_ms, latest_ms);
}

function cue(format: ExportFormat, caption: Caption, next: Caption | undefined): string {
  if (format === "jsonl") return `${JSON.stringify(captionMessage(caption))}\n`;
  const separator = format === "vtt" ? "." : ",";
  const span = `${cueTime(caption.t_media_ms, separator)} --> ${cueTime(cueEnd(caption, next), separator)}`;
  return `${caption.seq}\n${span}\n${cueText(caption.text)}\n\n`;
}

/** Reads one page of the log, oldest first. */
export type ReadPage = (query: CaptionQuery) => Caption[];

/** Chunks of the file, one per page of the log. `query.limit` is ignored: an export is whole. */
export function* exportCaptions(
  format: ExportFormat,
  query: CaptionQuery,
  read: ReadPage,
): Generator<string> {
  if (format === "vtt") yield "WEBVTT\n\n";
  let waiting: Caption | undefined;
  let after_seq = query.after_seq ?? 0;
  for (;;) {
    const page = read({ ...query, after_seq, limit: http_limits.export_page_captions, newest_first: false });
    let chunk = "";
    for (const caption of page) {
      if (waiting) chunk += cue(format, waiting, caption);
      waiting = caption;
      after_seq = caption.seq;
    }
    if (page.length < http_limits.export_page_captions) {
      yield waiting ? chunk + cue(format, waiting, undefined) : chunk;
      return;
    }
    yield chunk;
  }
}
