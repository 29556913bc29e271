// A scene with another future: the same up to a moment, to the last digit, and then other things happen. For the audit
// that nothing is told before it can be known. Must not know captions or video.
import type { SceneObject, Script } from "../world/script.ts";
import { poseAt } from "../world/tracks.ts";

const for_ever_s = 86_400;
/** Around the moment nothing may move, so that the paths up to it need no new points. */
const calm_s = 0.1, step_s = 0.1;

/** A moment near the middle at which everything stands still; undefined when there is none. */
export function calmMoment(script: Script): number | undefined {
  const middle_s = script.duration_s / 2;
  for (let away_s = 0; away_s < middle_s * 0.8; away_s += step_s) {
    for (const t_s of [middle_s + away_s, middle_s - away_s]) {
      if (script.objects.every((object) => standsStill(object, t_s))) return t_s;
    }
  }
  return undefined;
}

function standsStill(object: SceneObject, t_s: number): boolean {
  const before = poseAt(object, t_s - calm_s),
    now = poseAt(object, t_s),
    after = poseAt(object, t_s + calm_s);
  if (!before || !now || !after) return !before && !now && !after;
  return [before, after].every((pose) =>
    pose.x === now.x && pose.y === now.y && pose.size === now.size && pose.angle_deg === now.angle_deg
  );
}

/** From `at_s` on, what was there stays as it is and the other scene's things come. `at_s` is a calm moment. */
export function withFuture(script: Script, other: Script, at_s: number): Script {
  const past = script.objects.filter(({ keys }) => keys[0]!.t_s <= at_s).map((object) => {
    const keys = object.keys.filter((key) => key.t_s <= at_s);
    const last = object.keys.at(-1)!;
    // Gone already, or standing between two equal keys: it goes on standing.
    if (last.t_s <= at_s) return object;
    const pose = poseAt(object, at_s)!;
    return { ...object, keys: [...keys, { ...pose, t_s: for_ever_s }] };
  });
  const shift_s = at_s + 1;
  const first_id = Math.max(-1, ...script.objects.map(({ id }) => id)) + 1;
  const future = other.objects.map((object, index) => ({
    ...object,
    id: first_id + index,
    keys: object.keys.map((key) => ({ ...key, t_s: Math.min(for_ever_s, key.t_s + shift_s) })),
  }));
  return { ...script, objects: [...past, ...future] };
}
