// Sprites of whole art styles on disk: made once from art sets, read back in milliseconds. Who fetches the sets and
// turns them into pixels is given from outside. Must not know scenes.
import { art_styles, type ArtStyle, styleHas } from "./art.ts";
import type { SpriteOf } from "./renderer.ts";
import { makeSprite, type Mip, type Sprite, sprite_side_px, withHalves } from "./sprite.ts";
import { type Thing, things } from "./vocabulary.ts";

/** Straight RGBA, larger than it is kept, so that cutting it to its box loses nothing. */
export interface Drawn {
  rgba: Uint8Array;
  width: number;
  height: number;
}

export const raster_px = 256;
const largest_bytes = sprite_side_px * sprite_side_px * 4;

/**
 * One file of all things' largest pictures, in the order of the vocabulary; nothing but zeros where the style lacks a
 * thing. Throws Error when one is missing that the style should have.
 */
export async function encodeStyle(
  style: ArtStyle,
  draw: (thing: Thing) => Promise<Drawn | undefined>,
): Promise<Uint8Array<ArrayBuffer>> {
  const out = new Uint8Array(things.length * largest_bytes);
  for (const [index, thing] of things.entries()) {
    if (!styleHas(style.name, thing.name)) continue;
    const drawn = await draw(thing);
    if (!drawn) throw new Error(`The art style "${style.name}" has no picture of "${thing.name}"`);
    const sprite = makeSprite(drawn.rgba, drawn.width, drawn.height);
    if (!sprite) throw new Error(`The picture of "${thing.name}" in "${style.name}" is empty`);
    out.set(sprite[0]!.rgba, index * largest_bytes);
  }
  return out;
}

function decodeStyle(style: string, bytes: Uint8Array, path: string): Map<string, Sprite> {
  if (bytes.length !== things.length * largest_bytes) {
    throw new Error(
      `Cannot use art "${path}": it has ${bytes.length} bytes, not ${things.length * largest_bytes}`,
    );
  }
  const sprites = new Map<string, Sprite>();
  for (const [index, { name }] of things.entries()) {
    if (!styleHas(style, name)) continue;
    const largest: Mip = {
      side: sprite_side_px,
      rgba: bytes.subarray(index * largest_bytes, (index + 1) * largest_bytes),
    };
    sprites.set(name, withHalves(largest));
  }
  return sprites;
}

export function stylePath(dir: string, style: string): string {
  return `${dir}/${style}.rgba`;
}

/** Reads styles from `dir` when they are first asked for. Throws Error that says how to get them. */
export function openSprites(dir: string): SpriteOf {
  const styles = new Map<string, Map<string, Sprite>>();
  return (style, name) => {
    let sprites = styles.get(style);
    if (!sprites) {
      if (!art_styles.some((one) => one.name === style)) throw new Error(`There is no art style "${style}"`);
      const path = stylePath(dir, style);
      let bytes: Uint8Array;
      try {
        bytes = Deno.readFileSync(path);
      } catch {
        throw new Error(`The art style "${style}" is not on this machine yet: run gander world art`);
      }
      styles.set(style, sprites = decodeStyle(style, bytes, path));
    }
    const sprite = sprites.get(name);
    if (!sprite) throw new Error(`The art style "${style}" has no "${name}"`);
    return sprite;
  };
}
