// What an ideal narrator says at each tick: silence, or one line about the oldest event that is not told yet. Must not
// know models or frames.
import type { Dice } from "./dice.ts";
import type { WorldEvent } from "./events.ts";
import { tell } from "./lines.ts";

export interface TickLabel {
  tick: number;
  t_s: number;
  /** Undefined: silence. */
  line: string | undefined;
  /** The events that the line tells. */
  told: readonly WorldEvent[];
}

/** An event that waited longer than this behind others is not told any more. */
const stale_s = 3;

/** One label per tick from time 0 on. An event is told at the first tick at or after it. */
export function labelTicks(
  events: readonly WorldEvent[],
  { duration_s, rate_hz }: { duration_s: number; rate_hz: number },
  dice: Dice,
): TickLabel[] {
  const labels: TickLabel[] = [];
  const waiting: WorldEvent[] = [];
  let next = 0;
  for (let tick = 0; tick / rate_hz < duration_s; tick++) {
    const t_s = tick / rate_hz;
    while (next < events.length && events[next]!.t_s <= t_s) waiting.push(events[next++]!);
    while (waiting.length > 0 && t_s - waiting[0]!.t_s > stale_s) waiting.shift();
    const told = takeNext(waiting);
    const [event, count] = told;
    labels.push({ tick, t_s, line: event && tell({ event, count }, dice), told });
  }
  return labels;
}

/** The oldest event, and the change of number that came with it. */
function takeNext(waiting: WorldEvent[]): WorldEvent[] {
  const event = waiting.shift();
  if (!event) return [];
  const at = waiting.findIndex(({ kind, id, t_s }) =>
    kind === "count" && event.kind !== "count" && id === event.id && Math.abs(t_s - event.t_s) < 0.2
  );
  return at < 0 ? [event] : [event, ...waiting.splice(at, 1)];
}
