// The HTTP room: one call that puts app, doors and sockets together and listens. src/main.ts needs nothing else.
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { limits } from "../pipeline/limits.ts";
import type { Surface } from "../pipeline/surface.ts";
import { createApp } from "./app.ts";
import { Auth } from "./auth.ts";
import { checkBind, Guard } from "./guard.ts";
import { Lobby } from "./lobby.ts";
import type { SocketTimes } from "./live_socket.ts";
import type { EventTimes } from "./caption_events.ts";
import { Metrics } from "./metrics.ts";
import { type Server, startServer } from "./server.ts";

export { createApp } from "./app.ts";
export { checkBind, isLoopback } from "./guard.ts";
export { error_table } from "./error_response.ts";
export { type Server, startServer } from "./server.ts";

export interface ServeOptions {
  surface: Surface;
  host: string;
  /** 0 takes any free port. */
  port: number;
  /** Needed for any address but loopback. */
  token?: string;
  allowed_hosts?: readonly string[];
  allowed_origins?: readonly string[];
  /** The built dashboard. */
  static_dir?: string;
  viewers_max?: number;
  version: string;
  clock: Clock;
  log: Log;
  sockets?: Partial<SocketTimes>;
  event_times?: EventTimes;
}

/** Throws ConfigError when the address needs a token, or cannot be listened on. */
export async function serveHttp(options: ServeOptions): Promise<Server> {
  const { surface, host, token, clock, version } = options;
  checkBind(host, token);
  const auth = new Auth({ token, clock });
  const guard = new Guard({ ...options, auth });
  const lobby = new Lobby(options.viewers_max ?? limits.viewers_max);
  const metrics = new Metrics({ surface, lobby, version });
  const parts = { ...options, auth, guard, lobby, metrics };
  const app = createApp({ ...parts, static_dir: options.static_dir });
  return await startServer({ ...parts, app });
}
