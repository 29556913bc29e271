// A Surface in memory for tests of the HTTP room: a caption log, questions that a test answers, publishers that a test
// grants. It keeps the laws of the real one (numbers without gaps, events after the log) and nothing else.
import { CapacityError, GanderError, RequestError } from "../../src/errors.ts";
import type { AnswerRecord, Caption, CaptionQuery, SnapshotHead } from "../../src/pipeline/ports.ts";
import type {
  Answered,
  Described,
  DescribeRequest,
  ModelView,
  Probe,
  Publisher,
  PublisherEvents,
  QuestionRequest,
  SourceSettings,
  StreamChange,
  StreamEvent,
  StreamRequest,
  StreamView,
  Surface,
} from "../../src/pipeline/surface.ts";
import { type Chat, openChat } from "./http_fake_chat.ts";
import { FakePublisher } from "./http_fake_publisher.ts";
import { no_stats } from "./http_fake_stats.ts";

/** Wall clock of media time 0 of every fake stream: 2026-11-23T14:00:00Z. */
export const epoch_ms = Date.UTC(2026, 10, 23, 14);

export interface Question {
  stream: string;
  request: QuestionRequest;
  say(text: string): void;
  done(answer: string): void;
  fail(error: Error): void;
}

interface Entry {
  view: StreamView;
  log: Caption[];
  answers: AnswerRecord[];
  snapshots: { head: SnapshotHead; blob: Uint8Array }[];
  picture?: Uint8Array;
}

export class FakeSurface implements Surface {
  ready = true;
  model: ModelView = {
    name: "fake",
    policy: "stream",
    trained: false,
    fake: true,
    limits_note: "says what a test tells it to",
    device: "none",
    rwkv_version: 7,
    width: 8,
    layers: 1,
    vectors_per_frame: 4,
    state_bytes: 4096,
    model_hash: "00ff",
  };
  questions: Question[] = [];
  chats: Chat[] = [];
  publishers = new Map<string, FakePublisher>();
  probed: SourceSettings[] = [];
  probe_signal: AbortSignal | undefined;
  /** Probes end by abort only. */
  probe_waits = false;
  streams_max = 100;
  #streams = new Map<string, Entry>();
  #listeners = new Set<(event: StreamEvent) => void>();

  #entry(id: string): Entry {
    const entry = this.#streams.get(id);
    if (!entry) throw new RequestError("stream_unknown", `Cannot find stream "${id}": there is none.`);
    return entry;
  }
  get listener_count(): number {
    return this.#listeners.size;
  }
  emit(event: StreamEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
  listen(listener: (event: StreamEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  // ---- what a test does -------------------------------------------------------------------------------------

  /** Adds a stream at once; `kind` push makes it publishable. */
  put(id: string, kind: "pull" | "push" = "pull"): void {
    const source: SourceSettings = kind === "push" ? { kind } : { kind, url: `http://cameras/${id}.mp4` };
    const view: StreamView = {
      id,
      name: `Camera ${id}`,
      source,
      tick_rate_hz: 2,
      pace: "live",
      gates: { change: true, novelty: true },
      refresh: null,
      paused: false,
      status: "live",
      reason: "",
      since_ms: epoch_ms,
      created_ms: epoch_ms,
      last_seq: 0,
      stats: { ...no_stats, drops: { ...no_stats.drops } },
    };
    this.#streams.set(id, { view, log: [], answers: [], snapshots: [] });
  }
  /** The next caption: into the log first, then told. */
  say(id: string, text: string, t_media_ms?: number): Caption {
    const entry = this.#entry(id);
    const seq = ++entry.view.last_seq;
    const media_ms = t_media_ms ?? seq * 1_000;
    const caption: Caption = {
      stream: id,
      seq,
      tick: seq * 2,
      t_media_ms: media_ms,
      t_wall_ms: epoch_ms + media_ms,
      text,
      p_speak: 0.75,
      caption_age_ms: 250,
    };
    entry.log.push(caption);
    entry.view.stats.captions++;
    this.emit({ type: "caption.final", caption });
    return caption;
  }
  delta(id: string, text: string): void {
    this.emit({ type: "caption.delta", stream: id, tick: 1, t_media_ms: 500, text });
  }
  show(id: string, jpeg: Uint8Array): void {
    this.#entry(id).picture = jpeg;
    this.emit({ type: "picture", stream: id, t_media_ms: 1_000, jpeg });
  }
  viewers(id: string): number {
    return this.#entry(id).view.stats.viewers;
  }

  // ---- Surface ----------------------------------------------------------------------------------------------

  list(): StreamView[] {
    return [...this.#streams.values()].map(({ view }) => view);
  }
  get(id: string): StreamView {
    return this.#entry(id).view;
  }
  add(request: StreamRequest): Promise<StreamView> {
    const id = request.id ?? `s${this.#streams.size + 1}`;
    if (this.#streams.has(id)) {
      throw new RequestError("stream_exists", `Cannot add stream "${id}": it exists.`);
    }
    if (this.#streams.size >= this.streams_max) {
      throw new CapacityError("streams_full", `Cannot add stream "${id}": all ${this.streams_max} run.`);
    }
    this.put(id, request.source.kind);
    return this.change(id, { name: request.name, source: request.source });
  }
  change(id: string, change: StreamChange): Promise<StreamView> {
    const { view } = this.#entry(id);
    const { gates, ...rest } = change;
    Object.assign(view, rest, { gates: { ...view.gates, ...gates } });
    this.emit({ type: "stream.changed", stream: view });
    return Promise.resolve(view);
  }
  remove(id: string): Promise<void> {
    this.#entry(id);
    this.#streams.delete(id);
    this.emit({ type: "stream.removed", stream: id });
    return Promise.resolve();
  }
  pause(id: string): Promise<StreamView> {
    this.#entry(id).view.paused = true;
    return this.change(id, {});
  }
  resume(id: string): Promise<StreamView> {
    this.#entry(id).view.paused = false;
    return this.change(id, {});
  }
  probe(source: SourceSettings, signal?: AbortSignal): Promise<Probe> {
    this.probed.push(source);
    this.probe_signal = signal;
    if (this.probe_waits) {
      const { promise, resolve } = Promise.withResolvers<Probe>();
      signal?.addEventListener("abort", () => resolve({ ok: false, reason: "given up" }), { once: true });
      return promise;
    }
    return Promise.resolve({ ok: true, reason: "", width_px: 640, height_px: 480, codec: "h264" });
  }

  captions(id: string, query: CaptionQuery): Caption[] {
    // Numbers have no gaps, so a number is a place.
    const rest = this.#entry(id).log.slice(query.after_seq ?? 0);
    if (Object.keys(query).every((key) => key === "after_seq" || key === "limit")) {
      return rest.slice(0, query.limit);
    }
    const found = rest.filter((caption) =>
      caption.t_wall_ms >= (query.from_ms ?? 0) &&
      caption.t_wall_ms <= (query.to_ms ?? Infinity) &&
      caption.text.includes(query.text ?? "")
    );
    return (query.newest_first ? found.toReversed() : found).slice(0, query.limit);
  }
  ask(id: string, request: QuestionRequest): Promise<Answered> {
    const { view, log, answers } = this.#entry(id);
    const { promise, resolve, reject } = Promise.withResolvers<Answered>();
    let text = "";
    const settle = (status: Answered["status"], answer: string) => {
      const record: AnswerRecord = {
        id: `a${answers.length + 1}`,
        stream: id,
        question: request.question,
        answer,
        tick: view.last_seq * 2,
        t_media_ms: view.last_seq * 1_000,
        t_wall_ms: epoch_ms + view.last_seq * 1_000,
        asked_at_ms: epoch_ms + 60_000,
        status,
      };
      answers.unshift(record);
      resolve({ ...record, evidence: log.slice(-2) });
    };
    request.signal?.addEventListener("abort", () => settle("cancelled", text), { once: true });
    this.questions.push({
      stream: id,
      request,
      say: (more) => request.onText?.(text += more),
      done: (answer) => settle("done", answer),
      fail: reject,
    });
    return promise;
  }
  answers(id: string, limit: number): AnswerRecord[] {
    return this.#entry(id).answers.slice(0, limit);
  }

  describe(request: DescribeRequest): Promise<Described> {
    return openChat(this.chats, request);
  }

  snapshots(id: string): SnapshotHead[] {
    return this.#entry(id).snapshots.map(({ head }) => head);
  }
  takeSnapshot(id: string): Promise<SnapshotHead> {
    const { view, snapshots } = this.#entry(id);
    const head: SnapshotHead = {
      stream: id,
      tick: 100 + snapshots.length,
      seq: view.last_seq,
      t_media_ms: 50_000,
      t_wall_ms: epoch_ms + 50_000,
      model_hash: this.model.model_hash,
      thumbnail: new Uint8Array(256),
    };
    snapshots.unshift({ head, blob: new Uint8Array([1, 2, 3, head.tick]) });
    return Promise.resolve(head);
  }
  readSnapshot(id: string, tick: number): Promise<{ head: SnapshotHead; blob: Uint8Array }> {
    const found = this.#entry(id).snapshots.find(({ head }) => head.tick === tick);
    if (!found) {
      throw new RequestError("snapshot_unknown", `Cannot read snapshot ${tick} of "${id}": there is none.`);
    }
    return Promise.resolve(found);
  }
  picture(id: string): ReturnType<Surface["picture"]> {
    const { picture } = this.#entry(id);
    return picture && { jpeg: picture, t_media_ms: 1_000, t_wall_ms: epoch_ms + 1_000 };
  }

  publish(id: string, events: PublisherEvents): Publisher {
    if (this.#entry(id).view.source.kind !== "push") {
      throw new RequestError("request_invalid", `Cannot publish to "${id}": it reads an address.`);
    }
    const before = this.publishers.get(id);
    const publisher = new FakePublisher(events, () => {
      if (this.publishers.get(id) === publisher) this.publishers.delete(id);
    });
    this.publishers.set(id, publisher);
    before?.events.onClosed(
      new GanderError("replaced", `Cannot publish to "${id}": another publisher took over`),
    );
    return publisher;
  }
  countViewers(id: string, change: 1 | -1): void {
    this.#entry(id).view.stats.viewers += change;
  }
}
