// A tower that does not exist: what is to be seen becomes slots with the errors a trained tower makes, so that a
// language model can learn before there is one, and from more scenes than can be rendered. Errors are of `amount`: 0 is
// the truth, 1 a middling tower. Pure; must not know events, words or how scenes are invented.
import { objectness_min, same_thing_sides, same_thing_sizes } from "../../vision/object_picking.ts";
import {
  type Detection,
  type FrameLight,
  orderDetections,
  slots_per_frame,
  slotWidth,
  writeSlots,
} from "../../vision/slots.ts";
import type { Dice } from "../../world/dice.ts";
import { things } from "../../world/vocabulary.ts";
import { Confusions, normal } from "./confusion.ts";
import type { SeenObject, Sight } from "./sight.ts";

export const slot_width = slotWidth(things.length);
export const tick_floats = slots_per_frame * slot_width;

/** Standard deviations at amount 1, in the units of a Detection; sizes and growth of ln size. */
const errors = { place: 0.015, own_place: 0.01, size: 0.03, own_size: 0.06, speed: 0.006, growth: 0.02 };
/** Chances per object and tick that it is not found, at amount 1. */
const missed = { always: 0.015, at_border: 0.2, covered: 0.4, small: 0.03 };
const small_below = 0.22;
/** False detections: chance per tick of one that comes once, and of places that look like a thing again and again. */
const false_once = 0.01, phantom_chance = 0.15, phantom_shows = 0.25;

/** What is known of the picture beside the objects. */
export interface Surroundings {
  /** As the script's nuisance. */
  noise: number;
  shake: number;
}

/** tick_floats per sight, one tick behind the other. */
export function simulateTower(
  sights: readonly Sight[],
  surroundings: Surroundings,
  amount: number,
  dice: Dice,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(sights.length * tick_floats);
  const confusions = new Confusions(amount, dice);
  const lights = lightsOf(sights, surroundings, amount, dice);
  const phantom = amount > 0 && dice.chance(phantom_chance * amount) ? falseObject(-1, dice) : undefined;
  let shift = { x: 0, y: 0 }, found: Detection[] = [];
  sights.forEach((sight, tick) => {
    const before = shift;
    const shake = surroundings.shake * Math.min(1, amount);
    if (!sight.frozen) shift = { x: shake * dice.real(-1, 1), y: shake * dice.real(-1, 1) };
    // The same picture gives the same detections, at rest.
    if (sight.frozen && tick > 0) found = found.map((one) => ({ ...one, vx: 0, vy: 0, growth: 0, fresh: 0 }));
    else {
      const seen = sight.objects.filter((object) => !dice.chance(missChance(object) * amount));
      found = seen.map((object) => detect(object, shift, before, amount, confusions, dice));
      const ghosts = sight.black ? [] : falseDetections(tick, phantom, amount, confusions, dice);
      found = orderDetections(amount === 0 ? found : pickApart([...found, ...ghosts]));
    }
    writeSlots(
      found,
      lights[tick]!,
      things.length,
      out.subarray(tick * tick_floats, (tick + 1) * tick_floats),
    );
  });
  return out;
}

function missChance({ visible, hidden, size }: SeenObject): number {
  return missed.always + missed.at_border * (1 - visible) + missed.covered * hidden +
    (size < small_below ? missed.small : 0);
}

/** As the tower's cells are picked: the surest first, and what lies too near to one is taken for the same thing. */
function pickApart(detections: readonly Detection[]): Detection[] {
  const picked: Detection[] = [];
  for (const one of [...detections].sort((a, b) => b.objectness - a.objectness)) {
    const isSame = (other: Detection) =>
      Math.max(Math.abs(other.x - one.x), Math.abs(other.y - one.y)) <
        Math.max(same_thing_sides, same_thing_sizes * other.size);
    if (one.objectness >= objectness_min && !picked.some(isSame)) picked.push(one);
  }
  return picked;
}

interface Shift {
  x: number;
  y: number;
}

function detect(
  object: SeenObject,
  shift: Shift,
  before: Shift,
  amount: number,
  confusions: Confusions,
  dice: Dice,
): Detection {
  const error = (deviation: number) => amount === 0 ? 0 : deviation * amount * normal(dice);
  const own = confusions.of(object.id, object.name);
  const near = (share: number) => Math.min(1, Math.max(0, share));
  // What is half outside or half covered is not only less sure, it is more often something else.
  const doubt = (1 - object.visible) + object.hidden;
  const objectness = amount === 0 ? 1 : near(1 - Math.abs(error(0.1 + 0.2 * doubt)));
  const settled = object.fresh && object.vx === 0 && object.vy === 0;
  return {
    objectness,
    probabilities: own.draw(objectness, doubt),
    x: object.x + shift.x + errors.own_place * own.x + error(errors.place),
    y: object.y + shift.y + errors.own_place * own.y + error(errors.place),
    size: object.size * Math.exp(errors.own_size * own.size + error(errors.size)),
    vx: object.vx + (settled ? 0 : shift.x - before.x) + error(errors.speed + 0.08 * Math.abs(object.vx)),
    vy: object.vy + (settled ? 0 : shift.y - before.y) + error(errors.speed + 0.08 * Math.abs(object.vy)),
    growth: object.growth + error(errors.growth),
    fresh: object.fresh ? near(1 - Math.abs(error(0.15))) : near(Math.abs(error(0.06))),
    visible: near(object.visible + error(0.06)),
  };
}

type FalseObject = Pick<SeenObject, "id" | "name" | "x" | "y" | "size">;

/** `id`: below 0, so never one of a script. */
function falseObject(id: number, dice: Dice): FalseObject {
  return {
    id,
    name: dice.pick(things).name,
    x: dice.real(0.1, 0.9),
    y: dice.real(0.1, 0.9),
    size: dice.real(0.18, 0.4),
  };
}

function falseDetections(
  tick: number,
  phantom: FalseObject | undefined,
  amount: number,
  confusions: Confusions,
  dice: Dice,
): Detection[] {
  if (amount === 0) return [];
  const ghosts: FalseObject[] = [];
  if (phantom && dice.chance(phantom_shows)) ghosts.push(phantom);
  if (dice.chance(false_once * amount)) ghosts.push(falseObject(-2 - tick, dice));
  return ghosts.map((ghost) => {
    const objectness = dice.real(objectness_min, 0.95);
    const { x, y, size } = ghost;
    return {
      objectness,
      probabilities: confusions.of(ghost.id, ghost.name).draw(objectness, 0.5),
      ...{ x, y, size },
      vx: errors.speed * amount * normal(dice),
      vy: errors.speed * amount * normal(dice),
      growth: errors.growth * amount * normal(dice),
      fresh: dice.real(0, 0.6),
      visible: dice.real(0.7, 1),
    };
  });
}

/** Objects are brighter or darker than the background, each in its own way. */
function lightsOf(
  sights: readonly Sight[],
  { noise }: Surroundings,
  amount: number,
  dice: Dice,
): FrameLight[] {
  const contrasts = new Map<number, number>();
  const contrastOf = (id: number) => {
    let contrast = contrasts.get(id);
    if (contrast === undefined) contrasts.set(id, contrast = dice.real(-0.3, 0.3) * Math.min(1, amount));
    return contrast;
  };
  let before: number | undefined;
  return sights.map((sight) => {
    let luma = sight.backdrop_luma, moved = 0;
    for (const { id, size, visible, hidden, vx, vy, fresh } of sight.objects) {
      const area = size * size * visible * (1 - hidden) * 0.6;
      luma += area * contrastOf(id);
      moved += area * 0.25 * (fresh ? 1 : Math.min(1, 2 * Math.hypot(vx, vy) / size));
    }
    luma = Math.min(1, Math.max(0, luma * sight.gain));
    const luma_before = before ?? luma;
    before = luma;
    if (sight.frozen) return { luma, luma_before, change: 0 };
    // Two draws of the noise differ by 1.13 standard deviations on average.
    const grain = sight.black ? 0 : 1.13 * noise;
    const change = Math.abs(luma - luma_before) + moved * sight.gain + (sight.cut ? 0.15 : 0) + grain;
    const uncertain = amount === 0 ? 1 : Math.exp(0.3 * amount * normal(dice));
    return { luma, luma_before, change: Math.min(1, change * uncertain) };
  });
}
