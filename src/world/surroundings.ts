// What is around the objects of a scene: backgrounds, light, noise, and troubles of the camera. Must not know the
// objects or what they do.
import type { Dice } from "./dice.ts";
import type { LevelRules } from "./levels.ts";
import type { Background, Script } from "./script.ts";

interface Span {
  from_s: number;
  until_s: number;
}

/** Slow drift of the light has a key this often. */
const drift_step_s = 20;

/** `quiet`: times in which nothing happens. */
export function inventSurroundings(
  dice: Dice,
  rules: LevelRules,
  duration_s: number,
  quiet: readonly Span[],
): Pick<Script, "backgrounds" | "light" | "nuisance"> {
  const troubled = () => dice.chance(rules.troubles);
  const calm = quiet.filter(({ from_s, until_s }) => until_s - from_s > 2.5);
  /** A short time inside some quiet ones, clear of what happens before and after. */
  const moments = (wanted: boolean): Span[] => {
    if (!wanted || calm.length === 0) return [];
    const { from_s, until_s } = dice.pick(calm);
    const begin = from_s + 1;
    return [{ from_s: begin, until_s: begin + Math.min(1.5, until_s - begin - 0.5) }];
  };
  const cuts = moments(troubled()).map(({ from_s }) => from_s);
  return {
    backgrounds: [0, ...cuts].map((from_s) => background(dice, rules, from_s)),
    light: light(dice, rules, duration_s, troubled() ? moments(true) : []),
    nuisance: {
      noise: dice.real(0, rules.noise_max),
      shake: dice.real(0, rules.shake_max),
      freezes: moments(troubled()),
      black: moments(troubled()),
    },
  };
}

function background(dice: Dice, rules: LevelRules, from_s: number): Background {
  const kind = dice.pick(rules.backgrounds);
  const count = { plain: 1, gradient: 2, stripes: 2, checks: 2, clouds: 3, horizon: 2, clutter: 5 }[kind];
  const colours = Array.from({ length: count }, () => colour(dice));
  return { from_s, kind, colours, seed: dice.seed() };
}

function colour(dice: Dice): [number, number, number] {
  const grey = dice.real(40, 215);
  const spread = dice.real(0, 60);
  const channel = () => Math.round(Math.min(255, Math.max(0, grey + dice.real(-spread, spread))));
  return [channel(), channel(), channel()];
}

function light(dice: Dice, rules: LevelRules, duration_s: number, sudden: readonly Span[]): Script["light"] {
  const keys: Script["light"] = [];
  let gain = dice.real(0.85, 1.1);
  const per_step = rules.drift ** (drift_step_s / 60);
  for (let t_s = 0; t_s < duration_s + drift_step_s; t_s += drift_step_s) {
    keys.push({ t_s, gain });
    gain = Math.min(1.15, Math.max(0.75, gain * dice.real(1 / per_step, per_step)));
  }
  if (rules.drift === 1) return [{ t_s: 0, gain: keys[0]!.gain }];
  for (const { from_s, until_s } of sudden) {
    const before = keys.findLast((key) => key.t_s <= from_s)!.gain;
    const after = before * (before > 0.9 ? 0.55 : 1.5);
    keys.splice(0, keys.length, ...keys.filter(({ t_s }) => t_s <= from_s), { t_s: from_s, gain: before }, {
      t_s: until_s,
      gain: after,
    });
  }
  return keys;
}
