// More states than the engine has slots. Whoever opens a state gets one here; the engine holds those that are in use, and
// the bytes of the others lie in a page store. A state is paged out at a tick edge and comes back bit for bit, so nobody
// can tell. Who goes: the one that was not used for longest. Must not know streams, ticks or files.
import { GanderError } from "../errors.ts";
import { PagedState } from "./paged_state.ts";
import type { Engine, EngineInfo, EngineState, PageStore } from "./ports.ts";

export interface PagedCounts {
  /** States that the engine holds. */
  resident: number;
  /** States that lie in the page store. */
  paged_out: number;
  /** Since the beginning. */
  page_outs: number;
  page_ins: number;
}

/** What a paged state needs of its engine. */
export interface Pager {
  readonly pages: PageStore;
  /** A zero state of the engine, or one that counts as a fork there; pages others out when all slots are taken. */
  openNative(forked: boolean): EngineState;
  /** The same for a copy of `parent`, which stays. */
  forkNative(parent: EngineState): EngineState;
  adopt(state: PagedState): EngineState;
  /** Now the newest of those in use. */
  touch(state: PagedState): void;
  leave(state: PagedState): void;
  /** A state moved out of the engine, or back. */
  moved(direction: "out" | "in"): void;
  release(state: PagedState): void;
}

export class PagedEngine implements Engine, Pager {
  readonly info: EngineInfo;
  readonly pages: PageStore;
  readonly #engine: Engine;
  readonly #states = new Set<PagedState>();
  /** Least recently used first. */
  readonly #resident = new Set<PagedState>();
  /** On their way to a copy or out of the page store: they must not be paged out for each other. */
  readonly #pinned = new Set<EngineState>();
  #page_outs = 0;
  #page_ins = 0;

  /** `states_max`: states in all. `engine` has some slots of them, three at least. */
  constructor(engine: Engine, pages: PageStore, states_max: number) {
    this.#engine = engine;
    this.pages = pages;
    this.info = Object.freeze({ ...engine.info, states_max });
  }

  get states_open(): number {
    return this.#states.size;
  }

  get counts(): PagedCounts {
    const resident = this.#resident.size;
    return {
      resident,
      paged_out: this.#states.size - resident,
      page_outs: this.#page_outs,
      page_ins: this.#page_ins,
    };
  }

  open(): EngineState {
    this.#needRoom();
    return this.adopt(new PagedState(this, this.openNative(false), false));
  }

  run(): Promise<void> {
    return this.#engine.run();
  }

  openNative(forked: boolean): EngineState {
    const blank = this.#takeSlot(() => this.#engine.open());
    if (!forked) return blank;
    try {
      return this.forkNative(blank);
    } finally {
      blank.close();
    }
  }

  forkNative(parent: EngineState): EngineState {
    this.#needRoom();
    this.#pinned.add(parent);
    try {
      return this.#takeSlot(() => parent.fork());
    } finally {
      this.#pinned.delete(parent);
    }
  }

  adopt(state: PagedState): EngineState {
    this.#states.add(state);
    this.#resident.add(state);
    return state;
  }

  touch(state: PagedState): void {
    this.#resident.delete(state);
    this.#resident.add(state);
  }

  leave(state: PagedState): void {
    this.#resident.delete(state);
  }

  moved(direction: "out" | "in"): void {
    if (direction === "out") this.#page_outs++;
    else this.#page_ins++;
  }

  release(state: PagedState): void {
    this.#resident.delete(state);
    this.#states.delete(state);
  }

  #needRoom(): void {
    if (this.#states.size < this.info.states_max) return;
    throw new GanderError("full", `Cannot open a state: all ${this.info.states_max} are taken`, "backoff");
  }

  /** The engine's own refusal stands when every state in use has work under way. */
  #takeSlot(take: () => EngineState): EngineState {
    while (this.#engine.states_open >= this.#engine.info.states_max) {
      const idle = this.#resident.values().find((state) => state.mayLeave(this.#pinned));
      if (!idle) break;
      idle.pageOut();
    }
    return take();
  }
}
