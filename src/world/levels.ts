// The three difficulties, as numbers. docs/world.md tells them in words; results are only comparable while neither
// changes. Must not know how a scene is invented from them.
import type { Background } from "./script.ts";

export type Level = "L1" | "L2" | "L3";

export interface LevelRules {
  objects_max: number;
  /** Seconds of rest between two actions, on average. */
  rest_s: number;
  backgrounds: readonly Background["kind"][];
  size: readonly [min: number, max: number];
  /** Largest tilt of an object, degrees either way. */
  tilt_deg: number;
  noise_max: number;
  shake_max: number;
  /** Largest slow change of the light per minute, as a factor. */
  drift: number;
  /** Chance that a scene has fast changes of light, cuts, freezes or black pictures, each. */
  troubles: number;
  /** Objects may cover each other. */
  overlaps: boolean;
}

export const levels: Record<Level, LevelRules> = {
  L1: {
    objects_max: 2,
    rest_s: 3.5,
    backgrounds: ["plain", "gradient"],
    size: [0.26, 0.42],
    tilt_deg: 0,
    noise_max: 0.01,
    shake_max: 0,
    drift: 1,
    troubles: 0,
    overlaps: false,
  },
  L2: {
    objects_max: 3,
    rest_s: 3,
    backgrounds: ["plain", "gradient", "stripes", "checks", "clouds", "horizon"],
    size: [0.22, 0.42],
    tilt_deg: 10,
    noise_max: 0.04,
    shake_max: 0,
    drift: 1.15,
    troubles: 0,
    overlaps: false,
  },
  L3: {
    objects_max: 4,
    rest_s: 2.5,
    backgrounds: ["stripes", "checks", "clouds", "horizon", "clutter"],
    size: [0.18, 0.46],
    tilt_deg: 20,
    noise_max: 0.06,
    shake_max: 0.012,
    drift: 1.3,
    troubles: 0.5,
    overlaps: true,
  },
};

/** Share of scenes in which nothing happens at all. */
export const still_share = 0.12;

/** One in this many pairs of thing and action is kept out of training: the test's scenes are made of others, too. */
export const held_out_one_in = 10;
