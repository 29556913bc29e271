// One training clip: an invented scene, what can be seen of it at each tick, and what an ideal narrator says there. The
// same number gives the same clip on every machine. Must not know tokens, noise or batches.
import { inventScene } from "../../world/author.ts";
import { Dice } from "../../world/dice.ts";
import { eventsOf, type WorldEvent } from "../../world/events.ts";
import type { Level } from "../../world/levels.ts";
import type { Script } from "../../world/script.ts";
import { labelTicks, type TickLabel } from "../../world/ticks.ts";
import { type Sight, sightsOf } from "./sight.ts";
import { tellableEvents } from "./telling.ts";

export const rate_hz = 2;
/** Training uses seeds below, validation those from here up to where the test begins (1,000,000,000). */
export const validation_seed_first = 900_000_000;

/** Shares of the difficulties. */
const level_shares: readonly [Level, number][] = [["L1", 0.2], ["L2", 0.5], ["L3", 0.3]];

export interface Clip {
  script: Script;
  /** Those that can be told, at the time they can. */
  events: readonly WorldEvent[];
  sights: readonly Sight[];
  labels: readonly TickLabel[];
}

export function makeClip(seed: number, ticks: number, styles: readonly string[]): Clip {
  const dice = new Dice(seed, "clip");
  const script = inventScene({
    seed,
    level: drawLevel(dice),
    duration_s: ticks / rate_hz,
    styles,
    grammar: "train",
  });
  return narrateScript(script, ticks, dice);
}

/** `dice` chooses among the ways to say the same. */
export function narrateScript(script: Script, ticks: number, dice: Dice): Clip {
  const sights = sightsOf(script, ticks, rate_hz);
  const events = tellableEvents(eventsOf(script), sights);
  const labels = labelTicks(events, { duration_s: ticks / rate_hz, rate_hz }, dice);
  return { script, events, sights, labels };
}

function drawLevel(dice: Dice): Level {
  let draw = dice.share();
  return level_shares.find(([, share]) => (draw -= share) < 0)?.[0] ?? "L2";
}
