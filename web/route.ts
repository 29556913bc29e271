// Deep links: #/stream/ID, with ?at=TIME for a moment of the past. Pure but for nothing: strings in, values out.
import { stream_id_schema } from "../src/wire/mod.ts";

export interface Route {
  stream: string | undefined;
  /** RFC 3339; undefined means now. */
  at: string | undefined;
}

export function parseRoute(hash: string): Route {
  const match = /^#\/stream\/([^?/]+)(?:\?(.*))?$/.exec(hash);
  if (!match || !stream_id_schema.safeParse(match[1]).success) return { stream: undefined, at: undefined };
  const at_ms = Date.parse(new URLSearchParams(match[2] ?? "").get("at") ?? "");
  return { stream: match[1], at: Number.isNaN(at_ms) ? undefined : new Date(at_ms).toISOString() };
}

export function formatRoute(route: Route): string {
  if (!route.stream) return "#/";
  return `#/stream/${route.stream}${route.at ? `?at=${encodeURIComponent(route.at)}` : ""}`;
}
