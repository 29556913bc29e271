// One port for pages, REST, events and sockets, and how it closes. Must not know what is served.
import { createServer, type Server as NodeServer, type ServerOptions } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { Clock } from "../clock.ts";
import { ConfigError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Surface } from "../pipeline/surface.ts";
import type { Api } from "./api.ts";
import { describeError } from "./error_response.ts";
import type { Guard } from "./guard.ts";
import { HttpError } from "./http_error.ts";
import { http_limits } from "./limits.ts";
import { LiveSocket, socket_times, type SocketTimes } from "./live_socket.ts";
import type { Lobby, SeatKind } from "./lobby.ts";
import type { Metrics } from "./metrics.ts";
import { PublishSession } from "./publish_socket.ts";
import { type Accepted, createUpgrade } from "./upgrade.ts";
import { ViewerHub } from "./viewer_hub.ts";

export interface StartServerOptions {
  app: Api;
  surface: Surface;
  guard: Guard;
  lobby: Lobby;
  metrics: Metrics;
  host: string;
  /** 0 takes any free port. */
  port: number;
  version: string;
  clock: Clock;
  log: Log;
  /** Tests shorten these. */
  sockets?: Partial<SocketTimes>;
}

export interface Server {
  /** For people: the address to open. */
  url: string;
  port: number;
  /** Says goodbye to everyone, then stops listening. Resolves when nothing is left, `deadline_ms` later at most. */
  close(reason: string, deadline_ms?: number): Promise<void>;
}

const service_restart = 1012;
const server_failed = 1011;

const timeouts = {
  headersTimeout: http_limits.request_head_ms_max,
  requestTimeout: http_limits.request_ms_max,
  keepAliveTimeout: http_limits.connection_idle_ms_max,
  connectionsCheckingInterval: http_limits.connections_checked_every_ms,
} satisfies ServerOptions;

export async function startServer(options: StartServerOptions): Promise<Server> {
  const { app, surface, guard, lobby, metrics, host, clock, log, version } = options;
  const times: SocketTimes = { ...socket_times, ...options.sockets };
  const node = createServer(
    timeouts,
    getRequestListener(app.fetch, { overrideGlobalObjects: false, errorHandler }),
  );
  const sockets = new Set<LiveSocket>();
  const publishers = new Set<PublishSession>();
  const hub = new ViewerHub(surface, log);
  const stopped = new AbortController();

  function onAccepted({ ws, kind, entry, query, leave }: Accepted): void {
    const socket = new LiveSocket(ws, { kind, entry, clock, log, metrics, times, leave });
    sockets.add(socket);
    socket.gone.addEventListener("abort", () => sockets.delete(socket), { once: true });
    try {
      begin(socket, kind, query);
    } catch (error) {
      log.error("socket.failed", { kind, error });
      socket.close(server_failed, "a fault of the server");
    }
  }
  function begin(socket: LiveSocket, kind: SeatKind, query: URLSearchParams): void {
    if (kind === "watch") {
      hub.add({ socket, surface, clock, log, metrics, version, stall_ms: times.stall_ms });
    } else {
      const stream = query.get("stream") ?? "";
      const { first_message_ms } = times;
      const session = new PublishSession({ socket, stream, surface, clock, log, first_message_ms });
      publishers.add(session);
      socket.gone.addEventListener("abort", () => publishers.delete(session), { once: true });
    }
  }
  node.on(
    "upgrade",
    createUpgrade({
      guard,
      lobby,
      onAccepted,
      onRefused: (path, error) => log.warn("upgrade.refused", { path: path.split("?")[0], error }),
    }),
  );

  async function pulse(): Promise<void> {
    for (let pinged_ms = clock.monotonic_ms(); !stopped.signal.aborted;) {
      await clock.sleep(Math.min(http_limits.sessions_checked_every_ms, times.ping_ms), stopped.signal);
      hub.check();
      if (clock.monotonic_ms() - pinged_ms < times.ping_ms) continue;
      pinged_ms = clock.monotonic_ms();
      for (const socket of sockets) socket.pulse(guard.stillWelcome(socket.entry));
    }
  }

  try {
    await listen(node, host, options.port);
  } catch (error) {
    hub.close();
    throw error;
  }
  const pulsing = pulse();
  const { port } = node.address() as AddressInfo;
  const url = `http://${host.includes(":") ? `[${host.replace(/[[\]]/g, "")}]` : host}:${port}`;
  log.info("http.listening", { url });

  async function closeAll(reason: string, deadline_ms: number): Promise<void> {
    log.info("http.closing", { reason, sockets: sockets.size });
    lobby.drain();
    const closed = new Promise<void>((resolve) => node.close(() => resolve()));
    node.closeIdleConnections();
    hub.goAway(deadline_ms, reason);
    for (const publisher of publishers) publisher.goAway(reason);
    for (const socket of sockets) socket.close(service_restart, reason);
    const goodbyes = [...sockets].map(({ gone }) =>
      new Promise<void>((resolve) => {
        if (gone.aborted) resolve();
        else gone.addEventListener("abort", () => resolve(), { once: true });
      })
    );
    const done = new AbortController();
    const ended = Promise.all([closed, ...goodbyes]).then(() => done.abort());
    await clock.sleep(deadline_ms, done.signal);
    for (const socket of sockets) socket.cut();
    node.closeAllConnections();
    await ended;
    hub.close();
    stopped.abort();
    await pulsing;
  }

  let closing: Promise<void> | undefined;
  return {
    url,
    port,
    close: (reason, deadline_ms = http_limits.server_close_ms) => closing ??= closeAll(reason, deadline_ms),
  };
}

/** Resolves when it listens; otherwise a ConfigError says what to change. */
function listen(node: NodeServer, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    node.once("error", (error: Error & { code?: string }) => {
      const reasons: Record<string, string> = {
        EADDRINUSE: `another program listens on ${host}:${port}; stop it or choose another port`,
        EACCES: `port ${port} needs special rights; choose one above 1023`,
        EADDRNOTAVAIL: `this machine has no address ${host}`,
        EINVAL: `this machine has no address ${host}`,
        ENOTFOUND: `host "${host}" is not an address of this machine`,
      };
      reject(new ConfigError([`Cannot listen: ${reasons[error.code ?? ""] ?? error.message}`]));
    });
    node.listen(port, host.replace(/^\[|\]$/g, ""), () => resolve());
  });
}

/** What does not even become a request: a Host header that is no host, a path that is no path. */
function errorHandler(error: unknown): Response {
  const text = error instanceof Error ? error.message : "not understood";
  const problem = describeError(new HttpError("bad_request", `Cannot read the request: ${text}.`));
  return Response.json({ error: problem.error }, { status: problem.status });
}
