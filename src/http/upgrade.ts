// From an upgrade request to an accepted socket: every check happens before the handshake and is answered as HTTP.
// The library (`ws` on node:http) is used because it bounds fragmented messages; the native socket cannot.
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { describeError } from "./error_response.ts";
import type { Entry, Guard } from "./guard.ts";
import { HttpError } from "./http_error.ts";
import { http_limits } from "./limits.ts";
import type { Lobby, SeatKind } from "./lobby.ts";

export interface Accepted {
  ws: WebSocket;
  kind: SeatKind;
  entry: Entry;
  /** The query of the address. */
  query: URLSearchParams;
  /** Gives the seat back. */
  leave(): void;
}

export interface UpgradeOptions {
  guard: Guard;
  lobby: Lobby;
  onAccepted(accepted: Accepted): void;
  onRefused(kind: string, thrown: unknown): void;
}

const paths: Record<string, SeatKind> = { "/ws/watch": "watch", "/ws/publish": "publish" };

function answerOver(socket: Duplex, thrown: unknown): void {
  const { status, error, headers } = describeError(thrown);
  const body = JSON.stringify({ error });
  const lines = Object.entries({
    ...headers,
    "content-type": "application/json",
    "content-length": String(new TextEncoder().encode(body).length),
    "x-content-type-options": "nosniff",
    connection: "close",
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} Refused\r\n${lines.join("")}\r\n${body}`);
}

/** The listener for node:http's `upgrade` event. */
export function createUpgrade(
  options: UpgradeOptions,
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  const { guard, lobby } = options;
  const serverFor = (maxPayload: number) => {
    const server = new WebSocketServer({
      noServer: true,
      maxPayload,
      maxFragments: http_limits.fragments_max,
      perMessageDeflate: false,
      clientTracking: false,
      // The library would echo the first sub-protocol offered, and some clients put a token there.
      handleProtocols: () => false,
    });
    server.on("wsClientError", (error: Error, socket: Duplex) => {
      answerOver(socket, new HttpError("bad_request", `Cannot open a socket: ${error.message}.`));
    });
    return server;
  };
  const servers = {
    watch: serverFor(http_limits.watch_bytes_max),
    publish: serverFor(http_limits.publish_bytes_max),
  };

  function check(request: IncomingMessage): { kind: "watch" | "publish"; url: URL; entry: Entry } {
    const url = URL.parse(request.url ?? "", "http://any");
    const path = url?.pathname ?? "";
    const entry = guard.admit({
      method: request.method ?? "GET",
      path,
      upgrade: true,
      address: request.socket.remoteAddress ?? "unknown",
      header: (name) => [request.headers[name] ?? []].flat()[0],
    });
    const kind = Object.hasOwn(paths, path) ? paths[path] : undefined;
    if (!url || (kind !== "watch" && kind !== "publish")) {
      throw new HttpError("not_found", `Cannot open a socket at ${path}: use /ws/watch or /ws/publish.`);
    }
    if (lobby.draining) {
      throw new HttpError("not_ready", "Cannot open a socket: the server is closing.", { retry: "backoff" });
    }
    lobby.check(kind);
    return { kind, url, entry };
  }

  return (request, socket, head) => {
    // Until the handshake nobody else listens, and an unheard error ends the process.
    const onError = () => socket.destroy();
    socket.on("error", onError);
    try {
      const { kind, url, entry } = check(request);
      servers[kind].handleUpgrade(request, socket, head, (ws) => {
        socket.off("error", onError);
        options.onAccepted({ ws, kind, entry, query: url.searchParams, leave: lobby.take(kind) });
      });
    } catch (thrown) {
      options.onRefused(request.url ?? "", thrown);
      answerOver(socket, thrown);
    }
  };
}
