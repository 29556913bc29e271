// Parts of the scenes that the evaluation makes itself: a script around objects, and paths. Must not know questions.
import { Dice } from "../world/dice.ts";
import { levels } from "../world/levels.ts";
import type { Key, SceneObject, Script } from "../world/script.ts";
import { inventSurroundings } from "../world/surroundings.ts";

/** Longer than any scene: an object with its last key there stays. */
const for_ever_s = 86_400;

export interface Staged {
  seed: number;
  duration_s: number;
  style: string;
  objects: SceneObject[];
}

/** Plain surroundings: what is asked is what happens in them. */
export function stageScript({ seed, duration_s, style, objects }: Staged): Script {
  return {
    ...{ format: "gander-scene", format_version: 1, seed, level: "other", duration_s, style, objects },
    ...inventSurroundings(new Dice(seed, "staged"), levels.L1, duration_s, []),
  };
}

/** A key at that place, of that size. */
export function keyAt(t_s: number, x: number, y: number, size: number): Key {
  return { t_s, x, y, size, angle_deg: 0 };
}

/** It stays where its last key is. */
export function stays(keys: readonly Key[]): Key[] {
  return keys.length === 1 ? [...keys] : [...keys, { ...keys.at(-1)!, t_s: for_ever_s }];
}
