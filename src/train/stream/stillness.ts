// Which ticks the product would feed: its still-frame gate leaves out those in which the picture does not change. Here a
// tick is still when nothing in sight is elsewhere than at the tick fed last. Pure; must not know pixels or words.
import type { Sight } from "./sight.ts";

/** As `still_ms_max` of the pipeline: a still picture is fed anyway after this long. */
export const fed_at_least_every_s = 5;
/** Ticks that are fed behind the last change, so that what has come to rest or gone can be seen twice. */
export const fed_behind_change = 3;
/** Frame sides, ln size, and share of the light that the gate's thumbnail notices. */
const moved = 0.006, grown = 0.03, lit = 0.015;

/** One flag per tick. `mustFeed`: those that hold something to learn. */
export function fedTicks(
  sights: readonly Sight[],
  rate_hz: number,
  mustFeed: (tick: number) => boolean,
): boolean[] {
  let fed_last = 0, changed_last = 0;
  return sights.map((sight, tick) => {
    const changed = tick > 0 && isChange(sights[fed_last]!, sight);
    const is_fed = tick === 0 || changed || tick - changed_last <= fed_behind_change || mustFeed(tick) ||
      (tick - fed_last) / rate_hz >= fed_at_least_every_s;
    if (changed) changed_last = tick;
    if (is_fed) fed_last = tick;
    return is_fed;
  });
}

function isChange(before: Sight, now: Sight): boolean {
  if (before.black !== now.black || before.backdrop_luma !== now.backdrop_luma) return true;
  if (Math.abs(now.gain - before.gain) > lit * before.gain) return true;
  if (before.objects.length !== now.objects.length) return true;
  return now.objects.some((object) => {
    const was = before.objects.find(({ id }) => id === object.id);
    return !was || Math.hypot(object.x - was.x, object.y - was.y) > moved ||
      Math.abs(Math.log(object.size / was.size)) > grown;
  });
}
