// One thing that comes and goes, again and again, for whoever keeps count. Must not know who does.
import { Dice } from "../world/dice.ts";
import { things } from "../world/vocabulary.ts";
import { type Exam, examOf } from "./exam.ts";
import { keyAt, stageScript } from "./staging.ts";

export interface RepeatsRequest {
  name: string;
  seed: number;
  style: string;
  times: number;
}

const size = 0.32, outside = size / 2 + 0.03, way_s = 1.3, stay_s = 1.2, pause_s = 1.5;

export function playRepeats({ name, seed, style, times }: RepeatsRequest): Exam {
  const dice = new Dice(seed, `repeats ${times}`);
  const thing = dice.pick(things).name;
  const objects = Array.from({ length: times }, (_, id) => {
    const from_s = pause_s + id * (2 * way_s + stay_s + pause_s);
    const y = dice.real(0.3, 0.7),
      [near, far] = dice.chance(0.5) ? [-outside, 1 + outside] : [1 + outside, -outside];
    const keys = [
      keyAt(from_s, near, y, size),
      keyAt(from_s + way_s, 0.5, y, size),
      keyAt(from_s + way_s + stay_s, 0.5, y, size),
      keyAt(from_s + 2 * way_s + stay_s, far, y, size),
    ];
    return { id, name: thing, keys };
  });
  const duration_s = pause_s + times * (2 * way_s + stay_s + pause_s);
  return examOf(name, "repeats", stageScript({ seed, duration_s, style, objects }));
}
