// The numbers of one stream that prove its claims. offered = fed + mailbox + still + failed + waiting, always.
import { limits } from "./limits.ts";
import { Samples } from "./samples.ts";
import type { DropCounts } from "./surface.ts";

export class Counters {
  ticks = 0;
  frames_offered = 0;
  frames_fed = 0;
  captions = 0;
  /** Of the newest tick; null when the model was not asked. */
  p_speak: number | null = null;
  /** Frames that a newer one replaced before their tick. */
  mailbox = 0;
  still = 0;
  novelty = 0;
  /** Frames that fell into a tick that had one already. */
  same_tick = 0;
  /** Frames whose tick failed, or that waited when one did: nothing of them was written down. */
  failed = 0;
  empty = 0;
  refused = 0;
  viewers = 0;
  questions_active = 0;
  readonly caption_age_ms: Samples = new Samples(limits.sample_count);
  /** The whole tick: frame taken from the mailbox, vision, engine, written down. */
  readonly step_ms: Samples = new Samples(limits.sample_count);
  #reported = "";

  noteTick(p_speak: number | null, step_ms: number): void {
    this.ticks++;
    this.frames_fed++;
    this.p_speak = p_speak;
    this.step_ms.add(step_ms);
  }

  noteCaption(age_ms: number): void {
    this.captions++;
    this.caption_age_ms.add(age_ms);
  }

  drops(): DropCounts {
    return {
      mailbox: this.mailbox + this.same_tick,
      still: this.still,
      failed: this.failed,
      novelty: this.novelty,
      empty: this.empty,
      refused: this.refused,
    };
  }

  /** The drops when they changed since the last call, else undefined. */
  news(drops: DropCounts): DropCounts | undefined {
    const text = JSON.stringify(drops);
    if (text === this.#reported) return undefined;
    this.#reported = text;
    return drops;
  }
}
