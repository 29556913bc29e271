// How a chat with pictures becomes one sequence, as VisualRWKV models were trained: speakers, turns, and where the
// pictures stand. Satisfies the pipeline's `PictureLanguage` without importing it. Must not know engines or pixels.
import { RequestError } from "../errors.ts";
import type { Manifest } from "./manifest.ts";
import { cleanQuestion } from "./prompt.ts";

export interface ChatTurn {
  role: "system" | "user" | "assistant";
  text: string;
  /** Indices of the pictures that stand in this turn. */
  images: readonly number[];
}

export type ChatPart = { tokens: readonly number[] } | { image: number };

/** Stands where a picture does, in the data these models were trained on. Typed by a person it is nothing. */
const marker = "<image>";
/** Taken out of the question that the sandwich puts before its picture. */
const short_answer = "Answer the question using a single word or phrase.";

/** Pieces of a turn: text is tokenised piece by piece, never across a picture. */
type Piece = string | ChatPart;

export class ImagePrompt {
  readonly images_max: number;
  readonly default_question: string;
  readonly grid: { scan: NonNullable<Manifest["image"]>["scan"]; rows: number; columns: number };
  readonly official_padding: { token: number; multiple: number } | undefined;
  readonly #position: NonNullable<Manifest["image"]>["position"];
  readonly #foreword: NonNullable<Manifest["image"]>["foreword"];
  /** Behind every picture, and behind every turn without one, where the model was taught such tokens. */
  readonly #picture_end: readonly { tokens: number[] }[];
  readonly #turn_end: readonly { tokens: number[] }[];
  readonly #stop_text: string | undefined;
  readonly #encode: (text: string) => number[];

  /** A bundle that was not trained on pictures takes none; its chats are text. */
  constructor({ image, stop }: Pick<Manifest, "image" | "stop">, encode: (text: string) => number[]) {
    this.images_max = image?.images_max ?? 0;
    this.default_question = image?.question ?? "";
    this.grid = {
      scan: image?.scan ?? "row_major",
      rows: image?.scan_rows ?? 0,
      columns: image?.scan_columns ?? 0,
    };
    this.official_padding = image?.official_padding ?? undefined;
    this.#position = image?.position ?? "first";
    this.#foreword = image?.foreword ?? "conversation";
    const marks = (token: number | null | undefined) => token == null ? [] : [{ tokens: [token] }];
    this.#picture_end = marks(image?.picture_end);
    this.#turn_end = marks(image?.turn_end);
    this.#stop_text = stop.text ?? undefined;
    this.#encode = encode;
  }

  /**
   * The sequence up to where decoding starts: behind `Assistant:`, without a blank. System text comes first, wherever
   * it was said. Throws RequestError `model_no_images`, `request_invalid` or `question_invalid`.
   */
  parts(turns: readonly ChatTurn[]): ChatPart[] {
    this.#check(turns);
    const system = turns.filter(({ role }) => role === "system").map(({ text }) => this.#clean(text));
    const pieces: Piece[] = [];
    if (system.some((text) => text !== "")) pieces.push(`System: ${system.join("\n").trim()}\n\n`);
    for (const turn of turns) {
      if (turn.role === "user") pieces.push(...this.#userTurn(turn, turns));
      // What was said before with nothing in it (a call of a tool) is no turn.
      else if (turn.role === "assistant" && this.#clean(turn.text) !== "") {
        pieces.push(`Assistant: ${this.#clean(turn.text)}\n\n`, ...this.#turn_end);
      }
    }
    pieces.push("Assistant:");
    return pieces.map((piece) => typeof piece === "string" ? { tokens: this.#encode(piece) } : piece);
  }

  /** A turn of words behind turns that are over, up to where decoding starts. Throws RequestError `question_invalid`. */
  question(text: string): number[] {
    return this.parts([{ role: "user", text, images: [] }]).flatMap((part) =>
      "tokens" in part ? part.tokens : []
    );
  }

  /** What ends the model's own turn; `ended`: it said the stop already. */
  closing(ended: boolean): number[] {
    const stop = ended ? [] : this.#encode(this.#stop_text ?? "");
    return [...stop, ...this.#turn_end.flatMap(({ tokens }) => tokens)];
  }

  #check(turns: readonly ChatTurn[]): void {
    const refuse = (why: string): never => {
      throw new RequestError("request_invalid", `Cannot ask: ${why}`);
    };
    const last = turns.at(-1);
    if (last?.role !== "user") return refuse("the last message must be the user's");
    const image_count = turns.reduce((sum, { images }) => sum + images.length, 0);
    if (image_count > 0 && this.images_max === 0) {
      throw new RequestError(
        "model_no_images",
        "Cannot ask about a picture: the model was not trained on any",
      );
    }
    if (image_count > this.images_max) {
      refuse(`${image_count} pictures came, the model takes ${this.images_max} in one conversation`);
    }
    if (turns.some(({ role, images }) => role !== "user" && images.length > 0)) {
      refuse("only messages of the user may have pictures");
    }
    if (this.#question(last) === "") {
      throw new RequestError("question_invalid", "Cannot ask: the question is empty");
    }
  }

  #clean(text: string): string {
    return cleanQuestion(stripMarkers(text), this.#stop_text);
  }

  /** What a turn of the user asks: of a picture without a word, what is asked when nobody asks. */
  #question({ text, images }: ChatTurn): string {
    return this.#clean(text) || (images.length > 0 ? this.default_question : "");
  }

  #userTurn(turn: ChatTurn, turns: readonly ChatTurn[]): Piece[] {
    const question = this.#question(turn);
    if (turn.images.length === 0) return question === "" ? [] : [`User: ${question}\n\n`, ...this.#turn_end];
    const joined = turn.images.flatMap((image, index): Piece[] => {
      const picture = [{ image }, ...this.#picture_end];
      return index === 0 ? picture : ["\n", ...picture];
    });
    switch (this.#position) {
      case "middle":
        return [
          `User: ${this.#foreword === "question" ? question : this.#allSaid(turns)}\n`,
          ...joined,
          `\n${question}\n\n`,
        ];
      case "last":
        return [`User: ${question}\n`, ...joined, "\n\n"];
      case "first":
      case "many":
        return ["User: ", ...joined, `\n${question}\n\n`];
    }
  }

  /**
   * The text before the picture of a sandwich: everything the user says in the conversation. Only the turn with the
   * picture is cleaned; the others have their ends trimmed, as in training.
   */
  #allSaid(turns: readonly ChatTurn[]): string {
    return turns.filter(({ role }) => role === "user").map((turn) => {
      if (turn.images.length === 0) return stripMarkers(turn.text).replace(/\r\n?/g, "\n").trim();
      return this.#clean(this.#question(turn).replaceAll(short_answer, ""));
    }).join("\n");
  }
}

/** Takes every marker out, also those that appear when another is taken out, in one pass. */
function stripMarkers(text: string): string {
  if (!text.includes(marker)) return text;
  const kept: string[] = [];
  for (const character of text) {
    kept.push(character);
    if (character !== ">" || kept.length < marker.length) continue;
    if (kept.slice(-marker.length).join("") === marker) kept.length -= marker.length;
  }
  return kept.join("");
}
