// Who is connected, how many may be, and whether the house is closing. One per server, shared by the app (readiness,
// server-sent events) and the sockets. Must not know streams or HTTP.
import { CapacityError } from "../errors.ts";
import { http_limits } from "./limits.ts";

export type SeatKind = "watch" | "publish" | "events";

export class Lobby {
  #seats = { watch: 0, publish: 0, events: 0 };
  #closing = new AbortController();

  constructor(readonly viewers_max: number) {}

  /** Aborts when the server begins to close. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }
  get draining(): boolean {
    return this.#closing.signal.aborted;
  }
  count(kind: SeatKind): number {
    return this.#seats[kind];
  }

  /** Throws when no seat can be had. Sockets that are closing still hold theirs. */
  check(kind: SeatKind): void {
    const { watch, publish, events } = this.#seats;
    const [taken, seats_max] = kind === "publish"
      ? [publish, http_limits.publishers_max]
      : [watch + events, this.viewers_max];
    if (taken < seats_max) return;
    const who = kind === "publish" ? "publishers" : "viewers";
    throw new CapacityError("viewers_full", `Cannot let you in: all ${seats_max} ${who} are here already.`);
  }

  /** Takes a seat; the answer gives it back, once. */
  take(kind: SeatKind): () => void {
    this.check(kind);
    this.#seats[kind]++;
    let held = true;
    return () => {
      if (held) this.#seats[kind]--;
      held = false;
    };
  }

  /** From now on nobody new comes in, and /readyz answers 503. */
  drain(): void {
    this.#closing.abort();
  }
}
