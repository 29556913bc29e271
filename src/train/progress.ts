// What a person sees of a run while it runs: a bar on a terminal, a line now and then elsewhere. Must not know terminals
// beyond the carriage return, nor what is trained.
import { train_limits } from "./limits.ts";

/** Where words for a person go. */
export interface Say {
  line(text: string): void;
  /** Only on a terminal: stands in place of what it wrote last. */
  live?(text: string): void;
}

/** On a stream of text; a line takes the place of a live text. */
export function sayOn(write: (text: string) => void, is_terminal: boolean): Say {
  if (!is_terminal) return { line: (text) => write(`${text}\n`) };
  return {
    line: (text) => write(`\r\x1b[K${text}\n`),
    live: (text) => write(`\r\x1b[K${text}`),
  };
}

export interface ProgressAt {
  step: number;
  steps: number;
  /** Undefined while no step had a finite one. */
  loss: number | undefined;
  lr: number;
  /** "1,234 tokens/s" */
  speed: string;
}

const bar_cells = 24;

export class Progress {
  #first: { step: number; at_ms: number } | undefined;
  #shown_ms = -Infinity;

  constructor(readonly say: Say, readonly now_ms: () => number) {}

  update(at: ProgressAt): void {
    const now_ms = this.now_ms();
    this.#first ??= { step: at.step, at_ms: now_ms };
    const last = at.step >= at.steps;
    const interval_ms = this.say.live ? train_limits.bar_interval_ms : train_limits.line_interval_ms;
    if (!last && now_ms - this.#shown_ms < interval_ms) return;
    this.#shown_ms = now_ms;
    const text = this.#text(at, now_ms);
    if (this.say.live && !last) this.say.live(`${bar(at.step / at.steps)} ${text}`);
    else this.say.line(text);
  }

  #text({ step, steps, loss, lr, speed }: ProgressAt, now_ms: number): string {
    const { step: first_step, at_ms } = this.#first!;
    const per_step_ms = (now_ms - at_ms) / (step - first_step);
    const eta = step > first_step ? durationText((steps - step) * per_step_ms) : "?";
    const loss_text = loss === undefined ? "?" : loss.toPrecision(4);
    return `step ${step}/${steps}  loss ${loss_text}  lr ${lr.toExponential(2)}  ${speed}  eta ${eta}`;
  }
}

function bar(share: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * bar_cells);
  return `[${"█".repeat(full)}${"·".repeat(bar_cells - full)}]`;
}

/** "3 h 05 min", "4 min 10 s", "12 s" */
export function durationText(duration_ms: number): string {
  const all_s = Math.round(duration_ms / 1000);
  const [h, min, s] = [Math.floor(all_s / 3600), Math.floor(all_s / 60) % 60, all_s % 60];
  if (h > 0) return `${h} h ${String(min).padStart(2, "0")} min`;
  return min > 0 ? `${min} min ${String(s).padStart(2, "0")} s` : `${s} s`;
}
