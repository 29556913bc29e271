// A publisher that keeps to its credits, and a stage on which it plays.
import {
  type FrameRequest,
  type FrameSource,
  type PushCodec,
  type PushSession,
  type PushSource,
  type SourceError,
} from "../../streams/mod.ts";
import { type Seen, watch } from "./watch.ts";

export const sleep = (duration_ms: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, duration_ms));

export async function until(condition: () => boolean, timeout_ms = 6_000): Promise<void> {
  const deadline_ms = performance.now() + timeout_ms;
  while (!condition()) {
    if (performance.now() > deadline_ms) throw new Error("it did not happen in time");
    await sleep(10);
  }
}

/** Messages a publisher of pictures may send ahead: credits when nothing waits. */
const jpeg_window = 4;

export interface PlayOptions {
  period_ms: number;
  /** Wait until everything sent before was consumed: a slow machine then loses nothing. For JPEG. */
  in_step?: boolean;
  stop?: () => boolean;
}

export class Publisher {
  granted = 0;
  sent = 0;
  closed: SourceError | undefined;
  readonly session: PushSession;
  #sequence = 0;

  constructor(readonly source: PushSource) {
    this.session = source.attach({
      onCredit: (messages) => void (this.granted += messages),
      onClosed: (error) => void (this.closed = error),
    });
  }

  offer(codec: PushCodec, payload: Uint8Array, t_media_us: number, key_frame = true) {
    return this.session.offer({ codec, key_frame, t_media_us, sequence: ++this.#sequence, payload });
  }

  /** Sends until there is nothing left, it is closed, or `stop` says so. Returns what was not taken. */
  async play(codec: PushCodec, payloads: Uint8Array[], { period_ms, in_step, stop }: PlayOptions) {
    const refused: unknown[] = [];
    const begun_ms = performance.now();
    const consumed = () => !in_step || this.sent === 0 || this.granted - this.sent >= jpeg_window;
    for (const [index, payload] of payloads.entries()) {
      while (
        performance.now() < begun_ms + index * period_ms || this.session.credits() === 0 || !consumed()
      ) {
        if (this.closed || stop?.()) return refused;
        await sleep(5);
      }
      const verdict = this.offer(
        codec,
        payload,
        index * period_ms * 1_000,
        codec !== "h264" || hasParameterSet(payload),
      );
      this.sent++;
      if (!verdict.taken) refused.push(verdict);
    }
    return refused;
  }
}

/** An access unit that begins with a sequence parameter set (NAL type 7) is a key picture. */
function hasParameterSet(unit: Uint8Array): boolean {
  return unit.subarray(0, 64).some((byte, at) => byte === 1 && (unit[at + 1] & 31) === 7);
}

export interface StageOptions extends Partial<FrameRequest> {
  /** Wait for the source to end by itself when the act is over. */
  keep?: boolean;
}

/** Watches a pushed source while `act` plays the publisher's part; stops it when that is over. */
export async function during(
  source: FrameSource,
  act: (seen: () => Seen) => Promise<void>,
  { keep, ...request }: StageOptions = {},
): Promise<Seen> {
  let current: Seen = { frames: [], previews: [], statuses: [], names: [] };
  const stop = new AbortController();
  const watching = watch({
    replayable: false,
    run: (wanted, events, signal) => source.run(wanted, events, AbortSignal.any([signal, stop.signal])),
  }, {
    ...request,
    until: (seen) => {
      current = seen;
      return false;
    },
  });
  try {
    await act(() => current);
  } catch (error) {
    stop.abort();
    await watching;
    throw error;
  }
  if (!keep) stop.abort();
  return await watching;
}
