// A proxy on loopback that is the decoder's only way to HTTP: it sees every playlist, segment, key and redirect, asks
// the policy, and connects to the address it checked. One per decoder, gone with it; whoever else finds the port is
// turned away. Must not know media.
import {
  cancellable,
  resolveAllowed,
  type Resolver,
  type SourcePolicy,
  verifiesTls,
} from "./address_policy.ts";
import { connectReason } from "./http_head.ts";
import { source_limits } from "./limits.ts";
import { checkCertificate, untrustedReason } from "./tls_trust.ts";

export interface HttpGate extends AsyncDisposable {
  /** For `-http_proxy`. Holds the password of this gate: not for logs. */
  readonly url: string;
  /** Why the first refused request was refused, as the end of a sentence. */
  readonly refused: string | undefined;
  /** Why a certificate on the way is not trusted, as the end of a sentence. */
  readonly untrusted: string | undefined;
  /** Why the newest connection failed. */
  readonly failed: string | undefined;
}

interface Head {
  method: string;
  target: string;
  headers: string[];
  /** Bytes behind the head that came with it. */
  rest: Uint8Array;
}

async function readHead(connection: Deno.Conn): Promise<Head | undefined> {
  const buffer = new Uint8Array(source_limits.http_head_bytes_max);
  let filled = 0;
  while (filled < buffer.byteLength) {
    const count = await connection.read(buffer.subarray(filled));
    if (count === null) return undefined;
    filled += count;
    const text = new TextDecoder("latin1").decode(buffer.subarray(0, filled));
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) continue;
    const [first, ...headers] = text.slice(0, end).split("\r\n");
    const [method, target] = first.split(" ");
    return { method, target: target ?? "", headers, rest: buffer.slice(end + 4, filled) };
  }
  return undefined;
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array) {
  for (let sent = 0; sent < bytes.byteLength;) sent += await connection.write(bytes.subarray(sent));
}

async function pump(from: Deno.Conn, to: Deno.Conn) {
  const buffer = new Uint8Array(64 * 1024);
  for (;;) {
    const count = await from.read(buffer);
    if (count === null) return;
    await writeAll(to, buffer.subarray(0, count));
  }
}

function close(connection: Deno.Conn | undefined) {
  try {
    connection?.close();
  } catch { /* the other direction closed it already */ }
}

const encoder = new TextEncoder();
const gate_user = "gander";

class Gate implements HttpGate {
  refused: string | undefined;
  untrusted: string | undefined;
  failed: string | undefined;
  readonly #password = crypto.randomUUID();
  /** Host, port and address of servers whose certificate was seen to be good. */
  readonly #trusted = new Set<string>();
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Deno.Conn>();
  readonly #work = new Set<Promise<void>>();
  readonly #stop = new AbortController();

  constructor(readonly policy: SourcePolicy, readonly resolve: Resolver) {
    this.#track(this.#accept());
  }

  get url(): string {
    return `http://${gate_user}:${this.#password}@127.0.0.1:${this.#listener.addr.port}`;
  }

  #isOurs({ headers }: Head): boolean {
    const wanted = `basic ${btoa(`${gate_user}:${this.#password}`)}`;
    return headers.some((line) => {
      const [, value] = /^proxy-authorization:\s*(.*?)\s*$/i.exec(line) ?? [];
      return value?.replace(/^basic\s+/i, "basic ") === wanted;
    });
  }

  /** The decoder speaks TLS itself, but not every part of it checks whom it speaks to. False: answered already. */
  async #checkTls(client: Deno.Conn, host: string, port: number, address: string): Promise<boolean> {
    const name = `${host} ${port} ${address}`;
    if (!verifiesTls(address, this.policy) || this.#trusted.has(name)) return true;
    try {
      await checkCertificate(await connect(address, port, this.#stop.signal), host, this.#stop.signal);
      this.#trusted.add(name);
      return true;
    } catch (error) {
      const untrusted = untrustedReason(error);
      if (untrusted === undefined) this.failed = connectReason(error);
      else this.untrusted ??= untrusted;
      await answer(client, untrusted === undefined ? "502 Bad Gateway" : "403 Forbidden");
      return false;
    }
  }

  #track(work: Promise<void>) {
    // A connection that ends in the middle is ordinary here; the decoder tells its side of it.
    const settled = work.catch(() => {}).finally(() => this.#work.delete(settled));
    this.#work.add(settled);
  }

  async #accept() {
    for await (const connection of this.#listener) {
      if (this.#open.size >= 2 * source_limits.gate_connections_max) close(connection);
      else this.#track(this.#serve(connection));
    }
  }

  async #serve(client: Deno.Conn) {
    this.#open.add(client);
    let server: Deno.Conn | undefined;
    try {
      const head = await readHead(client);
      if (head && !this.#isOurs(head)) {
        // The decoder knows the password but waits to be asked for it, once per connection.
        return await answer(
          client,
          "407 Proxy Authentication Required",
          'Proxy-Authenticate: Basic realm="gate"',
        );
      }
      const target = head && targetOf(head);
      if (!head || !target) return await answer(client, "400 Bad Request");
      const resolved = await resolveAllowed(
        target.host,
        this.policy,
        cancellable(this.resolve, this.#stop.signal),
      );
      if ("refused" in resolved) {
        this.refused ??= resolved.refused;
        return await answer(client, "403 Forbidden");
      }
      if ("failed" in resolved) {
        this.failed = resolved.failed;
        return await answer(client, "502 Bad Gateway");
      }
      if (head.method === "CONNECT") {
        if (!await this.#checkTls(client, target.host, target.port, resolved.address)) return;
      }
      try {
        server = await connect(resolved.address, target.port, this.#stop.signal);
      } catch (error) {
        this.failed = connectReason(error);
        return await answer(client, "502 Bad Gateway");
      }
      this.#open.add(server);
      if (head.method === "CONNECT") {
        await writeAll(client, encoder.encode("HTTP/1.1 200 Connection established\r\n\r\n"));
        await writeAll(server, head.rest);
        const upward = pump(client, server).catch(() => {}).finally(() => close(server));
        await pump(server, client).finally(() => close(client));
        await upward;
      } else {
        await writeAll(server, encoder.encode(originHead(head, target.path)));
        // Nothing but this one head ever goes up, so no second request can ride on the checked connection.
        const watch = client.read(new Uint8Array(1)).catch(() => null).finally(() => close(server));
        await pump(server, client).finally(() => close(client));
        await watch;
      }
    } finally {
      for (const connection of [client, server]) {
        close(connection);
        if (connection) this.#open.delete(connection);
      }
    }
  }

  async [Symbol.asyncDispose]() {
    this.#stop.abort();
    this.#listener.close();
    for (const connection of this.#open) close(connection);
    await Promise.all(this.#work);
  }
}

async function connect(hostname: string, port: number, signal: AbortSignal): Promise<Deno.TcpConn> {
  const limit = new AbortController();
  const give_up = () => limit.abort(new Error("timed out"));
  const timer = setTimeout(give_up, source_limits.connect_ms_max);
  signal.addEventListener("abort", give_up, { once: true });
  try {
    return await Deno.connect({ hostname, port, signal: limit.signal });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", give_up);
  }
}

function targetOf({ method, target }: Head): { host: string; port: number; path: string } | undefined {
  try {
    if (method === "CONNECT") {
      const url = new URL(`https://${target}/`);
      return { host: url.hostname, port: Number(url.port || 443), path: "" };
    }
    const url = new URL(target);
    if (url.protocol !== "http:" || method !== "GET" && method !== "HEAD") return undefined;
    return { host: url.hostname, port: Number(url.port || 80), path: url.pathname + url.search };
  } catch {
    return undefined;
  }
}

function originHead({ method, headers }: Head, path: string): string {
  const kept = headers.filter((line) => !/^(connection|proxy-[a-z]+):/i.test(line));
  return [`${method} ${path} HTTP/1.1`, ...kept, "Connection: close", "", ""].join("\r\n");
}

async function answer(client: Deno.Conn, status: string, ...headers: string[]) {
  const lines = [`HTTP/1.1 ${status}`, ...headers, "Content-Length: 0", "Connection: close", "", ""];
  await writeAll(client, encoder.encode(lines.join("\r\n")));
}

/** Opens a gate. Dispose it when the decoder is gone. */
export function openHttpGate(policy: SourcePolicy, resolve: Resolver): HttpGate {
  return new Gate(policy, resolve);
}
