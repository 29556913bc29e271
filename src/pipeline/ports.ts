// What the pipeline needs of the other rooms, in its own words. `ffi`, `vision`, `streams` and `store` satisfy
// these shapes without importing them; src/main.ts is where the fit is checked.
// Must not know: Hono, sockets, Deno.dlopen, ffmpeg, SQL.

import type { Probe, Publisher, PublisherEvents, SourceSettings } from "./surface.ts";

// ---- engine: weights and recurrent states -------------------------------------------------------------------

export interface EngineInfo {
  device: string;
  rwkv_version: number;
  /** D: floats in one vector. */
  width: number;
  layers: number;
  vocab: number;
  /** Memory of one state in bytes: constant for ever. */
  state_bytes: number;
  blob_bytes: number;
  weight_bytes: number;
  states_max: number;
  /** SHA-256 of the weights, hex. A state imports only into the model it came from. */
  model_hash: string;
}

export interface ChosenToken {
  id: number;
  /** Probability it was chosen at: temperature 1, before penalties and top-p. */
  probability: number;
}

export interface SamplerSettings {
  temperature: number;
  top_p: number;
  presence_penalty: number;
  count_penalty: number;
}

export interface DecodeRequest {
  tokens_max: number;
  seed: bigint;
  /** With it, one decision comes first: below the threshold nothing is said and nothing is fed. */
  silence?: { token: number; threshold: number };
}

/** The order in which layers see the patches of a picture. */
export type Scan = "row_major" | "bidirection" | "multidirection" | "spiral" | "snake" | "zigzag";

export interface SpanGrid {
  scan: Scan;
  rows: number;
  columns: number;
}

export interface EngineState extends Disposable {
  putTokens(tokens: readonly number[] | Uint32Array): void;
  /** Rows of `EngineInfo.width` floats, row-major. */
  putVectors(vectors: Float32Array): void;
  /** One picture: its first rows x columns vectors are a grid that `scan` orders anew in every layer. */
  putSpan(vectors: Float32Array, grid: SpanGrid): void;
  setSampler(settings: SamplerSettings): void;
  setStops(tokens: readonly number[]): void;
  putDecode(request: DecodeRequest): void;
  /** Drops queued work; what was stepped stays. */
  stop(): void;
  takeTokens(): ChosenToken[];
  /** Positions still queued. 0 is a tick edge, the only place where a state is copied. */
  readonly pending: number;
  readDecision(): { p_speak: number; decisions: number };
  readLogits(): Float32Array;
  fork(): EngineState;
  reset(): void;
  exportBlob(): Uint8Array<ArrayBuffer>;
  /** Half the bytes, rounded to fp16. "misuse" when a number is beyond what that holds. */
  exportHalf(): Uint8Array<ArrayBuffer>;
  /** Either kind. */
  importBlob(blob: Uint8Array): void;
  close(): void;
}

export interface Engine {
  readonly info: EngineInfo;
  readonly states_open: number;
  open(): EngineState;
  /** One bounded step for every state that has work. One at a time. */
  run(): Promise<void>;
}

/** Where exported states wait that the engine has no slot for. Its life is the process; all pages have one size. */
export interface PageStore {
  /** Answers the number to read it by. Throws, and keeps nothing, when there is no room. */
  write(bytes: Uint8Array): number;
  read(page: number): Uint8Array<ArrayBuffer>;
  free(page: number): void;
}

// ---- vision: a frame becomes vectors ------------------------------------------------------------------------

export interface Vision {
  /** Side lengths the tower wants, in pixels. */
  readonly width_px: number;
  readonly height_px: number;
  /** K: vectors of one frame. */
  readonly vectors_per_frame: number;
  /**
   * uint8 RGB, width_px x height_px x 3, row-major → K x D floats. `before` is the frame one tick before, which some towers
   * see too; without it the frame is its own. The caller keeps both.
   */
  encode(rgb: Uint8Array, before?: Uint8Array): Promise<Float32Array>;
  /** A picture of any size, resized exactly as the model was trained → rows x D floats (rows vary with tiling). */
  encodePicture(picture: Picture, options?: EncodeOptions): Promise<Float32Array>;
}

export interface EncodeOptions {
  /** Nobody's stream waits for it: frames of streams go first, within bounds. */
  patient?: boolean;
}

/** A whole picture: uint8 RGB, width x height x 3, row-major. */
export interface Picture {
  rgb: Uint8Array;
  width_px: number;
  height_px: number;
}

// ---- language: text in, tokens out, and what the model was taught to expect ---------------------------------

/** Bytes of tokens to text, holding back partial code points. */
export interface TokenDecoder {
  push(token: number): string;
  /** What is left; an unfinished code point becomes U+FFFD. */
  end(): string;
}

export interface Language {
  encode(text: string): number[];
  decoder(): TokenDecoder;
  /** Tokens fed to a fresh state before the first tick. */
  readonly preamble: readonly number[];
  /** Tokens fed before the vectors of a tick: the time mark. Empty when the model was not taught one. */
  tickMark(t_media_ms: number): readonly number[];
  /** Tokens around a question; decoding starts behind them. */
  question(text: string): readonly number[];
  readonly silence_token: number;
  readonly stop_tokens: readonly number[];
  /** Text that ends an utterance wherever it appears, e.g. two newlines; it is cut off. */
  readonly stop_text: string | undefined;
  readonly caption_sampler: SamplerSettings;
  readonly answer_sampler: SamplerSettings;
  readonly caption_tokens_max: number;
  readonly answer_tokens_max: number;
  /** P(speak) at or above which a tick speaks. */
  readonly speak_threshold: number;
  /** For so long a caption must not be said again in the same words. */
  readonly repeat_ms: number;
}

/** A part of an image question: tokens, or the vectors of picture number `image`. */
export type PromptPart = { tokens: readonly number[] } | { image: number };

export interface Turn {
  role: "system" | "user" | "assistant";
  text: string;
  /** Indices of the pictures that stand in this turn. */
  images: readonly number[];
}

/** How a bundle that was trained on single pictures is asked about them. */
export interface PictureLanguage {
  readonly images_max: number;
  /** What is asked when nobody asks. */
  readonly default_question: string;
  readonly grid: SpanGrid;
  readonly official_padding: { token: number; multiple: number } | undefined;
  /** The whole sequence up to where decoding starts. The last turn is the user's. Throws RequestError. */
  parts(turns: readonly Turn[]): PromptPart[];
  /** A turn of words behind turns that are over, up to where decoding starts. Throws RequestError. */
  question(text: string): readonly number[];
  /** What ends the model's own turn; `ended`: it said the stop already. */
  closing(ended: boolean): readonly number[];
}

/** The file of a picture becomes pixels. */
export interface PictureDecoder {
  /** `name` is for messages. Rejects with an error whose code says what is wrong, also when the signal aborts. */
  decode(bytes: Uint8Array, options: { name: string; signal?: AbortSignal }): Promise<Picture>;
}

// ---- sources: a URL or a socket becomes frames --------------------------------------------------------------

/** What a person is told about a source. `denied` is final: it is never retried. */
export type SourceStatus = "connecting" | "live" | "stalled" | "reconnecting" | "ended" | "denied";

export interface Frame {
  /** uint8 RGB, width x height x 3, row-major. */
  rgb: Uint8Array;
  width_px: number;
  height_px: number;
  /** Milliseconds on the source's own clock, from the first frame of this source, never going back. */
  t_media_ms: number;
  /** Wall clock when the frame reached this process. */
  arrived_at_ms: number;
}

export interface SourceEvents {
  onFrame(frame: Frame): void | Promise<void>;
  /** A picture for people, not for the model: a whole JPEG. */
  onPreview(jpeg: Uint8Array): void;
  /** `reason` is a sentence for a person, with no password in it. */
  onStatus(status: SourceStatus, reason: string): void;
}

/** A picture of another shape: both sides resized, or the middle of it cut out and resized. */
export type FrameFit = "stretch" | "crop";

export interface FrameRequest {
  width_px: number;
  height_px: number;
  /** Default: stretch. */
  fit?: FrameFit;
  rate_hz: number;
  /**
   * live: real time, old frames are worthless. lossless: every frame at the tick rate, as fast as `onFrame`
   * resolves (recorded input only): the media clock is the only clock.
   */
  pace: "live" | "lossless";
  /** Frames before this media time are not wanted: where a restarted stream goes on in a recording. */
  start_at_ms: number;
}

export interface FrameSource {
  /** True when the same address gives the same frames again from any position (a file, a pattern). */
  readonly replayable: boolean;
  /** Runs until the source ended for good, was denied, or the signal aborts. Never rejects: it reports. */
  run(request: FrameRequest, events: SourceEvents, signal: AbortSignal): Promise<void>;
}

/** A frame source that somebody else feeds: a browser or a program over a socket. */
export interface PushFrameSource extends FrameSource {
  /** Connects a publisher; one that was connected before is closed. */
  attach(events: PublisherEvents): Publisher;
}

export interface SourceFactory {
  /** Throws SourceError at once when the address can never be opened (scheme, policy); redacted sentence. */
  check(settings: SourceSettings): void;
  openPull(settings: Extract<SourceSettings, { kind: "pull" }>): FrameSource;
  openPush(): PushFrameSource;
  /** Abort ends it: nothing is left open when it resolves. */
  probe(settings: SourceSettings, signal?: AbortSignal): Promise<Probe>;
  /** The settings with secrets taken out, for people. */
  redact(settings: SourceSettings): SourceSettings;
}

export type * from "./store_ports.ts";
