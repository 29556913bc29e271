// What a faultless tower would see of a scene at each tick: where every object is, how it moved since the tick before,
// how much of it shows, and the light. Pure; must not know events, words, noise or slots.
import type { SceneObject, Script } from "../../world/script.ts";
import { type Pose, poseAt, visibleShare } from "../../world/tracks.ts";

export interface SeenObject {
  id: number;
  name: string;
  x: number;
  y: number;
  size: number;
  /** Since the tick before; 0 when it was not there then. */
  vx: number;
  vy: number;
  growth: number;
  /** It was not to be seen at the tick before. */
  fresh: boolean;
  /** Share inside the frame. */
  visible: number;
  /** Share of that behind other objects. */
  hidden: number;
}

export interface Sight {
  t_s: number;
  /** What can be seen at all, in drawing order. */
  objects: SeenObject[];
  black: boolean;
  /** The same picture as at the tick before, to the pixel. */
  frozen: boolean;
  /** The background is another one than at the tick before. */
  cut: boolean;
  gain: number;
  /** Mean luma of the background at gain 1, 0 to 1. */
  backdrop_luma: number;
}

/** Less of an object inside the frame cannot be made out … */
export const visible_min = 0.2;
/** … nor one of which more is behind others. */
export const hidden_max = 0.8;
/** Sprites do not fill their squares: this share of the side covers what is behind. */
const solid_share = 0.8;
const cover_samples = 4;

/** One sight per tick from time 0 on. */
export function sightsOf(script: Script, ticks: number, rate_hz: number): Sight[] {
  const sights: Sight[] = [];
  for (let tick = 0; tick < ticks; tick++) {
    const t_s = tick / rate_hz, before_s = Math.max(0, (tick - 1) / rate_hz);
    const at_s = shownTime(script, t_s), at_before_s = shownTime(script, before_s);
    sights.push({
      t_s,
      objects: at_s === undefined ? [] : seenAt(script, at_s, at_before_s),
      black: at_s === undefined,
      frozen: tick > 0 && at_s === at_before_s,
      cut: at_s !== undefined && at_before_s !== undefined &&
        backdropAt(script, at_s) !== backdropAt(script, at_before_s),
      gain: at_s === undefined ? 0 : gainAt(script, at_s),
      backdrop_luma: backdropLuma(script, at_s ?? t_s),
    });
  }
  return sights;
}

/** The moment of the scene that the picture shows; undefined: none, it is black. */
function shownTime({ nuisance }: Script, t_s: number): number | undefined {
  const during = ({ from_s, until_s }: { from_s: number; until_s: number }) => t_s >= from_s && t_s < until_s;
  if (nuisance.black.some(during)) return undefined;
  return nuisance.freezes.find(during)?.from_s ?? t_s;
}

function seenAt(script: Script, t_s: number, before_s: number | undefined): SeenObject[] {
  const now = posesAt(script, t_s);
  const before = before_s === undefined ? [] : posesAt(script, before_s);
  return now.flatMap(({ object, pose }, order) => {
    if (!canBeSeen(now, order)) return [];
    const { x, y, size } = pose;
    const was_at = before.findIndex((one) => one.object === object);
    const was = before[was_at]?.pose;
    return [{
      id: object.id,
      name: object.name,
      ...{ x, y, size },
      vx: was ? x - was.x : 0,
      vy: was ? y - was.y : 0,
      growth: was ? Math.log(size / was.size) : 0,
      fresh: !was || !canBeSeen(before, was_at),
      visible: visibleShare(pose),
      hidden: hiddenShare(now, order),
    }];
  });
}

interface Placed {
  object: SceneObject;
  pose: Pose;
}

function posesAt({ objects }: Script, t_s: number): Placed[] {
  return objects.flatMap((object) => {
    const pose = poseAt(object, t_s);
    return pose && visibleShare(pose) > 0 ? [{ object, pose }] : [];
  });
}

function canBeSeen(placed: readonly Placed[], order: number): boolean {
  return visibleShare(placed[order]!.pose) >= visible_min && hiddenShare(placed, order) <= hidden_max;
}

/** Share of an object's visible part that later objects cover, on a grid of samples. */
function hiddenShare(placed: readonly Placed[], order: number): number {
  const { x, y, size } = placed[order]!.pose;
  const front = placed.slice(order + 1).map(({ pose }) => pose).filter((pose) =>
    Math.max(Math.abs(pose.x - x), Math.abs(pose.y - y)) < (pose.size + size) / 2
  );
  if (front.length === 0) return 0;
  let inside = 0, covered = 0;
  for (let sample = 0; sample < cover_samples ** 2; sample++) {
    const across = x + size * (((sample % cover_samples) + 0.5) / cover_samples - 0.5);
    const down = y + size * ((Math.floor(sample / cover_samples) + 0.5) / cover_samples - 0.5);
    if (across < 0 || across > 1 || down < 0 || down > 1) continue;
    inside++;
    const isCovered = (pose: Pose) =>
      Math.max(Math.abs(pose.x - across), Math.abs(pose.y - down)) < pose.size * solid_share / 2;
    if (front.some(isCovered)) covered++;
  }
  return inside === 0 ? 0 : covered / inside;
}

function backdropAt({ backgrounds }: Script, t_s: number) {
  return backgrounds.findLast(({ from_s }) => from_s <= t_s) ?? backgrounds[0]!;
}

function backdropLuma(script: Script, t_s: number): number {
  const { colours } = backdropAt(script, t_s);
  // Rec. 601.
  const lumas = colours.map(([red, green, blue]) => (0.3 * red + 0.59 * green + 0.11 * blue) / 255);
  return lumas.reduce((sum, luma) => sum + luma, 0) / lumas.length;
}

function gainAt({ light }: Script, t_s: number): number {
  if (light.length === 0) return 1;
  const next = light.findIndex((key) => key.t_s > t_s);
  if (next === 0) return light[0]!.gain;
  if (next < 0) return light.at(-1)!.gain;
  const a = light[next - 1]!, b = light[next]!;
  return a.gain + (b.gain - a.gain) * (t_s - a.t_s) / (b.t_s - a.t_s);
}
