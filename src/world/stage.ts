// The objects of a scene while it is being invented: where each one stands, what it can do next, and the keys that
// come of it. One action at a time, each over before the next begins. Must not know backgrounds, light or words.
import type { Dice } from "./dice.ts";
import { held_out_one_in, type LevelRules } from "./levels.ts";
import type { Key, SceneObject } from "./script.ts";
import { type Side } from "./tracks.ts";
import { things } from "./vocabulary.ts";

type Action =
  | "enter"
  | "appear"
  | "move"
  | "turn"
  | "leave"
  | "disappear"
  | "replace"
  | "grow"
  | "shrink"
  | "pass";

/** How often an action is tried, relative to the others. */
const weights: Record<Action, number> = {
  enter: 4,
  appear: 1.3,
  move: 3,
  turn: 0.7,
  leave: 2,
  disappear: 0.8,
  replace: 0.8,
  grow: 0.7,
  shrink: 0.6,
  pass: 0.5,
};
const beginnings: readonly Action[] = ["enter", "appear"];
const all_names = things.map(({ name }) => name);
const sides: readonly Side[] = ["left", "right", "top", "bottom"];

/** Whether a pair of thing and action belongs to the test alone. A fixed rule, not a draw. */
export function isHeldOut(name: string, action: string): boolean {
  let hash = 17;
  for (const letter of `${name}/${action}`) hash = (hash * 31 + letter.charCodeAt(0)) % 1_000_003;
  return hash % held_out_one_in === 0;
}

interface Actor {
  object: SceneObject;
  /** Its last key. */
  at: Key;
}

export class Stage {
  readonly #dice: Dice;
  readonly #rules: LevelRules;
  readonly #grammar: "train" | "test";
  readonly #castAt: (t_s: number) => readonly string[];
  readonly #objects: SceneObject[] = [];
  #actors: Actor[] = [];
  /** Times in which nothing happens, for what may hide the picture. */
  readonly quiet_spans: { from_s: number; until_s: number }[] = [];
  #busy_until_s = 0;

  constructor(
    dice: Dice,
    rules: LevelRules,
    grammar: "train" | "test",
    castAt: (t_s: number) => readonly string[] = () => all_names,
  ) {
    this.#castAt = castAt;
    this.#dice = dice;
    this.#rules = rules;
    this.#grammar = grammar;
  }

  /** An object that is there from `t_s` on, without having come. */
  place(t_s: number): boolean {
    const size = this.#dice.real(...this.#rules.size);
    const spot = this.#freeSpot(size);
    const name = this.#name("appear", t_s);
    if (!spot || !name) return false;
    this.#begin(name, { t_s, ...spot, size, angle_deg: this.#tilt() });
    return true;
  }

  /** Does one thing at `t_s`; returns when it is over. */
  act(t_s: number): number {
    this.quiet_spans.push({ from_s: this.#busy_until_s, until_s: t_s });
    let until_s = t_s;
    for (let attempt = 0; attempt < 12 && until_s === t_s; attempt++) {
      until_s = this.#try(this.#choose(), t_s);
    }
    this.#busy_until_s = until_s;
    return until_s;
  }

  /** All objects with their paths. Those still there stay to the end. */
  finish(): SceneObject[] {
    for (const { object } of this.#actors) {
      // A path of several keys ends with its last one; who stays has that key again, for ever.
      if (object.keys.length > 1) object.keys.push({ ...object.keys.at(-1)!, t_s: 86_400 });
    }
    return this.#objects;
  }

  #choose(): Action {
    const possible = (Object.keys(weights) as Action[]).filter((action) =>
      beginnings.includes(action) ? this.#actors.length < this.#rules.objects_max : this.#actors.length > 0
    );
    let draw = this.#dice.share() * possible.reduce((sum, action) => sum + weights[action], 0);
    return possible.find((action) => (draw -= weights[action]) < 0) ?? possible[0]!;
  }

  /** The time it is over, or `t_s` when it could not be done. */
  #try(action: Action, t_s: number): number {
    const dice = this.#dice;
    if (action === "appear") return this.place(t_s) ? t_s + 0.6 : t_s;
    if (action === "enter") return this.#enter(t_s);
    const actor = dice.pick(this.#actors);
    if (!this.#allowed(actor.object.name, action)) return t_s;
    switch (action) {
      case "move":
        return this.#go(actor, t_s, this.#freeSpot(actor.at.size, actor));
      case "turn": {
        const until_s = this.#go(actor, t_s, this.#freeSpot(actor.at.size, actor), false);
        return until_s === t_s ? t_s : this.#go(actor, until_s, this.#freeSpot(actor.at.size, actor));
      }
      case "leave":
        return this.#leave(actor, t_s);
      case "disappear":
        return this.#end(actor, t_s);
      case "replace":
        return this.#replace(actor, t_s);
      case "grow":
        return this.#resize(actor, t_s, dice.real(1.35, 1.7));
      case "shrink":
        return this.#resize(actor, t_s, 1 / dice.real(1.35, 1.7));
      case "pass":
        return this.#pass(actor, t_s);
    }
    return t_s;
  }

  #enter(t_s: number): number {
    const size = this.#dice.real(...this.#rules.size);
    const spot = this.#freeSpot(size);
    const side = this.#dice.pick(sides);
    const name = this.#name(`enter ${side}`, t_s);
    if (!spot || !name) return t_s;
    const from = this.#outside(side, size, spot);
    const actor = this.#begin(name, { t_s, ...from, size, angle_deg: this.#tilt() });
    const until_s = this.#go(actor, t_s, spot);
    if (until_s === t_s) this.#forget(actor);
    return until_s;
  }

  #leave(actor: Actor, t_s: number): number {
    const side = this.#dice.pick(sides);
    if (!this.#allowed(actor.object.name, `leave ${side}`)) return t_s;
    const until_s = this.#go(actor, t_s, this.#outside(side, actor.at.size, actor.at));
    if (until_s === t_s) return t_s;
    this.#actors = this.#actors.filter((one) => one !== actor);
    return until_s;
  }

  /** In at one border, out at the other, without a rest. */
  #pass(actor: Actor, t_s: number): number {
    return this.#rules.overlaps ? this.#go(actor, t_s, this.#spot(actor.at.size)) : this.#leave(actor, t_s);
  }

  #end(actor: Actor, t_s: number): number {
    this.#hold(actor, t_s);
    this.#actors = this.#actors.filter((one) => one !== actor);
    return t_s + 0.6;
  }

  #replace(actor: Actor, t_s: number): number {
    const name = this.#name("appear", t_s);
    if (!name || name === actor.object.name) return t_s;
    this.#end(actor, t_s);
    this.#begin(name, { ...actor.at, t_s });
    return t_s + 0.6;
  }

  #resize(actor: Actor, t_s: number, factor: number): number {
    const size = actor.at.size * factor;
    const [min, max] = this.#rules.size;
    if (size < min * 0.8 || size > max * 1.3 || !this.#fits(actor.at, size, actor)) return t_s;
    const until_s = t_s + this.#dice.real(1.2, 2);
    this.#hold(actor, t_s);
    this.#key(actor, { ...actor.at, t_s: until_s, size });
    return until_s;
  }

  /** In a straight line, at a pace that an eye can follow. */
  #go(actor: Actor, t_s: number, to: { x: number; y: number } | undefined, far = true): number {
    if (!to) return t_s;
    const distance = Math.hypot(to.x - actor.at.x, to.y - actor.at.y);
    if (distance < (far ? 0.2 : 0.15)) return t_s;
    if (!this.#clear(actor, to)) return t_s;
    const until_s = t_s + Math.max(0.8, distance / this.#dice.real(0.18, 0.5));
    this.#hold(actor, t_s);
    this.#key(actor, { ...actor.at, ...to, t_s: until_s });
    return until_s;
  }

  #begin(name: string, key: Key): Actor {
    const object = { id: this.#objects.length, name, keys: [key] };
    const actor = { object, at: key };
    this.#objects.push(object);
    this.#actors.push(actor);
    return actor;
  }

  /** It could not come in: as if it had never been thought of. */
  #forget(actor: Actor): void {
    this.#objects.pop();
    this.#actors = this.#actors.filter((one) => one !== actor);
  }

  /** It stood still until `t_s`. */
  #hold(actor: Actor, t_s: number): void {
    if (actor.at.t_s < t_s) this.#key(actor, { ...actor.at, t_s });
  }

  #key(actor: Actor, key: Key): void {
    actor.object.keys.push(key);
    actor.at = key;
  }

  #allowed(name: string, action: string): boolean {
    return this.#grammar === "test" || !isHeldOut(name, action);
  }

  /** Sometimes one that is there already, so that there is something to count. */
  #name(action: string, t_s: number): string | undefined {
    const again = this.#actors.length > 0 && this.#dice.chance(0.18);
    const name = again ? this.#dice.pick(this.#actors).object.name : this.#dice.pick(this.#castAt(t_s));
    return this.#allowed(name, action) ? name : undefined;
  }

  #tilt(): number {
    return this.#rules.tilt_deg === 0 ? 0 : this.#dice.real(-this.#rules.tilt_deg, this.#rules.tilt_deg);
  }

  #outside(side: Side, size: number, near: { x: number; y: number }): { x: number; y: number } {
    const far = size / 2 + 0.03;
    if (side === "left") return { x: -far, y: near.y };
    if (side === "right") return { x: 1 + far, y: near.y };
    return side === "top" ? { x: near.x, y: -far } : { x: near.x, y: 1 + far };
  }

  #spot(size: number): { x: number; y: number } {
    const margin = size / 2;
    return { x: this.#dice.real(margin, 1 - margin), y: this.#dice.real(margin, 1 - margin) };
  }

  #freeSpot(size: number, mover?: Actor): { x: number; y: number } | undefined {
    for (let attempt = 0; attempt < 20; attempt++) {
      const spot = this.#spot(size);
      if (this.#rules.overlaps || this.#fits(spot, size, mover)) return spot;
    }
    return undefined;
  }

  /** Nobody stands in the way, where objects must not cover each other. */
  #clear(actor: Actor, to: { x: number; y: number }): boolean {
    if (this.#rules.overlaps) return true;
    const { at } = actor, points = 10;
    return Array.from({ length: points }, (_, index) => (index + 1) / points).every((share) =>
      this.#fits({ x: at.x + (to.x - at.x) * share, y: at.y + (to.y - at.y) * share }, at.size, actor)
    );
  }

  #fits({ x, y }: { x: number; y: number }, size: number, mover: Actor | undefined): boolean {
    return this.#actors.every(({ at }, index) => {
      if (this.#actors[index] === mover) return true;
      const room = (at.size + size) * 0.45;
      return Math.abs(at.x - x) > room || Math.abs(at.y - y) > room;
    });
  }
}
