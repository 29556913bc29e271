// Lines with their times out of a file beside a video: WebVTT, SubRip, or JSON Lines as `gander watch --jsonl` writes them. A
// line stands where its cue begins. Pure but for one read; must not know videos or models.
import { extname } from "node:path";

export interface TimedLine {
  /** Seconds of the video. */
  t: number;
  text: string;
}

/** Hours may be missing; a comma in SubRip, a point in WebVTT. */
const cue_times = /^\s*(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})\s*-->/;

/** The lines in order of time, or what is wrong as half a sentence. */
export async function readCaptionFile(path: string): Promise<TimedLine[] | string> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    return `its captions: ${error instanceof Deno.errors.NotFound ? "not found" : (error as Error).message}`;
  }
  const format = extname(path).toLowerCase();
  if (format === ".jsonl") return readJsonLines(text);
  if (format !== ".vtt" && format !== ".srt") return `its captions: "${format}" is not .vtt, .srt or .jsonl`;
  return readCues(text);
}

/** WebVTT and SubRip alike: whatever stands above the first times is a header, a number or a name. */
export function readCues(text: string): TimedLine[] | string {
  const lines: TimedLine[] = [];
  let open: { t: number; words: string[] } | undefined;
  const close = () => {
    const said = plainText(open?.words.join(" ") ?? "");
    if (open && said !== "") lines.push({ t: open.t, text: said });
    open = undefined;
  };
  for (const line of text.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/)) {
    const times = cue_times.exec(line);
    if (times) {
      close();
      const [, hours = "0", minutes, seconds, rest] = times;
      const t = Number(hours) * 3600 + Number(minutes) * 60 + Number(`${seconds}.${rest}`);
      open = { t, words: [] };
    } else if (line.trim() === "") close();
    else open?.words.push(line);
  }
  close();
  if (lines.length === 0) return "its captions: there is no cue in the file";
  return lines.sort((a, b) => a.t - b.t);
}

function readJsonLines(text: string): TimedLine[] | string {
  const lines: TimedLine[] = [];
  for (const [index, row] of text.split("\n").entries()) {
    if (row.trim() === "") continue;
    let value: { t?: unknown; t_media_ms?: unknown; text?: unknown; type?: unknown } | null;
    try {
      value = JSON.parse(row);
    } catch {
      return `its captions: line ${index + 1} is no JSON`;
    }
    if (value?.type !== undefined && value.type !== "caption") continue;
    const t = typeof value?.t_media_ms === "number" ? value.t_media_ms / 1000 : value?.t;
    if (!isTime(t) || typeof value?.text !== "string") {
      return `its captions: line ${index + 1} has no "t" (or "t_media_ms") and "text"`;
    }
    lines.push({ t, text: value.text });
  }
  return lines.sort((a, b) => a.t - b.t);
}

export function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

/** Without marks of speakers and letters, and what stands for a letter as that letter. */
function plainText(text: string): string {
  return text.replaceAll(/<[^>]*>/g, "").replaceAll(/\{\\[^}]*\}/g, "")
    .replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&nbsp;", " ").replaceAll("&amp;", "&")
    .replaceAll(/\s+/g, " ").trim();
}
