// One object of a LLaVA data file (spec 6.8): checked, rounds without an answer dropped, long conversations split.
// Pictures are names here; must not know files, tokens or templates.
import { data_limits } from "./limits.ts";

export const image_marker = "<image>";

/** A question and its answer, as in the file; markers stand in questions only. */
export interface Round {
  human: string;
  gpt: string;
}

export interface Sample {
  id: string;
  /** Paths below the image folder, in the order of the markers. */
  images: string[];
  rounds: Round[];
}

export interface RowOptions {
  /** Rounds of one sample at most. */
  max_rounds: number;
  /** 1 where only a projector is trained, and words alone teach nothing. */
  images_min: 0 | 1;
  /** Pictures of one conversation; the positions of v6.0 know one. */
  images_max: number;
}

export interface ReadRow {
  /** At least one. */
  samples: Sample[];
  dropped_rounds: number;
}

/** The samples of a row, or what is wrong with it as half a sentence. */
export function readRow(
  value: unknown,
  { max_rounds, images_min, images_max }: RowOptions,
): ReadRow | string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "it is no object";
  const row = value as Record<string, unknown>;
  const id = row.id ?? row.sample_id;
  if (typeof id !== "string" && typeof id !== "number") return 'it has no "id" or "sample_id"';
  if (row.video !== undefined) return '"video" is not trained on';
  const images = readImages(row.image);
  if (typeof images === "string") return images;
  const turns = readTurns(row.conversations);
  if (typeof turns === "string") return turns;

  const markers = turns.reduce((sum, { human }) => sum + countMarkers(human), 0);
  if (markers !== images.length) {
    return `it has ${markers} ${image_marker} markers and ${images.length} pictures`;
  }
  if (images.length > images_max) return `it has ${images.length} pictures; ${images_max} are allowed`;
  if (images.length < images_min) return "it has no picture, and nothing but the projector is trained";
  const rounds = dropEmpty(turns);
  if (rounds.length === 0) return "it has no answer";
  const blank = rounds.findIndex(({ human }) => human.trim() === "");
  if (blank >= 0) return `question ${blank + 1} is empty`;
  return {
    samples: splitRounds({ id: String(id), images, rounds }, max_rounds),
    dropped_rounds: turns.length - rounds.length,
  };
}

function readImages(image: unknown): string[] | string {
  const images = image === undefined || image === null ? [] : Array.isArray(image) ? image : [image];
  if (images.length > data_limits.images_max) return `it has ${images.length} pictures`;
  if (images.some((path) => typeof path !== "string" || path === "")) {
    return '"image" is no path and no list of paths';
  }
  return images as string[];
}

/** A question at the end that nobody answers counts as one with an empty answer. */
function readTurns(conversations: unknown): Round[] | string {
  if (!Array.isArray(conversations) || conversations.length === 0) return 'it has no "conversations"';
  if (conversations.length > data_limits.turns_max) return `it has ${conversations.length} turns`;
  const rounds: Round[] = [];
  for (const [index, turn] of conversations.entries()) {
    const { from, value } = (turn ?? {}) as { from?: unknown; value?: unknown };
    if (typeof from !== "string" || typeof value !== "string") {
      return `turn ${index + 1} has no "from" and "value" of text`;
    }
    const wanted = index % 2 === 0 ? "human" : "gpt";
    if (from.toLowerCase() !== wanted) {
      return `turn ${index + 1} is from "${from.slice(0, 20)}", not from "${wanted}"`;
    }
    if (wanted === "human") rounds.push({ human: value, gpt: "" });
    // A marker in an answer is nothing.
    else rounds[rounds.length - 1]!.gpt = value.replaceAll(image_marker, "");
  }
  return rounds;
}

export function countMarkers(text: string): number {
  return text.split(image_marker).length - 1;
}

/** The pictures of a dropped question go to the next one, or else to the one before. */
function dropEmpty(rounds: readonly Round[]): Round[] {
  const kept: Round[] = [];
  let orphans = 0;
  for (const { human, gpt } of rounds) {
    if (gpt.trim() === "") orphans += countMarkers(human);
    else {
      kept.push({ human: withMarkers(human, orphans), gpt });
      orphans = 0;
    }
  }
  const last = kept.at(-1);
  if (last !== undefined && orphans > 0) last.human += `\n${Array(orphans).fill(image_marker).join("\n")}`;
  return kept;
}

function withMarkers(human: string, count: number): string {
  return count === 0 ? human : `${`${image_marker}\n`.repeat(count)}${human}`;
}

/** Every later piece begins with the pictures that were shown before it. */
function splitRounds({ id, images, rounds }: Sample, max_rounds: number): Sample[] {
  const samples: Sample[] = [];
  let shown = 0;
  for (let at = 0; at < rounds.length; at += max_rounds) {
    const piece = rounds.slice(at, at + max_rounds);
    const own = piece.reduce((sum, { human }) => sum + countMarkers(human), 0);
    const [first, ...others] = piece as [Round, ...Round[]];
    samples.push({
      id,
      images: images.slice(0, shown + own),
      rounds: [{ ...first, human: withMarkers(first.human, shown) }, ...others],
    });
    shown += own;
  }
  return samples;
}
