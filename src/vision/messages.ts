// What crosses between the main thread and the vision worker. Types only; buffers are transferred, not copied.
import type { Sight } from "./views.ts";

export type Provider = "cuda" | "webgpu" | "cpu";

export interface Refusal {
  provider: Provider;
  reason: string;
}

/** One input or output as the model declares it; a text is a dimension without a fixed size. */
export interface PortShape {
  name: string;
  type: string;
  shape: readonly (number | string)[];
}

export interface OpenRequest {
  kind: "open";
  model_path: string;
  /** Tried in this order. */
  providers: readonly Provider[];
  threads: number;
}

export interface OpenAnswer {
  provider: Provider;
  refusals: Refusal[];
  inputs: PortShape[];
  outputs: PortShape[];
}

/** A frame or a picture: height x width x 3 bytes. */
export interface SentPicture {
  rgb: ArrayBuffer;
  /** The frame one tick before, of the same size, for a tower that sees both. */
  before?: ArrayBuffer;
  width_px: number;
  height_px: number;
}

export interface RunRequest {
  kind: "run";
  pictures: SentPicture[];
  /** Its inputs are named, at least one. */
  sight: Sight;
  /** Tiles of one session run at most. */
  batch_tiles: number;
}

export interface RunAnswer {
  /** Row-major float32 of `shape`: the tiles of the first picture, those of the second … */
  vectors: ArrayBuffer;
  /** [tiles, K, D]. */
  shape: readonly number[];
  /** False when a NaN or an infinity is inside. */
  finite: boolean;
  /** Time inside the session, without resizing. */
  run_ms: number;
}

export interface CloseRequest {
  kind: "close";
}

export interface Answers {
  open: OpenAnswer;
  run: RunAnswer;
  close: Record<never, never>;
}

export type Request = OpenRequest | RunRequest | CloseRequest;
export type AnswerTo<R extends Request> = Answers[R["kind"]];

export type Envelope = { id: number; request: Request };
export type Reply = { id: number; answer: Answers[keyof Answers] } | { id: number; failure: string };
