// All streams of this process: names to entries, admission, events. Implements the Surface that the rooms above see.
// Must not know: HTTP, sockets, wire formats.
import { CapacityError, RequestError } from "../errors.ts";
import { Asking } from "./asking.ts";
import { Entry, type PipelineDeps } from "./entry.ts";
import { limits } from "./limits.ts";
import type { AnswerRecord, Caption, CaptionQuery, PushFrameSource, SnapshotHead } from "./ports.ts";
import type {
  Answered,
  ModelView,
  Probe,
  Publisher,
  PushFormat,
  QuestionRequest,
  SourceSettings,
  StreamChange,
  StreamEvent,
  StreamRequest,
  StreamView,
  Surface,
} from "./surface.ts";

export interface ServiceOptions {
  streams_max: number;
}

export class Service implements Surface {
  readonly model: ModelView;
  readonly #deps: PipelineDeps;
  readonly #streams_max: number;
  readonly #asking: Asking;
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Set<(event: StreamEvent) => void>();
  readonly #closing = new AbortController();
  #reporting: Promise<void> | undefined;
  #ready = false;

  constructor(model: ModelView, deps: PipelineDeps, options: ServiceOptions) {
    this.model = model;
    this.#deps = deps;
    this.#streams_max = options.streams_max;
    this.#asking = new Asking(deps);
  }

  get ready(): boolean {
    return this.#ready && !this.#closing.signal.aborted;
  }

  /** Opens every stored stream; each goes on with the memory it had. */
  async open(): Promise<void> {
    for (const stored of this.#deps.store.loadStreams()) {
      if (this.#entries.size >= this.#streams_max) {
        this.#deps.log.error("stream not opened: streams_max is met", { stream: stored.id });
        continue;
      }
      await this.#open(new Entry(stored, this.#deps, this.#emit));
    }
    this.#ready = true;
    this.#reporting = this.#report();
  }

  /** Stops the sources, writes the last snapshots, gives the states back. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#reporting;
    await Promise.all([...this.#entries.values()].map((entry) => entry.close()));
    this.#entries.clear();
  }

  list(): StreamView[] {
    return [...this.#entries.values()].map((entry) => entry.view());
  }

  get(id: string): StreamView {
    return this.#entry(id).view();
  }

  async add(request: StreamRequest): Promise<StreamView> {
    this.#deps.sources.check(request.source);
    if (this.#entries.size >= this.#streams_max) {
      throw new CapacityError(
        "streams_full",
        `Cannot add stream "${request.name}": ${this.#streams_max} streams run already (streams_max)`,
      );
    }
    const id = request.id ?? this.#nameFor(request.name);
    if (this.#entries.has(id)) {
      throw new RequestError("stream_exists", `Cannot add stream "${id}": a stream of that name exists`);
    }
    const stored = { id, spec: request, paused: false, created_ms: this.#deps.clock.now_ms() };
    const entry = new Entry(stored, this.#deps, this.#emit);
    this.#deps.store.saveStream(stored);
    await this.#open(entry);
    return this.#tell(entry);
  }

  async change(id: string, change: StreamChange): Promise<StreamView> {
    const entry = this.#entry(id);
    if (change.source) this.#deps.sources.check(change.source);
    const gates = change.gates ? { ...entry.request.gates, ...change.gates } : entry.request.gates;
    const request = { ...entry.request, ...change, gates };
    // A new name needs no restart.
    if (Object.keys(change).some((key) => key !== "name")) {
      await entry.close();
      entry.request = request;
      await entry.open();
    }
    entry.request = request;
    this.#save(entry);
    return this.#tell(entry);
  }

  async remove(id: string): Promise<void> {
    const entry = this.#entry(id);
    this.#entries.delete(id);
    await entry.close();
    this.#deps.store.deleteStream(id);
    this.#emit({ type: "stream.removed", stream: id });
  }

  async pause(id: string): Promise<StreamView> {
    const entry = this.#entry(id);
    entry.paused = true;
    await entry.halt();
    entry.stream.setStatus("ended", "paused");
    this.#save(entry);
    return this.#tell(entry);
  }

  async resume(id: string): Promise<StreamView> {
    const entry = this.#entry(id);
    entry.paused = false;
    await entry.halt();
    entry.play();
    this.#save(entry);
    return this.#tell(entry);
  }

  probe(source: SourceSettings): Promise<Probe> {
    return this.#deps.sources.probe(source);
  }

  captions(id: string, query: CaptionQuery): Caption[] {
    return this.#deps.store.captions(this.#entry(id).id, query);
  }

  ask(id: string, request: QuestionRequest): Promise<Answered> {
    return this.#asking.ask(this.#entry(id), request);
  }

  answers(id: string, limit: number): AnswerRecord[] {
    return this.#deps.store.answers(this.#entry(id).id, limit);
  }

  snapshots(id: string): SnapshotHead[] {
    return this.#deps.store.listSnapshots(this.#entry(id).id);
  }

  takeSnapshot(id: string): Promise<SnapshotHead> {
    return this.#entry(id).narrator.takeSnapshot();
  }

  async readSnapshot(id: string, tick: number): Promise<{ head: SnapshotHead; blob: Uint8Array }> {
    const found = await this.#deps.store.readSnapshot(this.#entry(id).id, tick);
    if (found) return found;
    throw new RequestError(
      "snapshot_unknown",
      `Cannot read snapshot ${tick} of "${id}": there is none, or it is damaged`,
    );
  }

  picture(id: string): { jpeg: Uint8Array; t_media_ms: number; t_wall_ms: number } | undefined {
    return this.#entry(id).stream.picture;
  }

  publish(id: string, format: PushFormat): Publisher {
    const entry = this.#entry(id);
    if (entry.request.source.kind !== "push") {
      throw new RequestError(
        "request_invalid",
        `Cannot publish to "${id}": its source is pulled, not pushed`,
      );
    }
    if (entry.paused) throw new RequestError("stream_paused", `Cannot publish to "${id}": it is paused`);
    const publisher = (entry.source as PushFrameSource).attach(format);
    return {
      offer: (message) => {
        const verdict = publisher.offer(message);
        if (verdict !== "taken") entry.counters.refused++;
        return verdict;
      },
      onCredit: (grant) => publisher.onCredit(grant),
      close: (reason) => publisher.close(reason),
    };
  }

  listen(listener: (event: StreamEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  countViewers(id: string, change: 1 | -1): void {
    const entry = this.#entries.get(id);
    if (entry) entry.counters.viewers += change;
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id);
    if (entry) return entry;
    throw new RequestError("stream_unknown", `Cannot find stream "${id}": there is none of that name`);
  }

  readonly #emit = (event: StreamEvent): void => {
    for (const listener of [...this.#listeners]) listener(event);
  };

  async #open(entry: Entry): Promise<void> {
    this.#entries.set(entry.id, entry);
    await entry.open();
  }

  #save(entry: Entry): void {
    const { id, request: spec, paused, created_ms } = entry;
    this.#deps.store.saveStream({ id, spec, paused, created_ms });
  }

  #tell(entry: Entry): StreamView {
    const stream = entry.view();
    this.#emit({ type: "stream.changed", stream });
    return stream;
  }

  #nameFor(name: string): string {
    const slug = name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 48) ||
      "stream";
    for (let count = 1;; count++) {
      const id = count === 1 ? slug : `${slug}-${count}`;
      if (!this.#entries.has(id)) return id;
    }
  }

  async #report(): Promise<void> {
    const { clock } = this.#deps;
    while (!this.#closing.signal.aborted) {
      await clock.sleep(limits.stats_every_ms, this.#closing.signal);
      for (const entry of this.#entries.values()) {
        const { stats } = entry.view();
        this.#emit({ type: "stats", stream: entry.id, stats });
        const drops = entry.counters.news(stats.drops);
        if (drops) this.#emit({ type: "drop.report", stream: entry.id, drops });
      }
    }
  }
}
