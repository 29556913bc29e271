// The publish socket: says hello, keeps credits, comes back after a loss. Knows neither cameras nor encoders: they
// reserve a credit, encode, and send; after every onReady they begin with a picture that a decoder can start at.
import {
  close_codes,
  encodePush,
  publish_reply_schema,
  type PublisherMessage,
  type PublishReply,
  type PushFormat,
  type PushHeader,
  wire_limits,
} from "../../src/wire/mod.ts";
import { backoffMs } from "../backoff.ts";
import { CreditGate } from "./credit.ts";

export type LinkState =
  | { kind: "connecting" }
  | { kind: "open" }
  | { kind: "waiting"; retry_at_ms: number; reason: string }
  | { kind: "refused"; reason: string };

export interface LinkOptions {
  open(): WebSocket;
  format: PushFormat;
  onState(state: LinkState): void;
  /** Accepted, also after a loss: the next message must be a place to start decoding. */
  onReady(): void;
  /** More may be sent. */
  onCredit?(): void;
  random?: () => number;
}

/** Refusals that end by themselves: our own lost socket still holds the stream, or somebody resumes it. */
const passing: readonly string[] = ["stream_exists", "stream_paused"];

/** More than this unsent in the browser means that the network is slower than the camera. */
const buffered_bytes_max = 1_000_000;

export class PublishLink {
  readonly gate = new CreditGate();
  #options: LinkOptions;
  #socket: WebSocket | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  #accepted = false;
  #sequence = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** Opens, or opens anew: a new socket is a new decoder on the other side. */
  connect(): void {
    clearTimeout(this.#retry);
    this.#drop();
    this.#options.onState({ kind: "connecting" });
    this.gate.begin();
    const socket = this.#options.open();
    this.#socket = socket;
    socket.onopen = () => this.#say({ type: "publish", format: this.#options.format });
    socket.onmessage = (event) => this.#take(event.data);
    socket.onclose = (event) => this.#closed(event.code, event.reason);
  }

  /** A ticket for one message, or undefined: drop this picture. Between sockets every picture is dropped. */
  reserve(): number | undefined {
    const clogged = (this.#socket?.bufferedAmount ?? 0) > buffered_bytes_max;
    if (this.#accepted && !clogged) return this.gate.reserve();
    this.gate.dropped_count++;
    return undefined;
  }

  /** False when the socket changed since the ticket was given, or the server would refuse its size: it is gone. */
  send(ticket: number, header: Omit<PushHeader, "codec" | "sequence">, payload: Uint8Array): boolean {
    if (payload.length > wire_limits.push_payload_bytes_max) {
      this.gate.release(ticket);
      return false;
    }
    if (!this.gate.redeem(ticket)) return false;
    const codec = this.#options.format;
    this.#socket?.send(encodePush({ ...header, codec, sequence: this.#sequence++ }, payload));
    return true;
  }

  stop(): void {
    clearTimeout(this.#retry);
    if (this.#accepted) this.#say({ type: "end" });
    this.#drop();
  }

  #take(data: unknown): void {
    const reply = parseReply(data);
    if (!reply) return;
    if (reply.type === "accepted") {
      this.#accepted = true;
      this.#attempt = 0;
      this.#options.onState({ kind: "open" });
      this.#options.onReady();
    } else if (reply.type === "credit") {
      this.gate.grant(reply.messages);
      this.#options.onCredit?.();
    } else if (reply.type === "goaway") this.#wait(reply.reason);
    else if (reply.error.code === "replaced") {
      // To come back would throw the other one out, and it would come back too.
      this.#refuse("Another camera or page is sending to this stream now.");
    } else if (reply.error.retry === "never" && !passing.includes(reply.error.code)) {
      this.#refuse(reply.error.message);
    } else this.#wait(reply.error.message);
  }

  #closed(code: number, reason: string): void {
    const final: readonly number[] = [
      close_codes.unauthorized,
      close_codes.forbidden_origin,
      close_codes.stream_unknown,
      close_codes.bad_message,
    ];
    if (final.includes(code)) return this.#refuse(reason || `The server closed the connection (${code}).`);
    const busy = code === close_codes.stream_busy;
    this.#wait(reason || (busy ? "Another camera is sending to this stream" : "The connection was lost"));
  }

  #wait(reason: string): void {
    this.#drop();
    clearTimeout(this.#retry);
    const wait_ms = backoffMs(this.#attempt++, this.#options.random);
    this.#retry = setTimeout(() => this.connect(), wait_ms);
    this.#options.onState({ kind: "waiting", retry_at_ms: Date.now() + wait_ms, reason });
  }

  #refuse(reason: string): void {
    this.#drop();
    this.#options.onState({ kind: "refused", reason });
  }

  #say(message: PublisherMessage): void {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(message));
  }

  #drop(): void {
    this.#accepted = false;
    this.gate.begin();
    if (!this.#socket) return;
    this.#socket.onopen = null;
    this.#socket.onmessage = null;
    this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = undefined;
  }
}

function parseReply(data: unknown): PublishReply | undefined {
  if (typeof data !== "string") return undefined;
  try {
    return publish_reply_schema.safeParse(JSON.parse(data)).data;
  } catch {
    return undefined; // not JSON: not ours
  }
}
