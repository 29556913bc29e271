// A file of rows about videos becomes clips: rows are read and checked, videos watched once. Bad rows are told with file and
// line, counted and left out. Must not know tokens or batches.
import { DataError } from "../llava/errors.ts";
import { data_limits } from "../llava/limits.ts";
import { listKind, readElements } from "../llava/json_elements.ts";
import { makeClip, type VideoClip } from "./clip.ts";
import { readVideoRow } from "./row.ts";
import { TickFile, type VideoEyes, type WatchVideo } from "./tick_file.ts";

export interface VideoDataOptions {
  video_dir: string;
  eyes: VideoEyes;
  watch: WatchVideo;
  /** Where files of ticks are kept. */
  dir: string;
  say(line: string): void;
  signal: AbortSignal;
}

export interface VideoData {
  clips: VideoClip[];
  rows: number;
  bad_rows: number;
  /** Lines and questions behind the end of their video. */
  late: number;
}

/** Throws DataError when it is no data file or no row is good. */
export async function openVideoData(path: string, options: VideoDataOptions): Promise<VideoData> {
  const { video_dir, eyes, watch, dir, say, signal } = options;
  const data: VideoData = { clips: [], rows: 0, bad_rows: 0, late: 0 };
  let first: string | undefined;
  for await (const { bytes, length, number, line } of readElements(path)) {
    data.rows++;
    const place = listKind(path) === "list" ? `element ${number} (line ${line})` : `line ${line}`;
    const row = bytes === undefined
      ? `it has ${length} bytes; ${data_limits.row_bytes_max} are read`
      : await readVideoRow(parse(bytes), video_dir);
    const ticks = typeof row === "string" ? row : await TickFile.open(row.path, { eyes, watch, dir, signal });
    if (signal.aborted) break;
    if (typeof row === "string" || typeof ticks === "string") {
      data.bad_rows++;
      const problem = typeof row === "string" ? row : `its video cannot be watched: ${ticks}`;
      first ??= `${path}: ${place}: ${problem}`;
      if (data.bad_rows <= data_limits.problems_listed_max) say(`${path}: ${place}: ${problem}`);
      continue;
    }
    const { clip, late } = makeClip(row, ticks, eyes.frames.rate_hz);
    if (late > 0) {
      say(`${path}: ${place}: ${late} lines or questions behind the end of the video are left out`);
    }
    data.late += late;
    data.clips.push(clip);
  }
  if (data.clips.length === 0 && !signal.aborted) {
    const why = first === undefined ? "" : `; the first: ${first}`;
    throw new DataError(
      "data_invalid",
      `Cannot train on "${path}": none of its ${data.rows} rows is good${why}`,
    );
  }
  return data;
}

/** Undefined is no object either: the row says so. */
function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
