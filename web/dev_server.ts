// A stand-in for the server, for work on this page and its tests: REST and both sockets with made-up moving data.
// It keeps nothing, checks little, and says "fake engine" on the screen. Not part of the product.
import { type ClientMessage, encodePicture, type ModelView, type ServerMessage } from "../src/wire/mod.ts";
import { testPictures } from "./dev/mock_pictures.ts";
import { answerRest } from "./dev/mock_rest.ts";
import { openPublish, openWatch, send, type Viewer } from "./dev/mock_sockets.ts";
import {
  addCaption,
  type MockStream,
  mockStreams,
  moveStats,
  state_bytes,
  textOf,
} from "./dev/mock_streams.ts";

export interface MockOptions {
  port?: number;
  static_dir: string;
  streams?: MockStream[];
  /** JPEGs shown in turn; without them no pictures are sent. */
  pictures?: readonly Uint8Array[];
  /** Ask for this token. */
  token?: string;
  /** False: nothing is said until say() is called. */
  talk?: boolean;
  /** False: a camera gets its first credits and no more. */
  credit?: boolean;
}

export const mock_model: ModelView = {
  policy: "stream",
  name: "fake-goose",
  trained: false,
  fake: true,
  limits_note: "",
  device: "no device",
  rwkv_version: 7,
  width: 768,
  layers: 12,
  vectors_per_frame: 16,
  state_bytes,
  model_hash: "fake",
};

const types: Record<string, string> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript",
  css: "text/css",
  svg: "image/svg+xml",
};
/** As strict as the real server's. */
const csp =
  "default-src 'self'; img-src 'self' blob: data:; style-src 'self'; object-src 'none'; base-uri 'none'";

export class MockServer {
  readonly streams = new Map<string, MockStream>();
  readonly viewers = new Set<Viewer>();
  readonly publishers = new Set<WebSocket>();
  /** Every message that came over /ws/watch, and the sound media messages by stream: for tests. */
  readonly received: ClientMessage[] = [];
  readonly pushed = new Map<string, { codec: string; key_frame: boolean; bytes: number }[]>();
  readonly token: string | undefined;
  readonly gives_credit: boolean;
  signed_in = false;
  url = "";
  #server: Deno.HttpServer<Deno.NetAddr> | undefined;
  #timers: ReturnType<typeof setInterval>[] = [];
  #options: MockOptions;

  constructor(options: MockOptions) {
    this.#options = options;
    this.token = options.token;
    this.gives_credit = options.credit ?? true;
    for (const stream of options.streams ?? mockStreams()) this.streams.set(stream.view.id, stream);
  }

  start(): this {
    const { port = 0 } = this.#options;
    const serve = (request: Request) => this.#serve(request);
    this.#server = Deno.serve({ port, hostname: "127.0.0.1", onListen() {} }, serve);
    this.url = `http://127.0.0.1:${this.#server.addr.port}/`;
    let beat = 0;
    this.#timers = [
      setInterval(() => this.#options.talk === false || this.#talk(Date.now()), 120),
      setInterval(() => this.#count(Date.now()), 1000),
      setInterval(() => this.#showPatterns(beat++), 200),
    ];
    return this;
  }

  async stop(): Promise<void> {
    this.#timers.forEach((timer) => clearInterval(timer));
    this.dropSockets();
    this.publishers.forEach((socket) => socket.close());
    await this.#server?.shutdown();
  }

  dropSockets(code = 4000): void {
    for (const { socket } of this.viewers) socket.close(code);
    this.viewers.clear();
  }

  /** One caption, whole, now. */
  say(id: string, at_ms = Date.now()): void {
    this.tell({ type: "caption.final", caption: addCaption(this.streams.get(id)!, at_ms) }, id);
  }

  delta(id: string, text: string): void {
    this.tell({ type: "caption.delta", stream: id, tick: 1, t_media_ms: 0, text }, id);
  }

  /** To everybody, or to those who subscribed to the stream. */
  tell(message: ServerMessage, stream?: string): void {
    for (const { socket, subs } of this.viewers) {
      if (stream === undefined || subs.has(stream)) send(socket, message);
    }
  }

  show(id: string, picture: Uint8Array<ArrayBuffer>): void {
    for (const { socket, subs } of this.viewers) {
      if (subs.get(id) && socket.readyState === 1) socket.send(picture);
    }
  }

  #talk(now_ms: number): void {
    for (const stream of this.streams.values()) {
      const { view, utterance } = stream;
      if (view.status !== "live" || view.paused || now_ms < stream.next_ms) continue;
      if (!utterance) {
        const words = textOf(view.id, view.last_seq + 1).split(" ");
        stream.utterance = { words, out_count: 0, began_ms: now_ms };
      } else if (utterance.out_count++ < utterance.words.length) {
        this.delta(view.id, utterance.words.slice(0, utterance.out_count).join(" "));
      } else {
        stream.utterance = undefined;
        stream.next_ms = now_ms + 3_000 + (view.last_seq * 7919) % 9_000;
        this.say(view.id, utterance.began_ms);
      }
    }
  }

  #count(now_ms: number): void {
    for (const stream of this.streams.values()) {
      stream.view.stats = moveStats(stream, now_ms);
      this.tell({ type: "stats", stream: stream.view.id, stats: stream.view.stats });
    }
  }

  #showPatterns(beat: number): void {
    const { pictures = [] } = this.#options;
    if (pictures.length === 0) return;
    const jpeg = pictures[beat % pictures.length];
    for (const [id, { view }] of this.streams) {
      const pulled = view.source.kind === "pull" && view.status === "live" && !view.paused;
      if (pulled) this.show(id, encodePicture({ stream: id, t_media_ms: beat * 200, jpeg }));
    }
  }

  async #serve(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/ws/watch") return openWatch(this, request);
    if (pathname === "/ws/publish") return openPublish(this, request, searchParams.get("stream") ?? "");
    if (pathname.startsWith("/api/v1/")) {
      const body = await request.json().catch(() => ({}));
      const path = pathname.slice("/api/v1/".length).split("/");
      return answerRest(this, { method: request.method, path, query: searchParams, body });
    }
    const path = pathname === "/" ? "/index.html" : pathname;
    const file = await Deno.readFile(this.#options.static_dir + path).catch(() => undefined);
    if (!file) return new Response("not found", { status: 404 });
    const type = types[path.split(".").at(-1)!] ?? "application/octet-stream";
    return new Response(file, { headers: { "content-type": type, "content-security-policy": csp } });
  }
}

if (import.meta.main) {
  const static_dir = new URL("./dist", import.meta.url).pathname;
  const server = new MockServer({ port: 8088, static_dir, pictures: await testPictures() }).start();
  await Deno.stdout.write(new TextEncoder().encode(`stand-in server at ${server.url}\n`));
}
