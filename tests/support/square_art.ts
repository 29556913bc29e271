// Art for tests that must not fetch any: things differ by colour alone.
import { art_styles } from "../../src/world/art.ts";
import { sprite_side_px } from "../../src/world/sprite.ts";
import { stylePath } from "../../src/world/sprite_store.ts";
import { things } from "../../src/world/vocabulary.ts";

/** Every thing of every style is a square of a colour of its own. */
export function writeSquareArt(sprites_dir: string): void {
  Deno.mkdirSync(sprites_dir);
  const pixels = sprite_side_px * sprite_side_px;
  const bytes = new Uint8Array(things.length * pixels * 4);
  for (let at = 0; at < bytes.length; at += 4) {
    const thing = Math.floor(at / 4 / pixels);
    bytes.set([thing * 4, 255 - thing * 4, (thing * 37) % 256, 255], at);
  }
  const [first, ...others] = art_styles.map(({ name }) => stylePath(sprites_dir, name));
  Deno.writeFileSync(first!, bytes);
  for (const other of others) Deno.symlinkSync(first!, other);
}
