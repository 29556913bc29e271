// The watch socket: opens it, keeps it open, and resumes every stream behind the last caption it saw, so that a
// lost socket costs no caption and repeats none. Knows the wire; knows no component, store or signal.
import {
  type ClientMessage,
  close_codes,
  parsePicture,
  type Picture,
  server_message_schema,
  type ServerMessage,
} from "../src/wire/mod.ts";
import { backoffMs } from "./backoff.ts";

export type Phase =
  | { kind: "connecting" }
  | { kind: "open" }
  | { kind: "waiting"; retry_at_ms: number; reason: string }
  | { kind: "closed"; why: "unauthorized" | "version" | "refused" | "left"; reason: string };

export interface ConnectionOptions {
  open(): WebSocket;
  onMessage(message: ServerMessage): void;
  onPicture(picture: Picture): void;
  onPhase(phase: Phase): void;
  random?: () => number;
}

/** Half-open sockets are found by silence: a ping after the first time, a new socket after the second. */
const ping_ms = 15_000;
const silence_ms_max = 40_000;
/** The server takes 20 messages a second and a burst of 40: after a greeting no more than so many go out at once. */
const subs_at_once = 24;
const subs_pause_ms = 1_500;

export class WatchConnection {
  #options: ConnectionOptions;
  #socket: WebSocket | undefined;
  #greeted = false;
  #attempt = 0;
  #heard_ms = 0;
  #left = false;
  #going_reason: string | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #ping: ReturnType<typeof setInterval> | undefined;
  /** Streams wanted, and whether their pictures are. */
  #wanted = new Map<string, boolean>();
  /** Last caption number seen, by stream: where to resume. */
  #seen = new Map<string, number>();
  /** When each stream was created: a stream removed and added again under its old name starts at 1 again. */
  #created = new Map<string, number>();

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  connect(): void {
    clearTimeout(this.#retry);
    this.#left = false;
    this.#drop();
    this.#options.onPhase({ kind: "connecting" });
    const socket = this.#options.open();
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onclose = (event) => this.#closed(event.code, event.reason);
    this.#socket = socket;
    this.#greeted = false;
    this.#heard_ms = Date.now();
    this.#ping = setInterval(() => this.#watchSilence(), ping_ms);
  }

  /** Leaves for good; connect() comes back. */
  leave(): void {
    this.#left = true;
    clearTimeout(this.#retry);
    this.#drop();
    this.#options.onPhase({ kind: "closed", why: "left", reason: "left" });
  }

  /** Exactly these streams from now on. Asking for what already flows sends nothing. */
  want(wanted: ReadonlyMap<string, boolean>): void {
    for (const stream of [...this.#wanted.keys()]) {
      if (!wanted.has(stream)) this.send({ type: "unsub", stream });
    }
    for (const [stream, pictures] of wanted) {
      if (this.#wanted.get(stream) !== pictures) this.#subscribe(stream, pictures);
    }
    this.#wanted = new Map(wanted);
  }

  /** False when it could not be sent: no greeting yet, or no socket. */
  send(message: ClientMessage): boolean {
    if (!this.#greeted || this.#socket?.readyState !== 1) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  #subscribe(stream: string, pictures: boolean): void {
    const after_seq = this.#seen.get(stream);
    this.send({ type: "sub", stream, pictures, ...(after_seq === undefined ? {} : { after_seq }) });
  }

  #receive(data: unknown): void {
    this.#heard_ms = Date.now();
    if (data instanceof ArrayBuffer) {
      const picture = parsePicture(new Uint8Array(data));
      if (picture) this.#options.onPicture(picture);
      return;
    }
    const message = parseMessage(data);
    if (message === "other_version") {
      return this.#end("version", "The server is newer than this page. Reload it.");
    }
    if (message) this.#take(message);
  }

  #take(message: ServerMessage): void {
    if (message.type === "caption.final") {
      const { stream, seq } = message.caption;
      if (seq <= (this.#seen.get(stream) ?? 0)) return;
      this.#seen.set(stream, seq);
    }
    if (message.type === "stream.removed") {
      this.#seen.delete(message.stream);
      this.#created.delete(message.stream);
      this.#wanted.delete(message.stream);
    }
    if (message.type === "goaway") this.#goAway(message.reason, message.deadline_ms);
    this.#options.onMessage(message);
    if (message.type === "hello") this.#greet(message);
  }

  #greet(hello: ServerMessage & { type: "hello" }): void {
    for (const stream of hello.streams) {
      const created_ms = this.#created.get(stream.id) ?? stream.created_ms;
      const began_anew = created_ms !== stream.created_ms ||
        stream.last_seq < (this.#seen.get(stream.id) ?? 0);
      if (began_anew) this.#seen.delete(stream.id);
      this.#created.set(stream.id, stream.created_ms);
    }
    this.#greeted = true;
    this.#attempt = 0;
    this.#options.onPhase({ kind: "open" });
    this.#subscribeAll();
  }

  /** The stream whose pictures are wanted is the one on the screen: it goes first. */
  #subscribeAll(): void {
    const socket = this.#socket;
    const ordered = [...this.#wanted].sort((a, b) => Number(b[1]) - Number(a[1]));
    ordered.slice(0, subs_at_once).forEach(([stream, pictures]) => this.#subscribe(stream, pictures));
    ordered.slice(subs_at_once).forEach(([stream], index) => {
      const turn_ms = subs_pause_ms * (1 + Math.floor(index / subs_at_once));
      setTimeout(() => {
        const pictures = this.#wanted.get(stream);
        if (this.#socket === socket && pictures !== undefined) this.#subscribe(stream, pictures);
      }, turn_ms);
    });
  }

  /** The server is about to go: leave within its deadline, at a random moment, and come back. */
  #goAway(reason: string, deadline_ms: number): void {
    this.#going_reason = reason;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      this.#drop();
      this.#waitAndRetry(reason);
    }, Math.min(deadline_ms, 5_000) * (this.#options.random ?? Math.random)() * 0.8);
  }

  #closed(code: number, reason: string): void {
    this.#drop();
    if (this.#left) return;
    if (code === close_codes.unauthorized) return this.#end("unauthorized", reason || "Sign in to go on.");
    if (code === close_codes.forbidden_origin) {
      return this.#end("refused", reason || "The server does not accept pages from this address.");
    }
    if (code === close_codes.too_many) this.#attempt = Math.max(this.#attempt, 3);
    this.#waitAndRetry(this.#going_reason ?? closeWords(code, reason));
  }

  #waitAndRetry(reason: string): void {
    clearTimeout(this.#retry);
    this.#going_reason = undefined;
    const wait_ms = backoffMs(this.#attempt++, this.#options.random);
    this.#retry = setTimeout(() => this.connect(), wait_ms);
    this.#options.onPhase({ kind: "waiting", retry_at_ms: Date.now() + wait_ms, reason });
  }

  #end(why: "unauthorized" | "version" | "refused", reason: string): void {
    clearTimeout(this.#retry);
    this.#drop();
    this.#options.onPhase({ kind: "closed", why, reason });
  }

  #watchSilence(): void {
    const silent_ms = Date.now() - this.#heard_ms;
    if (silent_ms > silence_ms_max) {
      this.#drop();
      this.#waitAndRetry("The server has been silent for too long");
    } else if (silent_ms > ping_ms / 2) this.send({ type: "ping" });
  }

  #drop(): void {
    clearInterval(this.#ping);
    this.#greeted = false;
    if (!this.#socket) return;
    this.#socket.onmessage = null;
    this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = undefined;
  }
}

/** Messages of a kind this page does not know are skipped, as the wire asks; another wire version is not. */
function parseMessage(data: unknown): ServerMessage | "other_version" | undefined {
  if (typeof data !== "string") return undefined;
  let json: unknown;
  try {
    json = JSON.parse(data);
  } catch {
    return undefined; // not ours: a proxy spoke
  }
  const parsed = server_message_schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const { type, v } = (json ?? {}) as { type?: unknown; v?: unknown };
  return type === "hello" && v !== 1 ? "other_version" : undefined;
}

function closeWords(code: number, reason: string): string {
  if (code === close_codes.viewer_slow) return "This page was too slow for the live feed; it resumes";
  if (code === 1012) return "The server is restarting";
  return reason || "The connection to the server was lost";
}
