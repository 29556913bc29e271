// One accepted socket's life: pings, closing with a reason and a deadline, giving its seat back, being counted.
// What is said on it belongs to viewer_socket.ts and publish_socket.ts.
import process from "node:process";
import type { RawData, WebSocket } from "ws";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { close_codes } from "../wire/mod.ts";
import type { Entry } from "./guard.ts";
import { http_limits } from "./limits.ts";
import type { SeatKind } from "./lobby.ts";
import type { Metrics } from "./metrics.ts";

export interface SocketTimes {
  /** Between pings. A socket that misses two is gone. */
  ping_ms: number;
  /** A publisher says what it brings within this time. */
  first_message_ms: number;
  /** A viewer that takes nothing for so long is cut off. */
  stall_ms: number;
  /** From our close frame until the connection is cut. */
  close_ms: number;
}
const { ping_ms, first_message_ms, stall_ms, close_ms } = http_limits;
export const socket_times: SocketTimes = { ping_ms, first_message_ms, stall_ms, close_ms };

export interface LiveSocketOptions {
  kind: SeatKind;
  entry: Entry;
  clock: Clock;
  log: Log;
  metrics: Metrics;
  times: SocketTimes;
  /** Gives the seat back. */
  leave(): void;
}

function shorten(reason: string): string {
  const { close_reason_bytes_max } = http_limits;
  const bytes = new TextEncoder().encode(reason);
  if (bytes.length <= close_reason_bytes_max) return reason;
  const head = new TextDecoder().decode(bytes.subarray(0, close_reason_bytes_max - 3));
  return `${head.replace(/\uFFFD+$/, "")}…`;
}

export class LiveSocket {
  readonly #options: LiveSocketOptions;
  readonly #gone = new AbortController();
  /** Why we closed, or what the protocol layer objected to; else what the peer said. */
  #code: number | undefined;
  #misses = 0;

  constructor(readonly ws: WebSocket, options: LiveSocketOptions) {
    this.#options = options;
    ws.on("pong", () => this.#misses = 0);
    ws.on("error", (error: Error & { code?: string }) => {
      // The library closes the socket itself: 1009 for a message that is too long, 1002 or 1007 for nonsense.
      const too_long = error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH" ||
        error.code === "WS_ERR_TOO_MANY_BUFFERED_PARTS";
      this.#code ??= too_long ? 1009 : 1002;
      options.log.warn("socket.refused", { kind: options.kind, error });
      // The library would read on and throw away what comes, as fast as it is sent: a tick later it is told not to.
      process.nextTick(() => this.#stopReading());
    });
    ws.on("close", (code: number) => {
      this.#gone.abort();
      options.metrics.countClose(options.kind, this.#code ?? code);
      options.leave();
    });
  }

  get entry(): Entry {
    return this.#options.entry;
  }
  /** Aborts when the connection has ended. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }
  /** False as soon as either side wants to close: nothing is read or sent any more. */
  get open(): boolean {
    return this.#code === undefined && this.ws.readyState === this.ws.OPEN;
  }

  /** Runs for every whole message while the socket is open. Any message proves that the peer lives. */
  onMessage(listener: (data: Uint8Array, binary: boolean) => void): void {
    this.ws.on("message", (data: RawData, binary: boolean) => {
      this.#misses = 0;
      if (this.open) listener(data as Uint8Array, binary);
    });
  }

  sendJson(message: unknown): void {
    if (this.open) this.ws.send(JSON.stringify(message));
  }

  close(code: number, reason: string): void {
    if (!this.open) return;
    this.#code = code;
    this.ws.close(code, shorten(reason));
    if (code !== 1000) this.#options.log.info("socket.closed", { kind: this.#options.kind, code, reason });
    if (code === close_codes.too_many) this.#stopReading();
    else void this.#cutLater(this.#options.times.close_ms);
  }

  /** At once and without a word: for peers that are not there. */
  cut(): void {
    this.ws.terminate();
  }

  /** Called every `ping_ms`. */
  pulse(still_welcome: boolean): void {
    if (!still_welcome) return this.close(close_codes.unauthorized, "the session has ended");
    if (this.#misses >= http_limits.pings_missed_max) {
      this.#code ??= 1006;
      return this.cut();
    }
    this.#misses++;
    if (this.open) this.ws.ping();
  }

  /** What a flooding peer still sends stays with it. */
  #stopReading(): void {
    this.ws.pause();
    void this.#cutLater(Math.min(http_limits.close_refused_ms, this.#options.times.close_ms));
  }

  /** A peer that does not answer the close frame may not hold the connection. */
  async #cutLater(after_ms: number): Promise<void> {
    await this.#options.clock.sleep(after_ms, this.#gone.signal);
    if (!this.#gone.signal.aborted) this.cut();
  }
}
