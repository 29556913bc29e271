// A scene script: everything that happens in a piece of synthetic video, as data. Format and meaning are documented in
// docs/world.md; scripts from outside are read by the same schema. Must not know pictures, words or how scripts are
// invented.
import { z } from "zod";
import { world_limits } from "./limits.ts";
import { thingNamed } from "./vocabulary.ts";

export const script_format = "gander-scene";

const time_s = z.number().min(0).max(world_limits.duration_s_max);

/** Where an object is at one time: the centre, in frame sides from the top left; straight lines between keys. */
const key = z.strictObject({
  t_s: time_s,
  x: z.number().min(-3).max(4),
  y: z.number().min(-3).max(4),
  /** Side of the object's square, in frame sides. */
  size: z.number().min(0.02).max(2),
  angle_deg: z.number().min(-360).max(360).default(0),
});

const object = z.strictObject({
  /** Told apart within the script; objects of one name are different ones. */
  id: z.int().min(0).max(1_000_000),
  name: z.string().refine((name) => thingNamed(name) !== undefined, "is not a thing of this world"),
  /** It is there from the first key to the last. */
  keys: z.array(key).min(1).max(world_limits.keys_max).refine(
    (keys) => keys.every(({ t_s }, at) => at === 0 || t_s >= keys[at - 1]!.t_s),
    "must be in order of time",
  ),
});

const colour = z.tuple([z.int().min(0).max(255), z.int().min(0).max(255), z.int().min(0).max(255)]);

const background = z.strictObject({
  /** From this time until the next one. A change while objects stay is a cut. */
  from_s: time_s.default(0),
  kind: z.literal(["plain", "gradient", "stripes", "checks", "clouds", "horizon", "clutter"]),
  colours: z.array(colour).min(1).max(8),
  seed: z.int().min(0).max(2 ** 31 - 1).default(0),
});

const light = z.strictObject({ t_s: time_s, gain: z.number().min(0.05).max(2) });

const span = z.strictObject({ from_s: time_s, until_s: time_s }).refine(
  ({ from_s, until_s }) => until_s > from_s,
  "must end after it begins",
);

const nuisance = z.strictObject({
  /** Standard deviation of the sensor noise, in shares of the brightness range. */
  noise: z.number().min(0).max(0.3).default(0),
  /** Largest shift of the whole picture by a trembling hand, in frame sides. */
  shake: z.number().min(0).max(0.1).default(0),
  /** The picture stands still; what moves goes on behind it. */
  freezes: z.array(span).max(1_000).default([]),
  black: z.array(span).max(1_000).default([]),
});

export const script_schema = z.strictObject({
  format: z.literal(script_format),
  format_version: z.literal(1),
  /** Of everything random in rendering it. */
  seed: z.int().min(0).max(2 ** 31 - 1),
  level: z.literal(["L1", "L2", "L3", "other"]).default("other"),
  duration_s: z.number().min(0.5).max(world_limits.duration_s_max),
  /** Art style of every object. */
  style: z.string().min(1).max(40),
  objects: z.array(object).max(world_limits.objects_max),
  backgrounds: z.array(background).min(1).max(10_000),
  /** Brightness of the whole picture, straight lines between; 1 without any. */
  light: z.array(light).max(world_limits.keys_max).default([]),
  nuisance: nuisance.prefault({}),
});

export type Script = z.output<typeof script_schema>;
export type SceneObject = Script["objects"][number];
export type Key = SceneObject["keys"][number];
export type Background = Script["backgrounds"][number];

/** The script, or every problem as a sentence. */
export function readScript(value: unknown): { script: Script } | { problems: string[] } {
  const result = script_schema.safeParse(value);
  if (!result.success) {
    return { problems: result.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) };
  }
  const ids = result.data.objects.map(({ id }) => id);
  const twice = ids.find((id, at) => ids.indexOf(id) !== at);
  return twice === undefined
    ? { script: result.data }
    : { problems: [`objects: id ${twice} is there twice`] };
}
