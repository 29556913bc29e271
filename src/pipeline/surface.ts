// What the pipeline offers to the rooms above it (src/http, src/cli): one interface, so that they can be built and
// tested against a fake. Implemented by service.ts. Must not know: HTTP, sockets, wire formats.
import type {
  AnswerRecord,
  Caption,
  CaptionQuery,
  SamplerSettings,
  SnapshotHead,
  SourceStatus,
  Turn,
} from "./ports.ts";
import type { RefreshSettings } from "./refresh_prompt.ts";

export type { RefreshSettings };

export type SourceSettings =
  | { kind: "pull"; url: string; transport?: "tcp" | "udp"; loop?: boolean }
  | { kind: "push" };

export interface Gates {
  change: boolean;
  novelty: boolean;
}

/** What a person asks for; what is missing takes the default of the bundle or of limits.ts. */
export interface StreamRequest {
  id?: string;
  name: string;
  source: SourceSettings;
  tick_rate_hz?: number;
  pace?: "live" | "lossless";
  gates?: Partial<Gates>;
  speak_threshold?: number;
  /** Bundles of policy "refresh" only. */
  refresh?: Partial<RefreshSettings>;
}
export type StreamChange = Partial<Omit<StreamRequest, "id" | "pace">>;

/**
 * Frames: offered = fed + mailbox + still + failed + waiting, always. Waiting are at most one frame in the mailbox and
 * one in its tick. `mailbox` counts frames replaced by a newer one and frames of a tick that had one; `failed` those of
 * a tick that failed. The others count other things: captions (novelty), ticks (empty), push messages (refused).
 */
export interface DropCounts {
  mailbox: number;
  still: number;
  failed: number;
  novelty: number;
  empty: number;
  refused: number;
}

export interface StreamStats {
  ticks: number;
  frames_offered: number;
  frames_fed: number;
  captions: number;
  /** Of the newest tick; null also under policy "refresh", where nothing is decided. */
  p_speak: number | null;
  speak_threshold: number;
  caption_age_p50_ms: number | null;
  caption_age_p95_ms: number | null;
  step_p50_ms: number | null;
  step_p95_ms: number | null;
  state_bytes: number;
  memory_age_ms: number;
  snapshots: number;
  questions_active: number;
  viewers: number;
  drops: DropCounts;
}

export interface StreamView {
  id: string;
  name: string;
  /** Secrets taken out. */
  source: SourceSettings;
  tick_rate_hz: number;
  pace: "live" | "lossless";
  gates: Gates;
  /** Null: the bundle's policy is "stream". */
  refresh: RefreshSettings | null;
  paused: boolean;
  status: SourceStatus;
  reason: string;
  since_ms: number;
  created_ms: number;
  last_seq: number;
  stats: StreamStats;
}

export interface ModelView {
  name: string;
  /** How captions come about: the manifest's. */
  policy: "stream" | "refresh";
  trained: boolean;
  fake: boolean;
  limits_note: string;
  device: string;
  rwkv_version: number;
  width: number;
  layers: number;
  vectors_per_frame: number;
  state_bytes: number;
  model_hash: string;
}

export interface Probe {
  ok: boolean;
  reason: string;
  width_px?: number;
  height_px?: number;
  codec?: string;
  first_frame_ms?: number;
}

export type StreamEvent =
  | { type: "stream.changed"; stream: StreamView }
  | { type: "stream.removed"; stream: string }
  | { type: "stream.status"; stream: string; status: SourceStatus; reason: string; since_ms: number }
  | { type: "caption.delta"; stream: string; tick: number; t_media_ms: number; text: string }
  | { type: "caption.final"; caption: Caption }
  | { type: "stats"; stream: string; stats: StreamStats }
  | { type: "drop.report"; stream: string; drops: DropCounts }
  | { type: "picture"; stream: string; t_media_ms: number; jpeg: Uint8Array };

/** The moment a question is about. Past moments are answered from the newest snapshot at or before them. */
export type Moment =
  | { kind: "now" }
  | { kind: "tick"; tick: number }
  | { kind: "media"; t_media_ms: number }
  | {
    kind: "wall";
    t_wall_ms: number;
  };

export interface QuestionRequest {
  question: string;
  at: Moment;
  deadline_ms?: number;
  /** Text so far, whenever it grows. */
  onText?(text: string): void;
  /** Abort cancels: the answer comes back with status "cancelled". */
  signal?: AbortSignal;
}

export interface Answered extends AnswerRecord {
  /** Newest captions up to the moment asked about. */
  evidence: Caption[];
}

/** A chat with the model itself: about pictures, or only in words. No stream takes part. */
export interface DescribeRequest {
  /** The last one is the user's. `images` are indices of `pictures`. */
  turns: readonly Turn[];
  /** Whole files, as they are; `name` is for messages. */
  pictures: readonly { name: string; bytes: Uint8Array }[];
  /** What is left out is the bundle's. */
  sampler?: Partial<SamplerSettings>;
  tokens_max?: number;
  /** Each ends the answer wherever it appears, beside the bundle's own; it is cut off. */
  stop_texts?: readonly string[];
  /** The same seed and question give the same words. Default: made of the question. */
  seed?: bigint;
  /** The left padding of the official evaluator of v7: greedy, everything fed again for every word. Slow. */
  official_padding?: boolean;
  /** Infinity: none. Default: limits.picture_deadline_ms. */
  deadline_ms?: number;
  /** Text so far, whenever it grows. */
  onText?(text: string): void;
  /** Abort ends it with what was said so far. */
  signal?: AbortSignal;
}

export interface DescribedPicture {
  name: string;
  width_px: number;
  height_px: number;
  /** What the model was fed for it. */
  vectors: number;
}

export interface Described {
  text: string;
  /** stop: the model ended it. length: the bound on its tokens. */
  ended: "stop" | "length" | "deadline" | "cancelled";
  /** Tokens and vectors fed before the first word. */
  positions: number;
  /** Tokens chosen. */
  tokens: number;
  pictures: DescribedPicture[];
}

export type PushFormat = "jpeg" | "h264" | "webm";

/** One media message of a publisher, already parsed. */
export interface PushMessage {
  codec: PushFormat;
  key_frame: boolean;
  /** The publisher's clock, microseconds; only differences count. */
  t_media_us: number;
  /** Counts the messages of one connection; wraps at 2^32. */
  sequence: number;
  payload: Uint8Array;
}

export type PushVerdict =
  | { taken: true }
  /** Dropped and counted; the connection stays. */
  | { taken: false; dropped: "not_running" | "no_credit" | "out_of_order" | "waiting_for_key" }
  /** The message breaks the rules: the connection is to be closed with this. */
  | { taken: false; error: Error };

/** What a publisher's connection hears. */
export interface PublisherEvents {
  /** This many messages more may be sent. */
  onCredit(messages: number): void;
  /** Over for a reason of ours: another publisher took over, nothing can be decoded, the stream was stopped. */
  onClosed(error: Error): void;
}

/** A connected publisher. The newest of a stream is heard; its stream outlives it (a page reload goes on). */
export interface Publisher {
  offer(message: PushMessage): PushVerdict;
  /** The publisher is gone; `for_good` when it said goodbye. */
  detach(for_good: boolean): void;
}

export interface Surface {
  readonly model: ModelView;
  /** True when a model is loaded and streams can run. */
  readonly ready: boolean;

  list(): StreamView[];
  /** Throws RequestError stream_unknown. So do all that take an id. */
  get(id: string): StreamView;
  /** Throws CapacityError streams_full, RequestError stream_exists. */
  add(request: StreamRequest): Promise<StreamView>;
  /** What is left out stays, in the source too; an address given as it is shown keeps the stored one with its secrets. */
  change(id: string, change: StreamChange): Promise<StreamView>;
  remove(id: string): Promise<void>;
  pause(id: string): Promise<StreamView>;
  resume(id: string): Promise<StreamView>;
  /** Opens a source without adding it: the Test button. Abort ends it. Throws CapacityError probes_full. */
  probe(source: SourceSettings, signal?: AbortSignal): Promise<Probe>;

  captions(id: string, query: CaptionQuery): Caption[];
  /** Throws CapacityError questions_full, RequestError moment_unknown | question_invalid. */
  ask(id: string, request: QuestionRequest): Promise<Answered>;
  answers(id: string, limit: number): AnswerRecord[];
  /**
   * Throws CapacityError questions_full, RequestError model_no_images | request_invalid | question_invalid, and the
   * decoder's error for a picture that cannot be read.
   */
  describe(request: DescribeRequest): Promise<Described>;

  snapshots(id: string): SnapshotHead[];
  /** Takes one now, at the next tick edge. */
  takeSnapshot(id: string): Promise<SnapshotHead>;
  /** Verified bytes of a snapshot's state, for download. */
  readSnapshot(id: string, tick: number): Promise<{ head: SnapshotHead; blob: Uint8Array }>;
  /** The newest picture for people, if any frame came yet. */
  picture(id: string): { jpeg: Uint8Array; t_media_ms: number; t_wall_ms: number } | undefined;

  /** Throws RequestError when the stream is not a push stream or is paused. Takes over from an earlier publisher. */
  publish(id: string, events: PublisherEvents): Publisher;

  /** Events of every stream, synchronously, in order. A listener must not block or throw. Returns the way out. */
  listen(listener: (event: StreamEvent) => void): () => void;
  /** Tells the stream how many people watch it. */
  countViewers(id: string, change: 1 | -1): void;
}
