// The art styles: which art set each is, under what licence, what it is used for, and how a thing's picture is found in
// one. The sets are fetched for development alone and never shipped. Must not know pixels or scenes.
import {
  code_points,
  emojione_v1_icons,
  fxemoji_icons,
  type IconNames,
  streamline_icons,
} from "./art_icons.ts";
import { type Thing, things } from "./vocabulary.ts";

/** How a set keeps its pictures: one icons.json of SVG bodies, or one picture file a code point. */
export type ArtSource = { icons: IconNames } | { files: IconNames; folder: string; ending: string };

export interface ArtStyle {
  name: string;
  /** npm package. */
  package: string;
  licence: string;
  /** Never trained on: what a model does with it tells what it does with pictures it has not seen. */
  held_out: boolean;
  /** Scenes are drawn in it. The others only widen what a vision tower learns from. */
  scenes: boolean;
  source: ArtSource;
  /** Drawn in one ink: laid on a white rim, so that it shows on every background. */
  one_ink?: true;
  /** Things it has no picture of. Never of a style that scenes are drawn in. */
  lacks: readonly string[];
}

const style = (name: string, licence: string, rest: Partial<ArtStyle> = {}): ArtStyle => ({
  name,
  package: `@iconify-json/${name}`,
  licence,
  held_out: false,
  scenes: true,
  source: { icons: {} },
  lacks: [],
  ...rest,
});
const forTower = (name: string, licence: string, rest: Partial<ArtStyle> = {}): ArtStyle =>
  style(name, licence, { scenes: false, ...rest });

export const art_styles: readonly ArtStyle[] = [
  style("noto", "Apache-2.0"),
  style("noto-v1", "Apache-2.0"),
  style("fluent-emoji", "MIT"),
  style("fluent-emoji-flat", "MIT"),
  style("emojione", "CC-BY-4.0"),
  style("openmoji", "CC-BY-SA-4.0"),
  style("twemoji", "CC-BY-4.0", { held_out: true }),
  forTower("fluent-emoji-3d", "MIT", {
    package: "@lobehub/fluent-emoji-3d",
    source: { files: code_points, folder: "assets", ending: "webp" },
  }),
  forTower("emojione-v1", "CC-BY-SA-4.0", {
    source: { icons: emojione_v1_icons },
    lacks: ["lion", "crab", "butterfly", "owl", "fox", "unicorn", "carrot"],
  }),
  forTower("fxemoji", "Apache-2.0", {
    source: { icons: fxemoji_icons },
    // Its sailboat comes with a sky, its basketball with a hoop.
    lacks: ["lion", "crab", "butterfly", "owl", "unicorn", "carrot", "sailboat", "basketball"],
  }),
  forTower("streamline-emojis", "CC-BY-4.0", {
    source: { icons: streamline_icons },
    lacks: [
      ...[
        "crab",
        "butterfly",
        "owl",
        "banana",
        "carrot",
        "pineapple",
        "soccer ball",
        "key",
        "camera",
        "hammer",
      ],
      "tree",
    ],
  }),
  forTower("fluent-emoji-high-contrast", "MIT", { one_ink: true }),
  forTower("emojione-monotone", "CC-BY-4.0", { one_ink: true }),
];

/** Of scenes for training and of scored scenes that are not about unseen art: results compare while the list stays. */
export const training_styles = art_styles.filter(({ held_out, scenes }) => !held_out && scenes)
  .map(({ name }) => name);
/** All that a vision tower may learn from. Some lack some things: ask `styleHas`. */
export const tower_styles = art_styles.filter(({ held_out }) => !held_out).map(({ name }) => name);
export const held_out_style = art_styles.find(({ held_out }) => held_out)!.name;

const by_name = new Map(art_styles.map((one) => [one.name, one]));

export function styleHas(style: string, name: string): boolean {
  const known = by_name.get(style);
  return known !== undefined && !known.lacks.includes(name) && things.some((thing) => thing.name === name);
}

/** The part of an icon set's file that is read. */
export interface IconSet {
  width?: number;
  height?: number;
  icons: Record<string, { body: string; width?: number; height?: number }>;
  aliases?: Record<string, { parent: string }>;
}

/** The thing's picture as an SVG file, or undefined when the set has none. */
export function svgOf(
  set: IconSet,
  thing: Thing,
  names: IconNames = {},
  one_ink = false,
): string | undefined {
  for (const wanted of names[thing.name] === undefined ? thing.icons : [names[thing.name]!]) {
    const name = Object.hasOwn(set.icons, wanted) ? wanted : set.aliases?.[wanted]?.parent;
    const icon = name === undefined ? undefined : set.icons[name];
    if (!icon) continue;
    const width = icon.width ?? set.width ?? 16, height = icon.height ?? set.height ?? 16;
    const rim = one_ink ? width * rim_share : 0;
    const box = [-rim, -rim, width + 2 * rim, height + 2 * rim].join(" ");
    return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ` +
      `width="256" height="256" viewBox="${box}">${one_ink ? rimmed(icon.body, rim) : icon.body}</svg>`;
  }
  return undefined;
}

/** Of the picture's width. */
const rim_share = 0.05;

/** The picture in dark grey on its own widened shape in white. */
function rimmed(body: string, rim: number): string {
  const inked = (ink: string) => body.replaceAll("currentColor", ink);
  return `<g stroke="#fff" stroke-width="${2 * rim}" stroke-linejoin="round">${inked("#fff")}</g>` +
    inked("#2b2b2b");
}
