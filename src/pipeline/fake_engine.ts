// A fake engine, for tests and UI work only: its words come from a hash of everything it was fed, so it obeys every law
// of the real one (fork, replay, export) and understands nothing. Whoever shows its captions must say so.
import { GanderError } from "../errors.ts";
import type {
  ChosenToken,
  DecodeRequest,
  Engine,
  EngineInfo,
  EngineState,
  SamplerSettings,
} from "./ports.ts";

const blob_magic = 0x454b4146; // "FAKE"
const blob_bytes = 20;
export const fake_vocab = 64;
export const fake_width = 8;
export const fake_silence_token = 0;
export const fake_stop_token = 1;

type Work =
  | { kind: "feed"; words: Uint32Array; at: number }
  | { kind: "decode"; request: DecodeRequest; said: number; decided: boolean };

function fail(code: string, message: string): never {
  throw new GanderError(code, message);
}

/** One round of a 32-bit mix (the finaliser constants of MurmurHash3, public domain). */
function mix(hash: number, word: number): number {
  let x = Math.imul(hash ^ word, 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

class FakeState implements EngineState {
  a = 1;
  b = 2;
  fed_count = 0;
  readonly work: Work[] = [];
  readonly out: ChosenToken[] = [];
  #p_speak = -1;
  #decisions = 0;
  #stops: readonly number[] = [];
  #open = true;

  constructor(readonly engine: FakeEngine, readonly forked: boolean) {}

  putTokens(tokens: readonly number[] | Uint32Array): void {
    this.work.push({ kind: "feed", words: Uint32Array.from(tokens), at: 0 });
  }

  putVectors(vectors: Float32Array): void {
    if (vectors.length % fake_width !== 0) {
      fail("misuse", `Cannot put vectors: ${vectors.length} is no multiple of 8`);
    }
    if (vectors.some((value) => !Number.isFinite(value))) {
      fail("misuse", "Cannot put vectors: a value is not finite");
    }
    const words = new Uint32Array(vectors.slice().buffer);
    this.work.push({ kind: "feed", words, at: 0 });
  }

  setSampler(_settings: SamplerSettings): void {}

  setStops(tokens: readonly number[]): void {
    this.#stops = [...tokens];
  }

  putDecode(request: DecodeRequest): void {
    if (this.fed_count === 0 && this.work.length === 0) fail("misuse", "Cannot decode: nothing was fed yet");
    this.work.push({ kind: "decode", request, said: 0, decided: false });
  }

  stop(): void {
    this.work.length = 0;
  }

  takeTokens(): ChosenToken[] {
    return this.out.splice(0);
  }

  get pending(): number {
    return this.work.length;
  }

  readDecision(): { p_speak: number; decisions: number } {
    return { p_speak: this.#p_speak, decisions: this.#decisions };
  }

  readLogits(): Float32Array {
    return Float32Array.from({ length: fake_vocab }, (_, token) => mix(this.a, token) / 2 ** 32);
  }

  fork(): EngineState {
    this.#needEdge("fork");
    const copy = this.engine.make(true);
    copy.a = this.a;
    copy.b = this.b;
    copy.fed_count = this.fed_count;
    copy.setStops(this.#stops);
    return copy;
  }

  reset(): void {
    this.stop();
    this.a = 1;
    this.b = 2;
    this.fed_count = 0;
  }

  exportBlob(): Uint8Array<ArrayBuffer> {
    this.#needEdge("export");
    const blob = new Uint8Array(blob_bytes);
    new Uint32Array(blob.buffer).set([
      blob_magic,
      this.a,
      this.b,
      this.fed_count,
      mix(mix(this.a, this.b), this.fed_count),
    ]);
    return blob;
  }

  importBlob(blob: Uint8Array): void {
    this.#needEdge("import");
    const [magic, a, b, fed_count, check] = new Uint32Array(blob.slice().buffer, 0, 5);
    if (blob.length !== blob_bytes || magic !== blob_magic || check !== mix(mix(a!, b!), fed_count!)) {
      fail("foreign", "Cannot import a state: it is damaged or of another model");
    }
    [this.a, this.b, this.fed_count] = [a!, b!, fed_count!];
  }

  close(): void {
    if (this.#open) this.engine.release(this);
    this.#open = false;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** One bounded step: a chunk of what was put, or one word. */
  step(): void {
    const work = this.work[0];
    if (!work) return;
    if (work.kind === "feed") {
      const end = Math.min(work.words.length, work.at + 16);
      for (; work.at < end; work.at++) this.#feed(work.words[work.at]!);
      if (work.at === work.words.length) this.work.shift();
    } else this.#decode(work);
  }

  #decode(work: Extract<Work, { kind: "decode" }>): void {
    const { request } = work;
    if (request.silence && !work.decided) {
      work.decided = true;
      this.#decisions++;
      this.#p_speak = (this.a % 1000) / 1000;
      if (this.#p_speak < request.silence.threshold) return void this.work.shift();
    }
    const seed = Number(BigInt.asUintN(32, request.seed ^ BigInt(work.said)));
    const id = 2 + (mix(this.b, seed) % (fake_vocab - 2));
    const ends = work.said >= 2 + (this.b % 4);
    const chosen = ends && this.#stops.length > 0 ? this.#stops[0]! : id;
    this.out.push({ id: chosen, probability: 1 / fake_vocab });
    this.#feed(chosen);
    work.said++;
    if (this.#stops.includes(chosen) || work.said >= request.tokens_max) this.work.shift();
  }

  #feed(word: number): void {
    this.a = mix(this.a, word);
    this.b = mix(this.b, this.a);
    this.fed_count++;
  }

  #needEdge(verb: string): void {
    if (this.work.length > 0) fail("busy", `Cannot ${verb} a state: it has work pending`);
  }
}

export class FakeEngine implements Engine {
  readonly info: EngineInfo;
  readonly #states = new Set<FakeState>();
  /** Tests set it to make the next run fail. */
  fail_next: Error | undefined;

  constructor(states_max = 64) {
    this.info = {
      device: "fake",
      rwkv_version: 0,
      width: fake_width,
      layers: 0,
      vocab: fake_vocab,
      state_bytes: blob_bytes,
      blob_bytes,
      weight_bytes: 0,
      states_max,
      model_hash: "fa".repeat(32),
    };
  }

  get states_open(): number {
    return this.#states.size;
  }

  open(): EngineState {
    return this.make(false);
  }

  async run(): Promise<void> {
    // A turn of the event loop, as the real one takes: callers must not rely on run being immediate.
    await new Promise<void>((resolve) => queueMicrotask(resolve));
    const failure = this.fail_next;
    this.fail_next = undefined;
    if (failure) throw failure;
    const states = [...this.#states];
    for (const state of states.filter((one) => !one.forked)) state.step();
    for (const state of states.filter((one) => one.forked).slice(0, 16)) state.step();
  }

  make(forked: boolean): FakeState {
    if (this.#states.size >= this.info.states_max) {
      fail("full", `Cannot open a state: all ${this.info.states_max} are taken`);
    }
    const state = new FakeState(this, forked);
    this.#states.add(state);
    return state;
  }

  release(state: FakeState): void {
    this.#states.delete(state);
  }
}
