// A fake engine, for tests and UI work only: its words come from a hash of everything it was fed, so it obeys every law
// of the real one (fork, replay, export) and understands nothing. Whoever shows its captions must say so.
import { GanderError } from "../errors.ts";
import { blob_magic, checksumOf, mix } from "./fake_hash.ts";
import type {
  ChosenToken,
  DecodeRequest,
  Engine,
  EngineInfo,
  EngineState,
  SamplerSettings,
  SpanGrid,
} from "./ports.ts";

const blob_bytes = 20;
const inbox_positions_max = 65_536;
/** Positions of one state in one step, and of all forks together. */
const chunk_positions = 16;
export const fake_vocab = 64;
export const fake_width = 8;
export const fake_silence_token = 0;
/** One token in six is this one: an utterance of the fake ends soon. */
export const fake_stop_token = 1;

type Work =
  | { kind: "feed"; positions: Uint32Array[] }
  | { kind: "decode"; request: DecodeRequest; said: number; decided: boolean };

function fail(code: string, message: string): never {
  throw new GanderError(code, message);
}

function positionsOf(vectors: Float32Array): Uint32Array[] {
  if (vectors.length % fake_width !== 0) {
    fail("misuse", `Cannot put vectors: ${vectors.length} is no multiple of 8`);
  }
  if (vectors.some((value) => !Number.isFinite(value))) {
    fail("misuse", "Cannot put vectors: a value is not finite");
  }
  const words = new Uint32Array(vectors.slice().buffer);
  return Array.from({ length: words.length / fake_width }, (_, row) => {
    return words.subarray(row * fake_width, (row + 1) * fake_width);
  });
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
  #greedy = true;
  #open = true;

  constructor(readonly engine: FakeEngine, readonly forked: boolean) {}

  putTokens(tokens: readonly number[] | Uint32Array): void {
    const positions = Array.from(tokens, (token) => {
      if (token >= 0 && token < fake_vocab) return Uint32Array.of(token);
      return fail("misuse", `Cannot put tokens: ${token} is not in the vocabulary of ${fake_vocab}`);
    });
    this.#put(positions);
  }

  putVectors(vectors: Float32Array): void {
    this.#put(positionsOf(vectors));
  }

  /** Row-major is putVectors, as in the real engine; another order is a hash of its own. */
  putSpan(vectors: Float32Array, { scan, rows, columns }: SpanGrid): void {
    const positions = positionsOf(vectors);
    if (!Number.isInteger(rows * columns) || rows < 0 || columns < 0 || rows * columns > positions.length) {
      fail("misuse", `Cannot put a span: ${rows} x ${columns} is no grid of ${positions.length} vectors`);
    }
    if (scan !== "row_major" && positions.length > 0) {
      const grid = [...new TextEncoder().encode(scan), rows, columns];
      positions[0] = Uint32Array.of(...grid, ...positions[0]!);
    }
    this.#put(positions);
  }

  setSampler(settings: SamplerSettings): void {
    this.#greedy = settings.temperature === 0;
  }

  setStops(tokens: readonly number[]): void {
    this.#stops = [...tokens];
  }

  putDecode(request: DecodeRequest): void {
    this.#needOpen();
    if (request.tokens_max < 1) fail("misuse", "Cannot decode: tokens_max is less than 1");
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
    return this.work.reduce((sum, work) => {
      return sum + (work.kind === "feed" ? work.positions.length : work.request.tokens_max - work.said);
    }, 0);
  }

  readDecision(): { p_speak: number; decisions: number } {
    return { p_speak: this.#p_speak, decisions: this.#decisions };
  }

  readLogits(): Float32Array {
    if (this.fed_count === 0) fail("misuse", "Cannot read logits: nothing was fed yet");
    return Float32Array.from({ length: fake_vocab }, (_, token) => mix(this.a, token) / 2 ** 32);
  }

  fork(): EngineState {
    this.#needEdge("fork");
    const copy = this.engine.make(true);
    copy.a = this.a;
    copy.b = this.b;
    copy.fed_count = this.fed_count;
    copy.#stops = this.#stops;
    copy.#greedy = this.#greedy;
    return copy;
  }

  reset(): void {
    this.stop();
    this.out.length = 0;
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
      checksumOf(this.a, this.b, this.fed_count),
    ]);
    return blob;
  }

  exportHalf = (): Uint8Array<ArrayBuffer> => this.exportBlob(); // no numbers to round
  importBlob(blob: Uint8Array): void {
    this.#needEdge("import");
    const refuse = () => fail("foreign", "Cannot import a state: it is damaged or of another model");
    if (blob.length !== blob_bytes) refuse();
    const [magic, a, b, fed_count, check] = new Uint32Array(blob.slice().buffer);
    if (magic !== blob_magic || check !== checksumOf(a!, b!, fed_count!)) refuse();
    [this.a, this.b, this.fed_count] = [a!, b!, fed_count!];
  }

  close(): void {
    if (this.#open) this.engine.release(this);
    this.#open = false;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** One bounded step: so many positions of what was put, or one word. */
  step(positions_max: number): void {
    const work = this.work[0];
    if (!work) return;
    if (work.kind === "decode") return this.#decode(work);
    for (const position of work.positions.splice(0, positions_max)) this.#feed(position);
    if (work.positions.length === 0) this.work.shift();
  }

  #put(positions: Uint32Array[]): void {
    this.#needOpen();
    if (this.pending + positions.length > inbox_positions_max) fail("full", "Cannot put: the inbox is full");
    if (positions.length > 0) this.work.push({ kind: "feed", positions });
  }

  #decode(work: Extract<Work, { kind: "decode" }>): void {
    const { request } = work;
    if (request.silence && !work.decided) {
      work.decided = true;
      this.#decisions++;
      this.#p_speak = (this.a % 1000) / 1000;
      if (this.#p_speak < request.silence.threshold) return void this.work.shift();
    }
    const seed = this.#greedy ? 0 : Number(BigInt.asUintN(32, request.seed ^ BigInt(work.said)));
    const chance = mix(this.b, seed);
    const id = chance % 6 === 0 ? fake_stop_token : 2 + (chance % (fake_vocab - 2));
    this.out.push({ id, probability: 1 / fake_vocab });
    this.#feed(Uint32Array.of(id));
    work.said++;
    if (this.#stops.includes(id) || work.said >= request.tokens_max) this.work.shift();
  }

  #feed(words: Uint32Array): void {
    for (const word of words) {
      this.a = mix(this.a, word);
      this.b = mix(this.b, this.a);
    }
    this.fed_count++;
  }

  #needEdge(verb: string): void {
    this.#needOpen();
    if (this.work.length > 0) fail("busy", `Cannot ${verb} a state: it has work pending`);
  }

  #needOpen(): void {
    if (!this.#open) fail("misuse", "Cannot use a state: it is closed");
  }
}

export class FakeEngine implements Engine {
  readonly info: EngineInfo;
  readonly #states = new Set<FakeState>();
  #running = false;
  /** Positions stepped so far, all states together. */
  positions = 0;
  /** Tests set it to make the next run fail. */
  fail_next: Error | undefined;

  constructor(states_max = 64) {
    this.info = {
      device: "fake",
      rwkv_version: 0,
      width: fake_width,
      layers: 1,
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
    if (this.#running) fail("busy", "Cannot run: a step is under way");
    this.#running = true;
    try {
      // A turn of the event loop, as the real one takes.
      await new Promise<void>((resolve) => queueMicrotask(resolve));
      const failure = this.fail_next;
      this.fail_next = undefined;
      if (failure) throw failure;
      const states = [...this.#states];
      for (const state of states) if (!state.forked) this.#step(state, chunk_positions);
      let left = chunk_positions;
      for (const fork of states.filter(({ forked, work }) => forked && work.length > 0)) {
        if (left === 0) break;
        left -= this.#step(fork, left);
        // In turn: who was served goes behind the others.
        this.#states.delete(fork);
        this.#states.add(fork);
      }
    } finally {
      this.#running = false;
    }
  }

  #step(state: FakeState, positions_max: number): number {
    const before = state.fed_count;
    state.step(positions_max);
    this.positions += state.fed_count - before;
    return state.fed_count - before;
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
