// A real server on a free loopback port with a fake surface behind it, and the clients that tests of the HTTP room use.
import { expect } from "@std/expect";
import { type RawData, WebSocket } from "ws";
import { system_clock } from "../../src/clock.ts";
import { serveHttp, type ServeOptions, type Server } from "../../src/http/mod.ts";
import { error_body_schema } from "../../src/wire/mod.ts";
import { FakeSurface } from "./http_fake_surface.ts";

export interface LogLine {
  level: "info" | "warn" | "error";
  event: string;
  fields: Record<string, unknown>;
}

export interface House extends AsyncDisposable {
  surface: FakeSurface;
  server: Server;
  url: string;
  /** host:port, as in a Host header. */
  host: string;
  log: LogLine[];
}

/** Opens the house; `await using` closes it, and a leak fails the test. */
export async function openHouse(options: Partial<ServeOptions> = {}): Promise<House> {
  const surface = (options.surface ?? new FakeSurface()) as FakeSurface;
  const log: LogLine[] = [];
  const write = (level: LogLine["level"]) => (event: string, fields: Record<string, unknown> = {}) => {
    log.push({ level, event, fields });
  };
  const server = await serveHttp({
    host: "127.0.0.1",
    port: 0,
    version: "1.2.3",
    clock: system_clock,
    log: { info: write("info"), warn: write("warn"), error: write("error") },
    ...options,
    surface,
  });
  return {
    surface,
    server,
    url: server.url,
    host: new URL(server.url).host,
    log,
    [Symbol.asyncDispose]: async () => {
      await server.close("test over", 1_000);
      // The runtime clears the timers of its last connections a turn or two after they are closed; on a busy machine
      // the leak check would come before that.
      await new Promise((resolve) => setTimeout(resolve, 20));
    },
  };
}

export interface Reply {
  status: number;
  headers: Headers;
  text: string;
  // deno-lint-ignore no-explicit-any -- tests look into answers of every shape
  json: any;
}

/** One request; the body is always read, so nothing leaks. */
export async function call(
  house: House,
  path: string,
  init: RequestInit & { json?: unknown } = {},
): Promise<Reply> {
  const { json, ...rest } = init;
  const headers = new Headers(rest.headers);
  if (json !== undefined && !headers.has("content-type")) headers.set("content-type", "application/json");
  const body = json === undefined ? rest.body : JSON.stringify(json);
  const response = await fetch(house.url + path, { ...rest, headers, body, redirect: "manual" });
  const text = await response.text();
  const is_json = response.headers.get("content-type")?.startsWith("application/json");
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: is_json ? JSON.parse(text) : undefined,
  };
}

export function post(house: House, path: string, json?: unknown, headers: HeadersInit = {}): Promise<Reply> {
  return call(house, path, { method: "POST", json, headers });
}

/** Bytes over a plain connection: for what fetch would not send. Reads until the server closes, or a socket is open. */
export async function rawCall(
  house: House,
  head: string,
  ms_max = 3_000,
): Promise<{ status: number; text: string }> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: house.server.port });
  const timer = setTimeout(() => connection.close(), ms_max);
  let text = "";
  try {
    await connection.write(new TextEncoder().encode(head));
    for await (const chunk of connection.readable) {
      text += new TextDecoder().decode(chunk);
      if (/^HTTP\/1\.1 101[^]*\r\n\r\n/.test(text)) break;
    }
  } catch {
    // Reset or timed out: what came is what counts.
  }
  clearTimeout(timer);
  return { status: Number(text.match(/^HTTP\/1\.1 (\d+)/)?.[1] ?? 0), text };
}

// deno-lint-ignore no-explicit-any -- tests look into messages of every shape
export type Message = any;

/** A socket client that keeps what came, in order. */
export class Client {
  readonly ws: WebSocket;
  readonly messages: Message[] = [];
  /** The newest picture, and how many came: keeping all would be the test's own leak. */
  picture: Uint8Array = new Uint8Array();
  picture_count = 0;
  readonly closed: Promise<{ code: number; reason: string }>;
  #arrived = Promise.withResolvers<void>();
  #read = 0;

  constructor(url: string, headers: Record<string, string> = {}) {
    this.ws = new WebSocket(url.replace(/^http/, "ws"), { headers, perMessageDeflate: false });
    this.ws.on("message", (data: RawData, binary: boolean) => {
      if (binary) {
        this.picture = data as Uint8Array;
        this.picture_count++;
      } else this.messages.push(JSON.parse(String(data)));
      this.#arrived.resolve();
      this.#arrived = Promise.withResolvers();
    });
    this.ws.on("error", () => {});
    this.closed = new Promise((resolve) =>
      this.ws.on("close", (code: number, reason: Uint8Array) => {
        resolve({ code, reason: new TextDecoder().decode(reason) });
      })
    );
  }

  get opened(): Promise<boolean> {
    if (this.ws.readyState === this.ws.OPEN) return Promise.resolve(true);
    return new Promise((resolve) => {
      this.ws.once("open", () => resolve(true));
      this.ws.once("close", () => resolve(false));
    });
  }
  send(message: unknown): void {
    this.ws.send(JSON.stringify(message));
  }
  /** The next message of this type that was not looked at yet; what lies before it is passed over. */
  async next(type: string, ms_max = 4_000): Promise<Message> {
    for (;;) {
      const arrived = this.#arrived.promise;
      while (this.#read < this.messages.length) {
        const message = this.messages[this.#read++];
        if (message.type === type) return message;
      }
      await within(Promise.race([arrived, this.closed]), ms_max, `message ${type}`);
      if (this.ws.readyState === this.ws.CLOSED && this.#read >= this.messages.length) {
        throw new Error(`closed before ${type}: ${JSON.stringify(await this.closed)}`);
      }
    }
  }
  async leave(): Promise<void> {
    this.ws.close();
    await this.closed;
  }
}

export async function within<T>(promise: Promise<T>, ms_max: number, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come within ${ms_max} ms`)), ms_max);
  });
  return await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export async function until(condition: () => boolean, what: string, ms_max = 4_000): Promise<void> {
  for (const end_ms = performance.now() + ms_max; !condition();) {
    if (performance.now() > end_ms) throw new Error(`${what} did not happen within ${ms_max} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export async function watch(house: House, headers: Record<string, string> = {}): Promise<Client> {
  const client = new Client(`${house.url}/ws/watch`, headers);
  await client.next("hello");
  return client;
}

/** Reads server-sent events until `count` came, then leaves. */
export async function readEvents(
  response: Response,
  count: number,
): Promise<{ id?: string; event?: string; data: string }[]> {
  const events: { id?: string; event?: string; data: string }[] = [];
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (events.length < count) {
    const { done, value } = await within(reader.read(), 4_000, `event ${events.length + 1} of ${count}`);
    if (done) break;
    text += value;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const lines = text.slice(0, end).split("\n").map((line) =>
        line.split(/: ?/, 1).concat(line.replace(/^[^:]*: ?/, ""))
      );
      text = text.slice(end + 2);
      const fields = Object.fromEntries(lines.filter(([name]) => name));
      if (fields.data !== undefined) events.push({ id: fields.id, event: fields.event, data: fields.data });
    }
  }
  await reader.cancel();
  return events.slice(0, count);
}

/** A house with one stream, cam1, that has said so many captions. */
export async function openCam(captions = 0, options: Partial<ServeOptions> = {}): Promise<House> {
  const house = await openHouse(options);
  house.surface.put("cam1");
  for (let n = 1; n <= captions; n++) house.surface.say("cam1", `caption ${n}`);
  return house;
}

/** The one shape of every failure, with these words in its message. */
export function expectError(reply: Reply, status: number, code: string, ...words: string[]): void {
  expect({ status: reply.status, json: reply.json }).toEqual({
    status,
    json: { error: expect.objectContaining({ code }) },
  });
  const { error } = error_body_schema.parse(reply.json);
  for (const word of words) expect(error.message).toContain(word);
  expect(reply.headers.get("x-content-type-options")).toBe("nosniff");
}
