// Invents scenes: who comes, stays, moves and goes, one thing at a time, from a seed. The same seed gives the same
// script on every machine. Must not know events (they are derived from the paths), words or pictures.
import { Stage } from "./stage.ts";
import { inventSurroundings } from "./surroundings.ts";
import { type Level, levels, still_share } from "./levels.ts";
import { Dice } from "./dice.ts";
import type { Script } from "./script.ts";

export interface SceneRequest {
  seed: number;
  level: Level;
  duration_s: number;
  /** One of these is taken. */
  styles: readonly string[];
  /** Scenes for training never hold the pairs of thing and action that are kept for the test. */
  grammar: "train" | "test";
  /** Names that may come at a time; left out, all of them at any. */
  cast?: (t_s: number) => readonly string[];
  /** Whether nothing happens; else it is drawn. */
  still?: boolean;
}

/** Seeds of the test begin here, so that no training run meets one by counting. */
export const test_seed_first = 1_000_000_000;

export function inventScene(request: SceneRequest): Script {
  const { seed, level, duration_s, grammar } = request;
  const dice = new Dice(seed, `scene ${grammar} ${level}`);
  const rules = levels[level];
  const still = request.still ?? dice.chance(still_share);
  const stage = new Stage(dice, rules, grammar, request.cast);
  const first = still ? dice.between(1, rules.objects_max) : dice.between(0, rules.objects_max - 1);
  for (let placed = 0, tries = 0; placed < first && tries < 50; tries++) if (stage.place(0)) placed++;
  if (!still) {
    let t_s = dice.real(1.2, 3);
    while (t_s < duration_s - 2.5) t_s = stage.act(t_s) + dice.gap(rules.rest_s, 1.2);
  }
  return {
    format: "gander-scene",
    format_version: 1,
    seed,
    level,
    duration_s,
    style: dice.pick(request.styles),
    objects: stage.finish(),
    ...inventSurroundings(dice, rules, duration_s, stage.quiet_spans),
  };
}
