// One viewer on /ws/watch: hears events, obeys messages, and is told everything through one outbox.
// Must not know ticks, states or other viewers.
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { StreamEvent, Surface } from "../pipeline/surface.ts";
import { client_message_schema, type ClientMessage, close_codes, type ServerMessage } from "../wire/mod.ts";
import { describeError } from "./error_response.ts";
import type { LiveSocket } from "./live_socket.ts";
import { http_limits } from "./limits.ts";
import { MessageRate } from "./message_rate.ts";
import type { Metrics } from "./metrics.ts";
import { Outbox } from "./viewer_outbox.ts";
import { ViewerQuestions } from "./viewer_questions.ts";
import { ViewerReading } from "./viewer_reading.ts";

export interface ViewerOptions {
  socket: LiveSocket;
  surface: Surface;
  clock: Clock;
  log: Log;
  metrics: Metrics;
  version: string;
  stall_ms: number;
}

/** An event of the surface and its wire form, made once for all viewers and only if one wants it. */
export interface Broadcast {
  event: StreamEvent;
  wire(): string | Uint8Array;
}

export class Viewer {
  readonly socket: LiveSocket;
  readonly #options: ViewerOptions;
  readonly #outbox: Outbox;
  readonly #questions: ViewerQuestions;
  readonly #rate: MessageRate;
  readonly #reading: ViewerReading;

  constructor(options: ViewerOptions) {
    const { socket, surface, clock, log } = options;
    this.socket = socket;
    this.#options = options;
    this.#rate = new MessageRate(clock, http_limits.viewer_rate);
    this.#outbox = new Outbox(socket.ws, {
      clock,
      stall_ms: options.stall_ms,
      onRoom: () => this.#reading.catchUp(),
      onSkipped: (skipped) => {
        options.metrics.countSkipped(skipped);
        this.#send({ type: "viewer.skipped", skipped });
      },
      onSlow: (reason) =>
        socket.close(close_codes.viewer_slow, `viewer too slow: ${reason}; resume by number`),
    });
    this.#reading = new ViewerReading({
      surface,
      outbox: this.#outbox,
      onFailed: (error) => this.#fail(error),
    });
    this.#questions = new ViewerQuestions({
      surface,
      log,
      send: (message) => this.#send(message),
      offer: (message) => this.#outbox.offer(() => JSON.stringify(message), "text"),
    });
    socket.onMessage((data, binary) => this.#onMessage(data, binary));
    socket.gone.addEventListener("abort", () => this.#onGone(), { once: true });
    this.#send({
      type: "hello",
      v: 1,
      version: options.version,
      model: surface.model,
      streams: surface.list(),
    });
  }

  check(): void {
    if (this.socket.open) this.#outbox.check();
  }

  goAway(deadline_ms: number, reason: string): void {
    this.#send({ type: "goaway", deadline_ms, reason });
  }

  onEvent({ event, wire }: Broadcast): void {
    if (!this.socket.open) return;
    switch (event.type) {
      case "stream.removed":
        this.#reading.forget(event.stream);
        return this.#outbox.send(wire());
      case "stream.changed":
      case "stream.status":
        return this.#outbox.send(wire());
      case "caption.final":
        return this.#reading.onCaption(event.caption, wire);
      case "picture":
        if (this.#reading.wantsPictures(event.stream)) this.#outbox.offer(wire, "picture");
        return;
      case "caption.delta":
        if (this.#reading.readsLive(event.stream)) this.#outbox.offer(wire, "text");
        return;
      case "stats":
      case "drop.report":
        if (this.#reading.reads(event.stream)) this.#outbox.offer(wire, "text");
        return;
      default:
        event satisfies never;
    }
  }

  #onMessage(data: Uint8Array, binary: boolean): void {
    if (!this.#rate.take()) {
      return this.socket.close(close_codes.too_many, "too many messages: 20 per second at most");
    }
    const message = binary ? "a viewer sends text only" : parseMessage(data);
    if (typeof message === "string") return this.socket.close(close_codes.bad_message, message);
    try {
      this.#obey(message);
    } catch (error) {
      this.#fail(error);
    }
  }

  #obey(message: ClientMessage): void {
    switch (message.type) {
      case "sub":
        return this.#reading.subscribe(message.stream, message);
      case "unsub":
        return this.#reading.unsubscribe(message.stream);
      case "ask":
        return this.#questions.ask(message);
      case "cancel":
        return this.#questions.cancel(message.id);
      case "ping":
        return this.#send({ type: "pong" });
      default:
        message satisfies never;
    }
  }

  #send(message: ServerMessage): void {
    this.#outbox.send(JSON.stringify(message));
  }

  #fail(error: unknown): void {
    const problem = describeError(error);
    if (problem.status >= 500) this.#options.log.error("viewer.failed", { error });
    this.#send({ type: "error", error: problem.error });
  }

  #onGone(): void {
    this.#outbox.end();
    this.#questions.cancelAll();
    this.#reading.leave();
  }
}

/** The message, or the sentence that says why it is none. */
function parseMessage(data: Uint8Array): ClientMessage | string {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(data));
  } catch {
    return "message is not JSON";
  }
  const parsed = client_message_schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  return `message is not valid: ${issue.path.join(".") || "type"}: ${issue.message}`;
}
