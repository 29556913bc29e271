// Captions as they come, to standard output or into files: one JSON object a line, WebVTT, SubRip, or plain text.
import { cueText, cueTime, exportCaptions } from "../http/caption_export.ts";
import { captionMessage } from "../http/to_wire.ts";
import type { Caption, CaptionQuery } from "../pipeline/ports.ts";
import { UsageError } from "./arguments.ts";
import type { Io } from "./io.ts";

export interface CaptionSink {
  write(caption: Caption): void;
  close(): void;
}

export interface LineFile {
  line(text: string): void;
  close(): void;
}
export type SubtitleFormat = "vtt" | "srt";

/** `path` "-" is standard output. Throws when the file cannot be written. */
export function openLines(path: string, io: Io): LineFile {
  if (path === "-") return { line: (text) => io.out(text), close: () => {} };
  const file = openForWriting(path);
  return {
    line: (text) => {
      const bytes = new TextEncoder().encode(text);
      for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
    },
    close: () => file.close(),
  };
}

function openForWriting(path: string): Deno.FsFile {
  try {
    return Deno.openSync(path, { create: true, write: true, truncate: true });
  } catch (error) {
    throw new UsageError(`Cannot write "${path}": ${(error as Error).message.replace(/ \(os error.*$/, "")}`);
  }
}

export function jsonlSink(path: string, io: Io): CaptionSink {
  const lines = openLines(path, io);
  return {
    write: (caption) => lines.line(`${JSON.stringify({ type: "caption", ...captionMessage(caption) })}\n`),
    close: () => lines.close(),
  };
}

/** `00:01:02.500  text`, for a person. */
export function textSink(io: Io): CaptionSink {
  return {
    write: (caption) =>
      io.out(`${cueTime(caption.t_media_ms, ".")}  ${cueText(caption.text).replaceAll("\n", " ")}\n`),
    close: () => {},
  };
}

/** Subtitle files need the next caption to know where a cue ends: they are written whole at the end, from the log. */
export function writeSubtitles(
  file: LineFile,
  format: SubtitleFormat,
  read: (query: CaptionQuery) => Caption[],
): void {
  for (const chunk of exportCaptions(format, { limit: 0 }, read)) file.line(chunk);
  file.close();
}
