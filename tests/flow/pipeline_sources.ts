// Sources made of scripts: recordings, cameras and publishers whose every frame is known beforehand.
import { GanderError } from "../../src/errors.ts";
import type {
  Frame,
  FrameRequest,
  FrameSource,
  PushFrameSource,
  SourceEvents,
  SourceFactory,
} from "../../src/pipeline/ports.ts";
import type { Probe, Publisher, PublisherEvents, SourceSettings } from "../../src/pipeline/surface.ts";
import type { ManualClock } from "./manual_clock.ts";

const side = 16;

/** As below, but of each twelve the last five are the picture before them: long enough at rest for the gates to find. */
export function restingPictureAt(index: number): Uint8Array {
  return pictureAt(index - Math.max(0, index % 12 - 6));
}

/** Picture `index` of a recording: one in four is the picture before it. */
export function pictureAt(index: number): Uint8Array {
  const shown = index % 4 === 3 ? index - 1 : index;
  let state = Math.imul(shown + 1, 0x9e3779b1) >>> 0;
  const shades = Array.from({ length: 12 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
  return Uint8Array.from({ length: side * side * 3 }, (_, at) => {
    const pixel = Math.floor(at / 3);
    const quadrant = (pixel >= (side * side) / 2 ? 2 : 0) + (pixel % side >= side / 2 ? 1 : 0);
    return shades[quadrant * 3 + (at % 3)]!;
  });
}

export interface Script {
  clock: ManualClock;
  replayable?: boolean;
  /** Frames of the recording; a live source goes on for ever without it. */
  frames?: number;
  /** Media time between two frames. */
  every_ms?: number;
  /** Wall time that passes per frame of a lossless run. */
  wall_ms?: number;
  picture?: (index: number) => Uint8Array;
  /** Before each frame; its promise is waited for. */
  onFrame?: (index: number) => void | Promise<void>;
}

/** A recording or a camera, made of a script. Remembers how it was run. */
export class ScriptedSource implements FrameSource {
  readonly replayable: boolean;
  readonly requests: FrameRequest[] = [];
  running_count = 0;
  events: SourceEvents | undefined;
  /** After a simulated crash nothing more comes. */
  dead = false;
  readonly #script: Script;

  constructor(script: Script) {
    this.#script = script;
    this.replayable = script.replayable ?? true;
  }

  async run(request: FrameRequest, events: SourceEvents, signal: AbortSignal): Promise<void> {
    this.requests.push(request);
    this.events = events;
    this.running_count++;
    try {
      if (signal.aborted) return;
      events.onStatus("live", "frames arrive");
      if (request.pace === "lossless") await this.#play(request, events, signal);
      else await this.#stream(events, signal);
    } finally {
      this.running_count--;
    }
  }

  async #play(request: FrameRequest, events: SourceEvents, signal: AbortSignal): Promise<void> {
    const { clock, frames = Infinity, every_ms = 500, wall_ms = 100, onFrame } = this.#script;
    for (let index = Math.ceil(request.start_at_ms / every_ms); index < frames; index++) {
      await onFrame?.(index);
      if (this.dead) await aborted(signal);
      if (signal.aborted) return;
      clock.skip(wall_ms);
      // A recording has its own wall clock too, or two runs of it could not be compared.
      await events.onFrame(this.#frame(index, 1_600_000_000_000 + index * every_ms));
    }
    events.onStatus("ended", "the recording is over");
  }

  async #stream(events: SourceEvents, signal: AbortSignal): Promise<void> {
    const { clock, frames = Infinity, every_ms = 500, onFrame } = this.#script;
    for (let index = 0; index < frames; index++) {
      await onFrame?.(index);
      if (signal.aborted || this.dead) return await aborted(signal);
      void events.onFrame(this.#frame(index, clock.now_ms()));
      await clock.sleep(every_ms, signal);
    }
    events.onStatus("ended", "the camera was switched off");
  }

  #frame(index: number, arrived_at_ms: number): Frame {
    const { every_ms = 500, picture = pictureAt } = this.#script;
    return {
      rgb: picture(index),
      width_px: side,
      height_px: side,
      t_media_ms: index * every_ms,
      arrived_at_ms,
    };
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/** A push source whose publisher is the test. */
export class ScriptedPush extends ScriptedSource implements PushFrameSource {
  constructor(clock: ManualClock) {
    super({ clock, replayable: false, frames: 0 });
  }

  override async run(request: FrameRequest, events: SourceEvents, signal: AbortSignal): Promise<void> {
    this.requests.push(request);
    this.events = events;
    events.onStatus("stalled", "waiting for a publisher");
    await aborted(signal);
  }

  attach(events: PublisherEvents): Publisher {
    events.onCredit(4);
    return {
      offer: ({ payload }) =>
        payload.length === 0 ? { taken: false, dropped: "out_of_order" } : { taken: true },
      detach: () => {},
    };
  }
}

/** Sources by address. What is not listed cannot be opened. */
export class ListedSources implements SourceFactory {
  readonly pushes: ScriptedPush[] = [];

  constructor(readonly clock: ManualClock, readonly pulls: Record<string, () => FrameSource> = {}) {}

  check(settings: SourceSettings): void {
    if (settings.kind === "push" || this.pulls[settings.url]) return;
    throw new GanderError("denied", "Cannot open source: address not allowed");
  }

  openPull(settings: Extract<SourceSettings, { kind: "pull" }>): FrameSource {
    return this.pulls[settings.url]!();
  }

  openPush(): PushFrameSource {
    const source = new ScriptedPush(this.clock);
    this.pushes.push(source);
    return source;
  }

  /** Seen until the test, or an abort, ends it. */
  readonly probes: { end(): void; signal: AbortSignal | undefined }[] = [];

  probe(_settings: SourceSettings, signal?: AbortSignal): Promise<Probe> {
    const { promise, resolve } = Promise.withResolvers<Probe>();
    const end = () => resolve({ ok: !signal?.aborted, reason: "" });
    signal?.addEventListener("abort", end, { once: true });
    this.probes.push({ end, signal });
    return promise;
  }

  /** What stands before an @ is a secret. */
  redact(settings: SourceSettings): SourceSettings {
    return settings.kind === "push" ? settings : { ...settings, url: settings.url.replace(/.*@/, "***@") };
  }
}
