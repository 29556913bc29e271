// One recurrent state: put work in, take results out, fork, export. One object per native handle.
// Must not know what a token means. Work is done by the engine's run.

import { blobs, scans } from "./_symbols.ts";
import { NativeError } from "./errors.ts";
import { type Bytes, leaks, type Library, type Out64, pointable, uint32 } from "./library.ts";

export interface ChosenToken {
  id: number;
  /** Probability it was chosen at: temperature 1, before penalties and top-p. */
  probability: number;
}

export interface SamplerSettings {
  /** 0 to 100; 0 takes the likeliest token. */
  temperature: number;
  /** Above 0, up to 1. */
  top_p: number;
  presence_penalty: number;
  count_penalty: number;
}

export interface DecodeRequest {
  /** 1 to 4096. */
  tokens_max: number;
  /** 64 bits; the same seed on the same state chooses the same tokens. */
  seed: bigint;
  /** With it, one decision comes first: below the threshold nothing is said and nothing is fed. */
  silence?: { token: number; threshold: number };
}

/** The first rows x columns vectors of a span, row-major, and the order in which layers see them. */
export interface SpanGrid {
  scan: keyof typeof scans;
  rows: number;
  columns: number;
}

/** What a state needs of its engine. */
export interface StateHost {
  readonly library: Library;
  /** The engine's handle; it stays readable until the last of its states closed. */
  readonly engine: bigint;
  readonly width: number;
  readonly vocab: number;
  readonly blob_bytes: number;
  readonly blob_half_bytes: number;
  readonly onLeak: ((sentence: string) => void) | undefined;
}

const taken_at_once = 256;

function uint32s(tokens: readonly number[] | Uint32Array): Uint32Array<ArrayBuffer> {
  if (tokens instanceof Uint32Array) return tokens as Uint32Array<ArrayBuffer>;
  return Uint32Array.from(tokens, (token) => uint32(token, "token"));
}

/** A state of NativeEngine. Every verb throws NativeError; see native/include/rwkv.h for what each promises. */
export class NativeState implements Disposable {
  readonly #host: StateHost;
  readonly #out: Out64 = new BigUint64Array(1);
  #handle: bigint;

  /** Takes over `handle`. Only NativeEngine.open and fork call this. */
  constructor(host: StateHost, handle: bigint) {
    this.#host = host;
    this.#handle = handle;
    host.library.hold();
    const { onLeak } = host; // not host itself by way of this: the report must not keep the state alive
    leaks.register(this, () => onLeak?.("A state was collected before it was closed"), this);
  }

  get #symbols() {
    return this.#host.library.symbols;
  }

  get #open(): bigint {
    if (this.#handle === 0n) throw new NativeError("misuse", "Cannot use the state: it is closed");
    return this.#handle;
  }

  #check(status: number): void {
    this.#host.library.check(this.#host.engine, status);
  }

  /** Queues token ids. "full" beyond 65,536 queued positions. */
  putTokens(tokens: readonly number[] | Uint32Array): void {
    const ids = uint32s(tokens);
    this.#check(this.#symbols.rwkv_state_put_tokens(this.#open, pointable(ids), BigInt(ids.length)));
  }

  /** Queues rows of WIDTH finite floats, row-major, as positions of the embedding sequence (before ln0). */
  putVectors(vectors: Float32Array): void {
    const { width } = this.#host, count = this.#rowsIn(vectors);
    const rows = pointable(vectors as Float32Array<ArrayBuffer>);
    this.#check(this.#symbols.rwkv_state_put_vectors(this.#open, rows, BigInt(count), BigInt(width)));
  }

  /** The same as one picture: all or nothing, and layers may see its grid in another order. */
  putSpan(vectors: Float32Array, { scan, rows, columns }: SpanGrid): void {
    const { width } = this.#host, count = this.#rowsIn(vectors);
    this.#check(
      this.#symbols.rwkv_state_put_span(
        this.#open,
        pointable(vectors as Float32Array<ArrayBuffer>),
        BigInt(count),
        BigInt(width),
        scans[scan],
        BigInt(uint32(rows, "rows")),
        BigInt(uint32(columns, "columns")),
      ),
    );
  }

  #rowsIn(vectors: Float32Array): number {
    const { width } = this.#host, count = vectors.length / width;
    if (Number.isInteger(count)) return count;
    throw new NativeError("misuse", `Cannot put ${vectors.length} floats: they are not rows of ${width}`);
  }

  /** For decodes queued from now on; copied by fork. */
  setSampler(settings: SamplerSettings): void {
    const { temperature, top_p, presence_penalty, count_penalty } = settings;
    this.#check(
      this.#symbols.rwkv_state_set_sampler(this.#open, temperature, top_p, presence_penalty, count_penalty),
    );
  }

  /** Up to 64 tokens that end a decode, for decodes queued from now on. The ending token is taken and fed. */
  setStops(tokens: readonly number[]): void {
    const ids = uint32s(tokens);
    this.#check(this.#symbols.rwkv_state_set_stops(this.#open, pointable(ids), BigInt(ids.length)));
  }

  putDecode({ tokens_max, seed, silence }: DecodeRequest): void {
    const bits = BigInt.asUintN(64, seed), count = uint32(tokens_max, "tokens_max");
    if (!silence) return this.#check(this.#symbols.rwkv_state_put_decode(this.#open, count, bits));
    const token = uint32(silence.token, "silence token");
    this.#check(this.#symbols.rwkv_state_put_decide(this.#open, token, silence.threshold, count, bits));
  }

  /** Drops queued work; what was stepped stays. */
  stop(): void {
    this.#check(this.#symbols.rwkv_state_stop(this.#open));
  }

  /** All chosen tokens that are ready, oldest first; each is given once. */
  takeTokens(): ChosenToken[] {
    const ids = new Uint32Array(taken_at_once), probabilities = new Float32Array(taken_at_once);
    const tokens: ChosenToken[] = [];
    while (true) {
      this.#check(
        this.#symbols.rwkv_state_take_tokens(
          this.#open,
          ids,
          probabilities,
          BigInt(taken_at_once),
          this.#out,
        ),
      );
      const count = Number(this.#out[0]);
      for (let i = 0; i < count; i++) tokens.push({ id: ids[i]!, probability: probabilities[i]! });
      if (count < taken_at_once) return tokens;
    }
  }

  /** Positions still queued, decodes at their maximum. 0 is a tick edge, the only place to fork and export. */
  get pending(): number {
    this.#check(this.#symbols.rwkv_state_read_pending(this.#open, this.#out));
    return Number(this.#out[0]);
  }

  /** P(speak) of the newest decision, -1 before the first, and how many were made. */
  readDecision(): { p_speak: number; decisions: number } {
    const p_speak = new Float32Array(1);
    this.#check(this.#symbols.rwkv_state_read_decision(this.#open, p_speak, this.#out));
    return { p_speak: p_speak[0]!, decisions: Number(this.#out[0]) };
  }

  /** VOCAB floats after the newest position. "misuse" before anything was fed. */
  readLogits(): Float32Array<ArrayBuffer> {
    const { vocab } = this.#host, logits = new Float32Array(vocab);
    this.#check(this.#symbols.rwkv_state_read_logits(this.#open, logits, BigInt(vocab)));
    return logits;
  }

  /** Keeps logits of every position put from now on, at most 4096 rows. For parity checks, not for serving. */
  keepLogits(keep: boolean): void {
    this.#check(this.#symbols.rwkv_state_set_keep_logits(this.#open, keep ? 1 : 0));
  }

  /** Kept rows of VOCAB floats, oldest first; each is given once. */
  takeLogits(): Float32Array<ArrayBuffer>[] {
    const { vocab } = this.#host, all = this.#takeKept(this.#symbols.rwkv_state_take_logits, vocab);
    return Array.from({ length: all.length / vocab }, (_, row) => all.slice(row * vocab, (row + 1) * vocab));
  }

  /** Keeps the vectors behind ln_out of every position put from now on, at most 65,536 rows. */
  keepVectors(keep: boolean): void {
    this.#check(this.#symbols.rwkv_state_set_keep_vectors(this.#open, keep ? 1 : 0));
  }

  /** Kept rows of WIDTH floats, row-major, in the order in which they were put; each is given once. */
  takeVectors(): Float32Array<ArrayBuffer> {
    return this.#takeKept(this.#symbols.rwkv_state_take_vectors, this.#host.width);
  }

  #takeKept(take: Library["symbols"]["rwkv_state_take_vectors"], width: number): Float32Array<ArrayBuffer> {
    this.#check(take(this.#open, null, 0n, this.#out));
    const all = new Float32Array(Number(this.#out[0]) * width);
    if (all.length > 0) this.#check(take(this.#open, all, BigInt(all.length), this.#out));
    return all;
  }

  /** One copy, with sampler and stop tokens. "busy" unless pending is 0, "full" when no slot is free. */
  fork(): NativeState {
    this.#check(this.#symbols.rwkv_state_fork(this.#open, this.#out));
    return new NativeState(this.#host, this.#out[0]!);
  }

  /** Back to the zero state; drops queued work and results. Settings stay. */
  reset(): void {
    this.#check(this.#symbols.rwkv_state_reset(this.#open));
  }

  exportBlob(): Uint8Array<ArrayBuffer> {
    const blob = new Uint8Array(this.#host.blob_bytes);
    this.#check(this.#symbols.rwkv_state_export(this.#open, blob, BigInt(blob.length), this.#out));
    return blob;
  }

  /** Half the bytes: every number is rounded to the nearest fp16. "misuse" when one is beyond 65504. */
  exportHalf(): Uint8Array<ArrayBuffer> {
    const blob = new Uint8Array(this.#host.blob_half_bytes);
    this.#check(
      this.#symbols.rwkv_state_export_as(this.#open, blobs.f16, blob, BigInt(blob.length), this.#out),
    );
    return blob;
  }

  /** Reads both kinds. "foreign" for a blob of another model or a damaged one; nothing changes then. */
  importBlob(blob: Uint8Array): void {
    const bytes: Bytes = pointable(blob as Uint8Array<ArrayBuffer>);
    this.#check(this.#symbols.rwkv_state_import(this.#open, bytes, BigInt(blob.length)));
  }

  /** Gives the slot back. Waits for the end of a step under way. Twice is fine. */
  close(): void {
    if (this.#handle === 0n) return;
    const handle = this.#handle;
    this.#handle = 0n;
    leaks.unregister(this);
    this.#symbols.rwkv_state_close(handle);
    this.#host.library.release();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
