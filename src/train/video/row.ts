// One row of a file about people's own videos: which video, what is said when, what is asked when. Checked here; the only
// thing read from the disk is a file of captions that a row names. Must not know frames, ticks or tokens.
import { join } from "node:path";
import { imagePath } from "../llava/sample_index.ts";
import { data_limits } from "../llava/limits.ts";
import { isTime, readCaptionFile, type TimedLine } from "./captions.ts";

export interface TimedQuestion {
  t: number;
  question: string;
  answer: string;
}

export interface VideoRow {
  /** Where the video lies. */
  path: string;
  /** In order of time, as the questions. */
  captions: TimedLine[];
  questions: TimedQuestion[];
}

/** The row, or what is wrong with it as half a sentence. Paths are below `video_dir`. */
export async function readVideoRow(value: unknown, video_dir: string): Promise<VideoRow | string> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "it is no object";
  const { video, captions, questions, ...rest } = value as Record<string, unknown>;
  const other = Object.keys(rest).find((name) => name !== "id");
  if (other !== undefined) return `"${other}" is not known: "video", "captions", "questions", "id"`;
  if (typeof video !== "string" || video === "") return 'it has no "video"';
  const path = imagePath(video_dir, video);
  if (path === undefined) return `its video "${video}" leads out of the folder`;
  const file = await Deno.stat(path).catch(() => undefined);
  if (!file?.isFile) return `its video "${video}": ${file ? "no file" : "not found"}`;
  if (captions === undefined && questions === undefined) return 'it has neither "captions" nor "questions"';
  const lines = await readLines(captions, video_dir);
  if (typeof lines === "string") return lines;
  const asked = readQuestions(questions);
  if (typeof asked === "string") return asked;
  return { path, captions: lines, questions: asked };
}

async function readLines(captions: unknown, video_dir: string): Promise<TimedLine[] | string> {
  if (captions === undefined) return [];
  if (typeof captions === "string") {
    const path = imagePath(video_dir, captions);
    if (path === undefined) return `its captions "${captions}" lead out of the folder`;
    const lines = await readCaptionFile(join(path));
    return typeof lines === "string" ? lines : checkLines(lines);
  }
  if (!Array.isArray(captions)) return '"captions" is no list and no path';
  return checkLines(captions);
}

function checkLines(captions: readonly unknown[]): TimedLine[] | string {
  if (captions.length > data_limits.video_lines_max) return `it has ${captions.length} captions`;
  const lines: TimedLine[] = [];
  for (const [index, one] of captions.entries()) {
    const { t, text } = (one ?? {}) as Partial<TimedLine>;
    const said = typeof text === "string" ? text.replaceAll(/\s+/g, " ").trim() : "";
    if (!isTime(t) || said === "") return `caption ${index + 1} has no "t" in seconds and "text"`;
    lines.push({ t, text: said });
  }
  return lines.sort((a, b) => a.t - b.t);
}

function readQuestions(questions: unknown): TimedQuestion[] | string {
  if (questions === undefined) return [];
  if (!Array.isArray(questions)) return '"questions" is no list';
  if (questions.length > data_limits.turns_max) return `it has ${questions.length} questions`;
  const asked: TimedQuestion[] = [];
  for (const [index, one] of questions.entries()) {
    const { t, question, answer } = (one ?? {}) as Partial<TimedQuestion>;
    const texts = [question, answer].every((text) => typeof text === "string" && text.trim() !== "");
    if (!isTime(t) || !texts) return `question ${index + 1} has no "t" in seconds, "question" and "answer"`;
    asked.push({ t, question: question!.trim(), answer: answer!.trim() });
  }
  return asked.sort((a, b) => a.t - b.t);
}
