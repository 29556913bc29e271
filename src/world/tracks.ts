// Where objects are: a pose at a time, how much of it the frame shows, and over which border the rest hangs. Pure
// geometry in frame sides, origin top left. Must not know events, words or pictures.
import type { Key, SceneObject, Script } from "./script.ts";

export type Side = "left" | "right" | "top" | "bottom";
export type Direction = "left" | "right" | "up" | "down";

export interface Pose {
  x: number;
  y: number;
  size: number;
  angle_deg: number;
}

/** From this share of its square inside the frame on, an object counts as there. */
export const present_share = 0.6;

/** Undefined before the first key and from the last one on (an object with one key stays to the end of the script). */
export function poseAt(object: SceneObject, t_s: number): Pose | undefined {
  const { keys } = object;
  const first = keys[0]!, last = keys.at(-1)!;
  if (t_s < first.t_s) return undefined;
  if (keys.length === 1) return first;
  if (t_s >= last.t_s) return undefined;
  // The last key at or before t_s.
  let low = 0, high = keys.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (keys[middle]!.t_s <= t_s) low = middle;
    else high = middle;
  }
  return between(keys[low]!, keys[low + 1]!, t_s);
}

export function between(a: Key, b: Key, t_s: number): Pose {
  const share = b.t_s > a.t_s ? Math.min(1, Math.max(0, (t_s - a.t_s) / (b.t_s - a.t_s))) : 1;
  const mix = (from: number, to: number) => from + (to - from) * share;
  return {
    x: mix(a.x, b.x),
    y: mix(a.y, b.y),
    size: mix(a.size, b.size),
    angle_deg: mix(a.angle_deg, b.angle_deg),
  };
}

/** Share of the object's square that is inside the frame, 0 to 1. */
export function visibleShare({ x, y, size }: Pose): number {
  const inside = (centre: number) =>
    Math.max(0, Math.min(1, centre + size / 2) - Math.max(0, centre - size / 2)) / size;
  return inside(x) * inside(y);
}

export function isPresent(pose: Pose | undefined): boolean {
  return pose !== undefined && visibleShare(pose) >= present_share;
}

/** The border over which most of the square hangs. */
export function sideOf({ x, y, size }: Pose): Side {
  const over: [Side, number][] = [
    ["left", size / 2 - x],
    ["right", x + size / 2 - 1],
    ["top", size / 2 - y],
    ["bottom", y + size / 2 - 1],
  ];
  return over.reduce((most, one) => one[1] > most[1] ? one : most)[0];
}

export function directionOf(dx: number, dy: number): Direction {
  if (Math.abs(dx) >= Math.abs(dy)) return dx < 0 ? "left" : "right";
  return dy < 0 ? "up" : "down";
}

/** Share of the smaller square that the two have in common. */
export function overlapShare(a: Pose, b: Pose): number {
  const along = (p: number, q: number) =>
    Math.max(0, Math.min(p + a.size / 2, q + b.size / 2) - Math.max(p - a.size / 2, q - b.size / 2));
  return along(a.x, b.x) * along(a.y, b.y) / Math.min(a.size, b.size) ** 2;
}

/** When an object begins and ends, within the script. */
export function lifetimeOf(
  { keys }: SceneObject,
  { duration_s }: Script,
): { from_s: number; until_s: number } {
  const until_s = keys.length === 1 ? duration_s : Math.min(duration_s, keys.at(-1)!.t_s);
  return { from_s: keys[0]!.t_s, until_s };
}

/** Objects that are there, in drawing order: later ones are in front. */
export function presentAt(script: Script, t_s: number): { object: SceneObject; pose: Pose }[] {
  return script.objects.flatMap((object) => {
    const pose = poseAt(object, t_s);
    return pose && isPresent(pose) ? [{ object, pose }] : [];
  });
}

const columns = ["left", "middle", "right"], rows = ["top", "middle", "bottom"];

/** One of nine places: "top left", "middle", "bottom right" … */
export function placeOf({ x, y }: Pose): string {
  const third = (value: number) => Math.min(2, Math.max(0, Math.floor(value * 3)));
  const row = rows[third(y)]!, column = columns[third(x)]!;
  if (row === "middle" && column === "middle") return "middle";
  if (row === "middle") return column;
  return column === "middle" ? row : `${row} ${column}`;
}
