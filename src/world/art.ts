// The art styles: which icon set each is, under what licence, and how a thing's picture is found in one. The sets are
// fetched for development alone and never shipped. Must not know pixels or scenes.
import type { Thing } from "./vocabulary.ts";

export interface ArtStyle {
  name: string;
  /** npm package with an icons.json. */
  package: string;
  licence: string;
  /** Never trained on: what a model does with it tells what it does with pictures it has not seen. */
  held_out: boolean;
}

const style = (name: string, licence: string, held_out = false): ArtStyle => ({
  name,
  package: `@iconify-json/${name}`,
  licence,
  held_out,
});

export const art_styles: readonly ArtStyle[] = [
  style("noto", "Apache-2.0"),
  style("noto-v1", "Apache-2.0"),
  style("fluent-emoji", "MIT"),
  style("fluent-emoji-flat", "MIT"),
  style("emojione", "CC-BY-4.0"),
  style("openmoji", "CC-BY-SA-4.0"),
  style("twemoji", "CC-BY-4.0", true),
];

export const training_styles = art_styles.filter(({ held_out }) => !held_out).map(({ name }) => name);
export const held_out_style = art_styles.find(({ held_out }) => held_out)!.name;

/** The part of an icon set's file that is read. */
export interface IconSet {
  width?: number;
  height?: number;
  icons: Record<string, { body: string; width?: number; height?: number }>;
  aliases?: Record<string, { parent: string }>;
}

/** The thing's picture as an SVG file, or undefined when the set has none. */
export function svgOf(set: IconSet, thing: Thing): string | undefined {
  for (const wanted of thing.icons) {
    const name = Object.hasOwn(set.icons, wanted) ? wanted : set.aliases?.[wanted]?.parent;
    const icon = name === undefined ? undefined : set.icons[name];
    if (!icon) continue;
    const width = icon.width ?? set.width ?? 16, height = icon.height ?? set.height ?? 16;
    return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ` +
      `width="256" height="256" viewBox="0 0 ${width} ${height}">${icon.body}</svg>`;
  }
  return undefined;
}
