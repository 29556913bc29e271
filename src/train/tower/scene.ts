// What a pair of training pictures shows: things with their places one tick ago and now, how each looks, and what the
// camera does to both. Drawn by chance, a pure function of seed and number. Must not know pixels or targets.
import { held_out_style, styleHas } from "../../world/art.ts";
import { Dice } from "../../world/dice.ts";
import { type Pose, visibleShare } from "../../world/tracks.ts";
import { things } from "../../world/vocabulary.ts";
import { type Camera, inventCamera } from "./camera.ts";
import { inventLook, type Look } from "./looks.ts";

export interface PlacedThing {
  /** Its number in the world's vocabulary. */
  thing: number;
  style: string;
  look: Look;
  /** In frame sides; missing where it is not there. */
  before?: Pose;
  now?: Pose;
}

export interface Backdrop {
  /** Which of the painted ones. */
  number: number;
  flip_x: boolean;
  flip_y: boolean;
  /** Which channel each one is taken from. */
  channels: readonly [number, number, number];
}

export interface Scene {
  /** In drawing order: later ones are in front. */
  things: PlacedThing[];
  /** The frame before is the frame itself. */
  still: boolean;
  backdrop_before: Backdrop;
  backdrop: Backdrop;
  camera: Camera;
}

export interface SceneRules {
  seed: number;
  /** Never the one that is kept for the test, unless `held_out` says so. */
  styles: readonly string[];
  /** The pictures measure what a tower does with art that it has not seen; nothing is trained on them. */
  held_out?: boolean;
  /** Of the painted backdrops. */
  backdrops: number;
  /** Every thing looks as its style has it: pictures that measure. */
  plain?: boolean;
  /** Nearly all things look so up to this picture, and fewer and fewer up to twice as many. */
  easy_pictures?: number;
}

const counts: readonly number[] = [0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4];
const channel_orders: readonly Backdrop["channels"][] = [
  ...[[0, 1, 2], [1, 2, 0], [2, 0, 1], [0, 2, 1], [2, 1, 0], [1, 0, 2]] as const,
];

/** Throws RangeError for rules that would train on the style that is kept for the test. */
export function checkRules({ styles, held_out }: SceneRules): void {
  if (styles.length === 0) throw new RangeError("Cannot draw pictures without an art style");
  if (!held_out && styles.includes(held_out_style)) {
    throw new RangeError(`Cannot train on the art style "${held_out_style}": it is kept for the test`);
  }
}

export function inventScene(rules: SceneRules, index: number): Scene {
  checkRules(rules);
  const dice = new Dice(rules.seed, `picture ${index}`);
  const still = dice.chance(0.25);
  const backdrop = inventBackdrop(dice, rules.backdrops);
  const cut = !still && dice.chance(0.03);
  return {
    things: inventThings(dice, rules, { still, plain: dice.chance(plainShare(rules, index)) }),
    still,
    backdrop_before: cut ? inventBackdrop(dice, rules.backdrops) : backdrop,
    backdrop,
    camera: inventCamera(dice, still),
  };
}

/** What a thing is comes before its disguises: a tower that begins with these learns several times slower. */
function plainShare({ plain, easy_pictures = 0 }: SceneRules, index: number): number {
  if (plain) return 1;
  const past = easy_pictures === 0 ? 1 : Math.min(1, Math.max(0, index / easy_pictures - 1));
  return 0.9 - 0.5 * past;
}

function inventThings(
  dice: Dice,
  { styles }: SceneRules,
  { still, plain }: { still: boolean; plain: boolean },
): PlacedThing[] {
  const placed: PlacedThing[] = [];
  const one_style = dice.chance(0.4) ? dice.pick(styles) : undefined;
  const overlaps = dice.chance(0.3);
  for (let left = dice.pick(counts); left > 0; left--) {
    const now = findPlace(dice, overlaps ? [] : placed);
    if (!now) continue;
    const again = placed.length > 0 && dice.chance(0.18);
    const thing = again ? dice.pick(placed).thing : dice.between(0, things.length - 1);
    const style = dice.pick(stylesWith(things[thing]!.name, one_style ? [one_style] : styles, styles));
    const look = inventLook(dice);
    const one: PlacedThing = { thing, style, look: plain ? plainLook(look) : look, now };
    if (still) placed.push({ ...one, before: now });
    else placed.push(...pastOf(dice, one, now));
  }
  return placed;
}

/** Those of `wanted` that have the thing, or else of all. */
function stylesWith(name: string, wanted: readonly string[], all: readonly string[]): readonly string[] {
  const having = wanted.filter((style) => styleHas(style, name));
  return having.length > 0 ? having : all.filter((style) => styleHas(style, name));
}

/** The same thing as its art style has it. */
function plainLook(look: Look): Look {
  const colour = Float32Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0);
  return { colour, shades: 0, mirrored: look.mirrored, tilt_deg: look.tilt_deg / 2, stretch: 1 };
}

function findPlace(dice: Dice, others: readonly PlacedThing[]): Pose | undefined {
  for (let attempt = 0; attempt < 10; attempt++) {
    const size = dice.real(0.16, 0.5);
    const inside = () => dice.real(size / 2, 1 - size / 2);
    const pose: Pose = { x: inside(), y: inside(), size, angle_deg: 0 };
    if (dice.chance(0.25)) {
      const over = dice.real(-0.5, 0.5) * size;
      const axis = dice.chance(0.5) ? "x" : "y";
      pose[axis] = dice.chance(0.5) ? over : 1 - over;
    }
    const free = others.every(({ now }) => {
      if (!now) return true;
      const room = (now.size + size) * 0.45;
      return Math.abs(now.x - pose.x) > room || Math.abs(now.y - pose.y) > room;
    });
    if (free) return pose;
  }
  return undefined;
}

/** Where it was one tick ago; with a companion that is gone now, it took that one's place. */
function pastOf(dice: Dice, one: PlacedThing, now: Pose): PlacedThing[] {
  const kind = dice.share();
  if (kind < 0.4) return [{ ...one, before: now }];
  if (kind < 0.76) return [{ ...one, before: movedBack(dice, now) }];
  if (kind < 0.84) return [one];
  if (kind < 0.92) {
    const growth = dice.real(0.03, 0.26) * (dice.chance(0.5) ? 1 : -1);
    const before = { ...now, size: now.size * Math.exp(-growth) };
    return [{ ...one, before: dice.chance(0.2) ? movedBack(dice, before) : before }];
  }
  const gone = { thing: one.thing, style: one.style, look: inventLook(dice), before: now };
  if (kind < 0.96) return [gone];
  const possible = things.flatMap(({ name }, at) => styleHas(one.style, name) ? [at] : []);
  return [{ ...gone, thing: dice.pick(possible) }, one];
}

/** By what a thing of the world moves in one tick of half a second. */
function movedBack(dice: Dice, now: Pose): Pose {
  const way = dice.chance(0.7) ? dice.real(0.07, 0.25) : dice.real(0.015, 0.3);
  const angle = dice.chance(0.4) ? dice.between(0, 3) * Math.PI / 2 : dice.real(0, 2 * Math.PI);
  return { ...now, x: now.x - way * Math.cos(angle), y: now.y - way * Math.sin(angle) };
}

function inventBackdrop(dice: Dice, backdrops: number): Backdrop {
  return {
    number: dice.between(0, backdrops - 1),
    flip_x: dice.chance(0.5),
    flip_y: dice.chance(0.5),
    channels: dice.pick(channel_orders),
  };
}

/** Share of it that the frame shows, 0 when it is not there. */
export function shownShare(pose: Pose | undefined): number {
  return pose === undefined ? 0 : visibleShare(pose);
}
