// Turns the crank: runs the engine while any state has work, hands out tokens after each step, and tells each owner
// when its state is at a tick edge again. All streams and questions share one crank, hence one batch.
import type { Clock } from "../clock.ts";
import type { ChosenToken, Engine, EngineState } from "./ports.ts";

interface Waiter {
  state: EngineState;
  onTokens?: (tokens: ChosenToken[]) => void;
  resolve(): void;
  reject(error: unknown): void;
}

export class Pump {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #onStep: ((step_ms: number) => void) | undefined;
  readonly #waiters = new Set<Waiter>();
  #turning = false;

  /** `onStep` hears how long each step took, milliseconds. */
  constructor(engine: Engine, clock: Clock, onStep?: (step_ms: number) => void) {
    this.#engine = engine;
    this.#clock = clock;
    this.#onStep = onStep;
  }

  /**
   * Resolves when the state has no work left. `onTokens` hears the chosen tokens after every step and may call
   * `state.stop()`. Rejects when the engine fails; the state's content is then undefined.
   */
  drain(state: EngineState, onTokens?: (tokens: ChosenToken[]) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.add({ state, onTokens, resolve, reject });
      if (!this.#turning) void this.#turn();
    });
  }

  async #turn(): Promise<void> {
    this.#turning = true;
    while (this.#waiters.size > 0) {
      const started_ms = this.#clock.monotonic_ms();
      try {
        await this.#engine.run();
      } catch (error) {
        this.#settle((waiter) => waiter.reject(error));
        break;
      }
      this.#onStep?.(this.#clock.monotonic_ms() - started_ms);
      for (const waiter of [...this.#waiters]) this.#serve(waiter);
    }
    this.#turning = false;
  }

  #serve(waiter: Waiter): void {
    try {
      const tokens = waiter.state.takeTokens();
      if (tokens.length > 0) waiter.onTokens?.(tokens);
      if (waiter.state.pending > 0) return;
      this.#waiters.delete(waiter);
      waiter.resolve();
    } catch (error) {
      this.#waiters.delete(waiter);
      waiter.reject(error);
    }
  }

  #settle(end: (waiter: Waiter) => void): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) end(waiter);
  }
}
