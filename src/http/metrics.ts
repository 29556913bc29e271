// Prometheus text about this process: streams (read from the surface at every scrape), sockets, memory, build.
// Own registry, so two servers in one process (tests) do not mix. Must not know routes.
import { Counter, Gauge, Registry } from "prom-client";
import type { StreamView, Surface } from "../pipeline/surface.ts";
import { close_codes } from "../wire/mod.ts";
import type { Lobby, SeatKind } from "./lobby.ts";

export interface MetricsOptions {
  surface: Surface;
  lobby: Lobby;
  version: string;
}

/** A client chooses its close code; the label must not grow with its imagination. */
const known_closes = new Set<number>([
  1000,
  1001,
  1005,
  1006,
  1009,
  1011,
  1012,
  ...Object.values(close_codes),
]);
const known_methods = new Set(["GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS", "PUT"]);

const seat_kinds: readonly SeatKind[] = ["watch", "publish", "events"];

export class Metrics {
  readonly #registry = new Registry();
  readonly #sockets_closed: Counter;
  readonly #requests: Counter;
  readonly #skipped: Counter;

  constructor({ surface, lobby, version }: MetricsOptions) {
    const registers = [this.#registry];
    this.#sockets_closed = new Counter({
      name: "gander_sockets_closed_total",
      help: "Sockets closed, by kind and close code",
      labelNames: ["kind", "code"],
      registers,
    });
    this.#requests = new Counter({
      name: "gander_http_requests_total",
      help: "HTTP answers, by method and status",
      labelNames: ["method", "status"],
      registers,
    });
    this.#skipped = new Counter({
      name: "gander_viewer_skipped_total",
      help: "Deltas, stats and pictures that slow viewers did not get",
      registers,
    });
    new Gauge({
      name: "gander_sockets_open",
      help: "Viewers, publishers and event readers connected",
      labelNames: ["kind"],
      registers,
      collect() {
        for (const kind of seat_kinds) this.set({ kind }, lobby.count(kind));
      },
    });
    new Gauge({
      name: "gander_process_resident_bytes",
      help: "Memory of this process",
      registers,
      collect() {
        this.set(Deno.memoryUsage().rss);
      },
    });
    new Gauge({
      name: "gander_ready",
      help: "1 when a model is loaded and the server takes work",
      registers,
      collect() {
        this.set(surface.ready && !lobby.draining ? 1 : 0);
      },
    });
    const { name, device, model_hash } = surface.model;
    new Gauge({
      name: "gander_build_info",
      help: "Always 1; the labels say what runs",
      labelNames: ["version", "model", "device", "model_hash"],
      registers,
    }).set({ version, model: name, device, model_hash }, 1);
    addStreamMetrics(this.#registry, surface);
  }

  get content_type(): string {
    return this.#registry.contentType;
  }
  render(): Promise<string> {
    return this.#registry.metrics();
  }

  countClose(kind: SeatKind, code: number): void {
    this.#sockets_closed.inc({ kind, code: known_closes.has(code) ? String(code) : "other" });
  }
  countRequest(method: string, status: number): void {
    this.#requests.inc({ method: known_methods.has(method) ? method : "other", status: String(status) });
  }
  countSkipped(count: number): void {
    this.#skipped.inc(count);
  }
}

/** What the surface counts itself: set anew at every scrape, so that a removed stream is gone. */
function addStreamMetrics(registry: Registry, surface: Surface): void {
  const registers = [registry];
  type Read = (stream: StreamView) => number | null;
  const labelNames = ["stream"];

  const counter = (name: string, help: string, read: Read) =>
    new Counter({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const stream of surface.list()) this.inc({ stream: stream.id }, read(stream) ?? 0);
      },
    });
  const gauge = (name: string, help: string, read: Read) =>
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const stream of surface.list()) {
          const value = read(stream);
          if (value !== null) this.set({ stream: stream.id }, value);
        }
      },
    });

  counter("gander_ticks_total", "Ticks of the stream's clock", ({ stats }) => stats.ticks);
  counter("gander_frames_offered_total", "Frames the source gave", ({ stats }) => stats.frames_offered);
  counter("gander_frames_fed_total", "Frames the state has seen", ({ stats }) => stats.frames_fed);
  counter("gander_captions_total", "Captions published", ({ stats }) => stats.captions);
  gauge("gander_caption_age_p50_ms", "Frame to caption, median", ({ stats }) => stats.caption_age_p50_ms);
  gauge("gander_caption_age_p95_ms", "Frame to caption, 95 in 100", ({ stats }) => stats.caption_age_p95_ms);
  gauge(
    "gander_tick_p95_ms",
    "One whole tick (vision, engine, commit), 95 in 100",
    ({ stats }) => stats.step_p95_ms,
  );
  gauge("gander_state_bytes", "Memory of the state: a flat line", ({ stats }) => stats.state_bytes);
  gauge("gander_memory_age_ms", "Media time the state has lived through", ({ stats }) => stats.memory_age_ms);
  gauge("gander_viewers", "People watching", ({ stats }) => stats.viewers);
  gauge("gander_questions_active", "Questions being answered", ({ stats }) => stats.questions_active);
  gauge("gander_source_up", "1 while frames come", ({ status }) => status === "live" ? 1 : 0);
  new Counter({
    name: "gander_drops_total",
    help:
      "Losses: frames (mailbox, still, failed), captions (novelty), ticks (empty), push messages (refused)",
    labelNames: ["stream", "reason"],
    registers,
    collect() {
      this.reset();
      for (const { id, stats } of surface.list()) {
        for (const [reason, count] of Object.entries(stats.drops)) this.inc({ stream: id, reason }, count);
      }
    },
  });
}
