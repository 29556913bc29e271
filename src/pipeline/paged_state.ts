// One state that may be in the engine or in the page store. It remembers what an exported state does not carry: its
// sampler, its stop tokens, its decisions, and tokens that nobody has taken. Must not know who goes when.
import { GanderError } from "../errors.ts";
import type { Pager } from "./paged_engine.ts";
import type { ChosenToken, DecodeRequest, EngineState, SamplerSettings, SpanGrid } from "./ports.ts";

/** Where the floats are: in a slot of the engine, in a page, or nowhere, because the state is all zero. */
type Place = { native: EngineState } | { page: number } | "zero" | "closed";

const no_decision = { p_speak: -1, decisions: 0 };

export class PagedState implements EngineState {
  readonly #pager: Pager;
  readonly #forked: boolean;
  #place: Place;
  #sampler: SamplerSettings | undefined;
  #stops: readonly number[] | undefined;
  /** Of the times in the engine before this one. */
  #decided = no_decision;
  #tokens: ChosenToken[] = [];

  constructor(pager: Pager, native: EngineState, forked: boolean) {
    this.#pager = pager;
    this.#place = { native };
    this.#forked = forked;
  }

  putTokens(tokens: readonly number[] | Uint32Array): void {
    this.#use().putTokens(tokens);
  }
  putVectors(vectors: Float32Array): void {
    this.#use().putVectors(vectors);
  }
  putSpan(vectors: Float32Array, grid: SpanGrid): void {
    this.#use().putSpan(vectors, grid);
  }
  putDecode(request: DecodeRequest): void {
    this.#use().putDecode(request);
  }
  readLogits(): Float32Array {
    return this.#use().readLogits();
  }

  setSampler(settings: SamplerSettings): void {
    this.#use().setSampler(settings);
    this.#sampler = { ...settings };
  }
  setStops(tokens: readonly number[]): void {
    this.#use().setStops(tokens);
    this.#stops = [...tokens];
  }

  stop(): void {
    this.#native()?.stop();
  }

  takeTokens(): ChosenToken[] {
    const kept = this.#tokens;
    this.#tokens = [];
    const fresh = this.#native()?.takeTokens() ?? [];
    return kept.length === 0 ? fresh : [...kept, ...fresh];
  }

  get pending(): number {
    return this.#native()?.pending ?? 0;
  }

  readDecision(): { p_speak: number; decisions: number } {
    const now = this.#native()?.readDecision() ?? no_decision, before = this.#decided;
    return {
      p_speak: now.decisions > 0 ? now.p_speak : before.p_speak,
      decisions: before.decisions + now.decisions,
    };
  }

  /** The copy has the settings and none of the results, as a fork of the engine. */
  fork(): EngineState {
    const copy = new PagedState(this.#pager, this.#pager.forkNative(this.#use()), true);
    copy.#sampler = this.#sampler;
    copy.#stops = this.#stops;
    return this.#pager.adopt(copy);
  }

  reset(): void {
    const native = this.#native();
    if (native) native.reset();
    else this.#forget(), this.#place = "zero";
    this.#decided = no_decision;
    this.#tokens = [];
  }

  exportBlob(): Uint8Array<ArrayBuffer> {
    const place = this.#here();
    return "page" in place ? this.#pager.pages.read(place.page) : this.#use().exportBlob();
  }

  exportHalf(): Uint8Array<ArrayBuffer> {
    return this.#use().exportHalf();
  }

  importBlob(blob: Uint8Array): void {
    this.#use().importBlob(blob);
  }

  close(): void {
    if (this.#place === "closed") return;
    this.#forget();
    this.#place = "closed";
    this.#pager.release(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  mayLeave(pinned: ReadonlySet<EngineState>): boolean {
    const native = this.#native();
    return native !== undefined && !pinned.has(native) && native.pending === 0;
  }

  /** At a tick edge. When the page cannot be written the state stays where it is. */
  pageOut(): void {
    const native = this.#native()!;
    const page = this.#pager.pages.write(native.exportBlob());
    this.#tokens.push(...native.takeTokens());
    this.#decided = this.readDecision();
    native.close();
    this.#place = { page };
    this.#pager.leave(this);
    this.#pager.moved("out");
  }

  /** In the engine from here on, and the one that was used last. */
  #use(): EngineState {
    const place = this.#here();
    if ("native" in place) {
      this.#pager.touch(this);
      return place.native;
    }
    const blob = "page" in place ? this.#pager.pages.read(place.page) : undefined;
    const native = this.#pager.openNative(this.#forked);
    try {
      if (blob) native.importBlob(blob);
      if (this.#sampler) native.setSampler(this.#sampler);
      if (this.#stops) native.setStops(this.#stops);
    } catch (error) {
      native.close();
      throw error;
    }
    this.#forget();
    this.#place = { native };
    this.#pager.touch(this);
    this.#pager.moved("in");
    return native;
  }

  #here(): { native: EngineState } | { page: number } | Record<never, never> {
    if (this.#place === "closed") throw new GanderError("misuse", "Cannot use a state: it is closed");
    return this.#place === "zero" ? {} : this.#place;
  }

  #native(): EngineState | undefined {
    const place = this.#here();
    return "native" in place ? place.native : undefined;
  }

  #forget(): void {
    const place = this.#here();
    if ("page" in place) this.#pager.pages.free(place.page);
    if ("native" in place) place.native.close();
  }
}
