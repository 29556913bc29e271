// What the pipeline needs of whoever keeps what survives: captions, ticks, snapshots, answers, streams. Part of ports.ts,
// which is what other rooms import. Must not know SQL or files.

export interface Caption {
  stream: string;
  /** 1, 2, 3 … per stream, without gaps, for ever. */
  seq: number;
  tick: number;
  t_media_ms: number;
  /** Wall clock of the frame spoken about, milliseconds since the epoch. */
  t_wall_ms: number;
  text: string;
  p_speak: number;
  /** From the frame's arrival to the caption's last token. */
  caption_age_ms: number;
}

/** Everything one tick fed to the state: with it a restart replays the tick bit for bit. */
export interface TickRecord {
  tick: number;
  t_media_ms: number;
  t_wall_ms: number;
  /** K x D floats as fed; under policy "refresh" of all its pictures, one after the other. */
  vectors: Float32Array;
  /** Tokens chosen and fed, empty when silent. */
  tokens: Uint32Array;
  /** Policy "refresh": all that was fed to the fresh state before the tokens, with marks for pictures. Else empty. */
  prompt: Uint32Array;
  /** What the visual-change gate remembers: a thumbnail of the frame, and how long the picture has been at rest. */
  thumbnail: Uint8Array;
}

export interface SnapshotHead {
  stream: string;
  tick: number;
  /** Newest caption number when it was taken: caption log and snapshot share one sequence. */
  seq: number;
  t_media_ms: number;
  t_wall_ms: number;
  model_hash: string;
  thumbnail: Uint8Array;
}

export interface CaptionQuery {
  after_seq?: number;
  from_ms?: number;
  to_ms?: number;
  text?: string;
  limit: number;
  newest_first?: boolean;
}

export interface AnswerRecord {
  id: string;
  stream: string;
  question: string;
  answer: string;
  /** The tick the memory was forked at. */
  tick: number;
  t_media_ms: number;
  t_wall_ms: number;
  asked_at_ms: number;
  status: "done" | "deadline" | "cancelled" | "failed";
}

export interface StreamStore {
  /** Newest caption number ever given, 0 at the start. */
  lastSeq(stream: string): number;
  captions(stream: string, query: CaptionQuery): Caption[];
  /** One transaction: the tick and, when it spoke, its caption. Throws StoreError (disk_full …); nothing is half done. */
  commitTick(stream: string, record: TickRecord, caption: Caption | undefined): void;
  /** Ticks after `tick`, oldest first. */
  ticksAfter(stream: string, tick: number): TickRecord[];
  /** Forgets ticks up to and including `tick`: they are inside every snapshot that is kept. */
  trimTicks(stream: string, tick: number): void;
  writeSnapshot(head: SnapshotHead, blob: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Newest first; only what is on disk, not yet verified. */
  listSnapshots(stream: string): SnapshotHead[];
  /** Verified bytes, or undefined when the file is damaged or gone (a reason is logged). */
  readSnapshot(stream: string, tick: number): Promise<{ head: SnapshotHead; blob: Uint8Array } | undefined>;
  deleteSnapshot(stream: string, tick: number): void;
  saveAnswer(answer: AnswerRecord): void;
  answers(stream: string, limit: number): AnswerRecord[];
}

/** A stream as it is kept over restarts. */
export interface StoredStream {
  id: string;
  /** StreamRequest as JSON. */
  spec: unknown;
  paused: boolean;
  created_ms: number;
}

export interface StreamCatalog {
  loadStreams(): StoredStream[];
  saveStream(stream: StoredStream): void;
  /** With its captions, ticks, answers and snapshots. */
  deleteStream(id: string): void | Promise<void>;
}

export interface Store extends StreamStore, StreamCatalog {}
