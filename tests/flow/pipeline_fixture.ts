// A whole pipeline with nothing real in it: scripted sources, the fake engine, a store in memory, time by hand.
import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import type { PipelineDeps } from "../../src/pipeline/entry.ts";
import { FakeEngine } from "../../src/pipeline/fake_engine.ts";
import { FakeVision, makeFakeLanguage } from "../../src/pipeline/fake_model.ts";
import type { Caption, FrameSource, Language, Picture, Vision } from "../../src/pipeline/ports.ts";
import type { Policy } from "../../src/pipeline/policy.ts";
import { Pump } from "../../src/pipeline/pump.ts";
import { Service } from "../../src/pipeline/service.ts";
import type { ModelView, StreamEvent } from "../../src/pipeline/surface.ts";
import { ManualClock } from "./manual_clock.ts";
import { MemoryStore } from "./memory_store.ts";
import { ListedSources } from "./pipeline_sources.ts";

export const model: ModelView = {
  name: "fake",
  policy: "stream",
  trained: false,
  fake: true,
  limits_note: "",
  device: "fake",
  rwkv_version: 0,
  width: 8,
  layers: 0,
  vectors_per_frame: 4,
  state_bytes: 20,
  model_hash: "fa".repeat(32),
};

/** An engine whose steps take time. */
export class SlowEngine extends FakeEngine {
  constructor(readonly clock: Clock, public step_ms: number, states_max = 128) {
    super(states_max);
  }

  override async run(): Promise<void> {
    if (this.step_ms > 0) await this.clock.sleep(this.step_ms);
    await super.run();
  }
}

/** A tower that takes time, and fails when told to. */
export class SlowVision extends FakeVision {
  fail_next: Error | undefined;
  encode_ms = 0;
  onEncode: (() => void) | undefined;

  constructor(readonly clock: Clock) {
    super();
  }

  override async encode(rgb: Uint8Array): Promise<Float32Array> {
    await this.#look();
    return await super.encode(rgb);
  }

  override async encodePicture(picture: Picture): Promise<Float32Array> {
    await this.#look();
    return await super.encodePicture(picture);
  }

  async #look(): Promise<void> {
    this.onEncode?.();
    if (this.encode_ms > 0) await this.clock.sleep(this.encode_ms);
    const failure = this.fail_next;
    this.fail_next = undefined;
    if (failure) throw failure;
  }
}

export interface House {
  clock: ManualClock;
  store: MemoryStore;
  engine: SlowEngine;
  pump: Pump;
  vision: SlowVision;
  sources: ListedSources;
  service: Service;
  events: StreamEvent[];
  /** Lines of the log at warn and above. */
  complaints: string[];
}

export interface HouseOptions {
  clock?: ManualClock;
  store?: MemoryStore;
  engine?: SlowEngine;
  language?: Partial<Language>;
  pulls?: Record<string, () => FrameSource>;
  streams_max?: number;
  policy?: Policy;
  chat?: PipelineDeps["chat"];
}

export function makeHouse(options: HouseOptions = {}): House {
  const { clock = new ManualClock(), streams_max = 4 } = options;
  const { store = new MemoryStore(clock), engine = new SlowEngine(clock, 0) } = options;
  const complaints: string[] = [];
  const complain = (event: string, fields: Record<string, unknown> = {}) =>
    void complaints.push(`${event}: ${(fields.error as Error | undefined)?.message ?? ""}`);
  const log: Log = { info() {}, warn: complain, error: complain };
  const vision: SlowVision & Vision = new SlowVision(clock);
  const sources = new ListedSources(clock, options.pulls);
  const pump = new Pump(engine, clock);
  const service = new Service(model, {
    engine,
    pump,
    vision,
    language: makeFakeLanguage(options.language),
    store,
    sources,
    clock,
    log,
    tick_rate_hz: 2,
    policy: options.policy ?? { kind: "stream" },
    chat: options.chat,
  }, { streams_max });
  const events: StreamEvent[] = [];
  service.listen((event) => void events.push(event));
  return { clock, store, engine, pump, vision, sources, service, events, complaints };
}

/** A house with one stream "cam" fed by `source`, opened. */
export async function openCam(
  source: () => FrameSource,
  options: HouseOptions & { pace?: "live" | "lossless"; gates?: { change: boolean; novelty: boolean } } = {},
): Promise<House> {
  const house = makeHouse({ ...options, pulls: { cam: source, ...options.pulls } });
  await house.service.open();
  if (!house.service.list().some(({ id }) => id === "cam")) {
    const { pace = "lossless", gates } = options;
    await house.service.add({ id: "cam", name: "Cam", source: { kind: "pull", url: "cam" }, pace, gates });
  }
  return house;
}

/** Closes while time goes on, and proves that nothing is left behind: no state, no timer. */
export async function shutDown({ service, clock, engine }: House): Promise<void> {
  const closed = service.close();
  await clock.advance(30_000);
  await closed;
  if (engine.states_open + clock.sleeping_count === 0) return;
  throw new Error(`left behind: ${engine.states_open} states, ${clock.sleeping_count} sleepers`);
}

export function captionsOf({ store }: { store: MemoryStore }, stream = "cam"): Caption[] {
  return store.captions(stream, { limit: 1e9 });
}

/** What a caption says, without how long it took: that differs between two runs of a recording. */
export function wordsOf(captions: readonly Caption[]): Omit<Caption, "caption_age_ms">[] {
  return captions.map(({ caption_age_ms: _, ...rest }) => rest);
}

/** The memory as bytes, at the next tick edge. */
export async function stateOf({ service, store }: House, stream = "cam"): Promise<Uint8Array> {
  const { tick } = await service.takeSnapshot(stream);
  return (await store.readSnapshot(stream, tick))!.blob;
}
