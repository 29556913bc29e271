// All streams of this process: names to entries, admission, events. Implements the Surface that the rooms above see.
// Must not know: HTTP, sockets, wire formats.
import { CapacityError, GanderError, RequestError } from "../errors.ts";
import { Asking } from "./asking.ts";
import { Entry, type PipelineDeps } from "./entry.ts";
import { limits } from "./limits.ts";
import type { AnswerRecord, Caption, CaptionQuery, SnapshotHead } from "./ports.ts";
import { forkBlank, PictureChat } from "./picture_chat.ts";
import { checkRefresh } from "./policy.ts";
import { Probing } from "./probing.ts";
import { attachPublisher } from "./publishing.ts";
import { reportStats } from "./reporting.ts";
import { Seats } from "./seats.ts";
import { changeRequest } from "./source_change.ts";
import { nameStream } from "./stream_name.ts";
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
} from "./surface.ts";

export interface ServiceOptions {
  streams_max: number;
}

export class Service implements Surface {
  readonly model: ModelView;
  readonly #deps: PipelineDeps;
  readonly #streams_max: number;
  readonly #asking: Asking;
  readonly #chat: PictureChat | undefined;
  readonly #probing: Probing;
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Set<(event: StreamEvent) => void>();
  readonly #closing = new AbortController();
  #reporting: Promise<void> | undefined;
  #ready = false;

  constructor(model: ModelView, deps: PipelineDeps, options: ServiceOptions) {
    this.model = model;
    this.#deps = deps;
    this.#streams_max = options.streams_max;
    const seats = new Seats(limits.questions_active_max);
    this.#asking = new Asking(deps, seats);
    this.#chat = deps.chat && new PictureChat({
      ...deps,
      ...deps.chat,
      seats,
      openState: () => forkBlank(deps.engine),
    });
    this.#probing = new Probing(deps.sources, this.#closing.signal);
  }

  get ready(): boolean {
    return this.#ready && !this.#closing.signal.aborted;
  }

  /** Opens every stored stream; each goes on with the memory it had and, with `play`, with its source. */
  async open({ play = true } = {}): Promise<void> {
    for (const stored of this.#deps.store.loadStreams()) {
      if (this.#entries.size >= this.#streams_max) {
        this.#deps.log.error("stream not opened: streams_max is met", { stream: stored.id });
        continue;
      }
      if (this.#closing.signal.aborted) break;
      const entry = new Entry(stored, this.#deps, this.#emit);
      await this.#open(entry, play).catch((error) =>
        this.#deps.log.error("stream not opened", { stream: stored.id, error })
      );
    }
    this.#ready = true;
    const { clock } = this.#deps;
    this.#reporting = reportStats(this.#entries, this.#emit, clock, this.#closing.signal);
  }

  /** Stops the sources, cancels questions, writes the last snapshots, gives the states back. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([this.#reporting, this.#chat?.close()]);
    await Promise.all([...this.#entries.values()].map((entry) => entry.inTurn(() => entry.end())));
    this.#entries.clear();
  }

  list(): StreamView[] {
    return [...this.#entries.values()].map((entry) => entry.view());
  }

  get(id: string): StreamView {
    return this.#entry(id).view();
  }

  async add(request: StreamRequest): Promise<StreamView> {
    if (this.#closing.signal.aborted) {
      throw new GanderError("not_ready", `Cannot add stream "${request.name}": closing down`, "backoff");
    }
    this.#deps.sources.check(request.source);
    checkRefresh(this.#deps.policy, request, `Cannot add stream "${request.name}"`);
    if (this.#entries.size >= this.#streams_max) {
      throw new CapacityError(
        "streams_full",
        `Cannot add stream "${request.name}": ${this.#streams_max} streams run already (streams_max)`,
      );
    }
    const id = request.id ?? nameStream(request.name, (taken) => this.#isTaken(taken));
    if (this.#isTaken(id)) {
      throw new RequestError("stream_exists", `Cannot add stream "${id}": a stream of that name exists`);
    }
    const stored = { id, spec: request, paused: false, created_ms: this.#deps.clock.now_ms() };
    const entry = new Entry(stored, this.#deps, this.#emit);
    this.#deps.store.saveStream(stored);
    try {
      return await this.#open(entry);
    } catch (error) {
      await this.#deps.store.deleteStream(id);
      throw error;
    }
  }

  change(id: string, change: StreamChange): Promise<StreamView> {
    return this.#inTurn(id, async (entry) => {
      const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
      const { sources, policy } = this.#deps;
      const request = changeRequest(entry.request, given, sources.redact);
      if (change.source) sources.check(request.source);
      checkRefresh(policy, change, `Cannot change stream "${id}"`);
      // Written down first: when that fails, nothing was changed.
      this.#save(entry, request);
      // A new name needs no restart.
      const restarts = Object.keys(given).some((key) => key !== "name");
      if (restarts) await entry.close();
      entry.request = request;
      if (restarts) await entry.open();
      return this.#tell(entry);
    });
  }

  /** The name is free again when it resolves, not before. */
  remove(id: string): Promise<void> {
    return this.#inTurn(id, async (entry) => {
      await entry.end();
      await this.#deps.store.deleteStream(id);
      this.#entries.delete(id);
      this.#emit({ type: "stream.removed", stream: id });
    });
  }

  pause(id: string): Promise<StreamView> {
    return this.#inTurn(id, async (entry) => {
      await entry.pause();
      // It is so, whether or not it can be written down for the next start.
      const view = this.#tell(entry);
      this.#save(entry);
      return view;
    });
  }

  resume(id: string): Promise<StreamView> {
    return this.#inTurn(id, async (entry) => {
      await entry.resume();
      const view = this.#tell(entry);
      this.#save(entry);
      return view;
    });
  }

  probe(source: SourceSettings, signal?: AbortSignal): Promise<Probe> {
    return this.#probing.probe(source, signal);
  }

  captions(id: string, query: CaptionQuery): Caption[] {
    return this.#deps.store.captions(this.#entry(id).id, query);
  }

  async ask(id: string, request: QuestionRequest): Promise<Answered> {
    const entry = this.#entry(id);
    return await entry.track(this.#asking.ask(entry, request));
  }

  answers(id: string, limit: number): AnswerRecord[] {
    return this.#deps.store.answers(this.#entry(id).id, limit);
  }

  async describe(request: DescribeRequest): Promise<Described> {
    if (this.#chat) return await this.#chat.describe(request);
    throw new RequestError("model_no_images", "Cannot answer: this model is asked through its streams only");
  }

  snapshots(id: string): SnapshotHead[] {
    return this.#deps.store.listSnapshots(this.#entry(id).id);
  }

  async takeSnapshot(id: string): Promise<SnapshotHead> {
    return await this.#entry(id).takeSnapshot();
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
    return this.#entry(id).picture;
  }

  publish(id: string, events: PublisherEvents): Publisher {
    return attachPublisher(this.#entry(id), events);
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
    for (const listener of [...this.#listeners]) {
      // One that left during this event, or was sent away by another, hears no more.
      if (!this.#listeners.has(listener)) continue;
      try {
        listener(event);
      } catch (error) {
        this.#deps.log.error("listener failed", { event: event.type, error });
      }
    }
  };

  /** The entry is there at once, so that its name is taken; it goes again when it cannot be opened. */
  async #open(entry: Entry, play = true): Promise<StreamView> {
    this.#entries.set(entry.id, entry);
    try {
      return await entry.inTurn(async () => {
        await entry.open(play);
        return this.#tell(entry);
      });
    } catch (error) {
      this.#entries.delete(entry.id);
      throw error;
    }
  }

  async #inTurn<T>(id: string, job: (entry: Entry) => Promise<T>): Promise<T> {
    const entry = this.#entry(id);
    return await entry.inTurn(() => {
      if (this.#entry(id) !== entry || this.#closing.signal.aborted) {
        throw new GanderError("not_ready", `Cannot change stream "${id}": it is being closed`, "backoff");
      }
      return job(entry);
    });
  }

  #save(entry: Entry, spec: StreamRequest = entry.request): void {
    const { id, paused, created_ms } = entry;
    this.#deps.store.saveStream({ id, spec, paused, created_ms });
  }

  /** Also by a stored stream that could not be opened: its memory must not become another's. */
  #isTaken(id: string): boolean {
    return this.#entries.has(id) || this.#deps.store.loadStreams().some((stored) => stored.id === id);
  }

  #tell(entry: Entry): StreamView {
    const stream = entry.view();
    this.#emit({ type: "stream.changed", stream });
    return stream;
  }
}
