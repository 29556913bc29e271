// A relay on loopback between the decoder and one RTSP server: connects to the address that was checked, and cuts the
// connection at a redirect, which the decoder would follow anywhere. It serves one connection, the first: a decoder
// needs no second, and a stranger on this machine gets none. Must not know media.
import net from "node:net";
import tls from "node:tls";
import { connectReason } from "./http_head.ts";
import { source_limits } from "./limits.ts";
import { RtspResponses } from "./rtsp_messages.ts";
import type { NetworkLocation } from "./source_url.ts";
import { untrustedReason } from "./tls_trust.ts";

export interface RtspRelay extends AsyncDisposable {
  /** The address for the decoder: same path, user and password, other host. */
  readonly url: string;
  readonly redirected: boolean;
  /** Why the server's certificate is not trusted, as the end of a sentence. */
  readonly untrusted: string | undefined;
  /** Why the connection to the server failed. */
  readonly failed: string | undefined;
  /** Newest status code of the server. */
  readonly status: number | undefined;
}

export interface RelayTarget {
  /** The checked address of the location. */
  address: string;
  /** Its certificate must be trusted, where there is one. */
  verify_tls: boolean;
}

class Relay implements RtspRelay {
  redirected = false;
  untrusted: string | undefined;
  failed: string | undefined;
  status: number | undefined;
  readonly #open = new Set<net.Socket>();
  readonly #server: net.Server;

  #port = 0;

  constructor(readonly location: NetworkLocation, readonly target: RelayTarget) {
    this.#server = net.createServer((client) => {
      if (!this.#server.listening) return client.destroy(); // it came in the same breath as the first
      this.#server.close();
      this.#serve(client);
    });
  }

  async listen() {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject);
    this.#server.listen(0, "127.0.0.1", resolve);
    await promise;
    this.#port = (this.#server.address() as net.AddressInfo).port;
  }

  get url(): string {
    const { username, password, pathname, search } = this.location.url;
    const user = username === "" ? "" : `${username}${password === "" ? "" : `:${password}`}@`;
    // Plain on this side of the relay: it does the encryption, so that it can see a redirect there too.
    return `rtsp://${user}127.0.0.1:${this.#port}${pathname}${search}`;
  }

  #connect(): net.Socket {
    const { host, port, url } = this.location;
    const { address, verify_tls } = this.target;
    if (url.protocol !== "rtsps:") return net.connect({ host: address, port });
    // A name is only sent when there is one.
    const servername = net.isIP(host) ? undefined : host;
    return tls.connect({ host: address, port, servername, rejectUnauthorized: verify_tls });
  }

  #serve(client: net.Socket) {
    const server = this.#connect();
    const responses = new RtspResponses();
    const close = () => {
      clearTimeout(timer);
      client.destroy();
      server.destroy();
    };
    const timer = setTimeout(() => {
      this.failed = "no answer in time";
      close();
    }, source_limits.connect_ms_max);
    for (const socket of [client, server]) {
      this.#open.add(socket);
      socket.setNoDelay(true);
      socket.on("close", () => {
        this.#open.delete(socket);
        close();
      });
    }
    client.on("error", close);
    server.on("error", (error) => {
      this.untrusted = untrustedReason(error);
      this.failed = connectReason(error);
      close();
    });
    server.on(server instanceof tls.TLSSocket ? "secureConnect" : "connect", () => clearTimeout(timer));
    client.on("data", (bytes) => server.write(bytes));
    server.on("data", (bytes: Uint8Array) => {
      const { forward, statuses } = responses.push(bytes);
      this.status = statuses.at(-1) ?? this.status;
      let room = true;
      for (const part of forward) room = client.write(part);
      if (!room) {
        server.pause();
        client.once("drain", () => server.resume());
      }
      if (statuses.some((status) => status >= 300 && status < 400)) {
        this.redirected = true;
        close();
      }
    });
  }

  async [Symbol.asyncDispose]() {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#server.listening) this.#server.close(() => resolve());
    else resolve();
    const gone = [...this.#open].map((socket) =>
      new Promise<void>((done) => socket.once("close", () => done()))
    );
    for (const socket of [...this.#open]) socket.destroy();
    await Promise.all([promise, ...gone]);
  }
}

/** Opens a relay to the checked address of `location`. Dispose it when the decoder is gone. */
export async function openRtspRelay(location: NetworkLocation, target: RelayTarget): Promise<RtspRelay> {
  const relay = new Relay(location, target);
  await relay.listen();
  return relay;
}
