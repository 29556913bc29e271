// Fetches the art sets of the world's styles into a folder that is not committed, and makes sprites of them once.
// For development and evaluation; no art is part of the product. Must not know scenes.
import { createRequire } from "node:module";
import { join } from "node:path";
import { GanderError } from "../errors.ts";
import { art_styles, type ArtStyle, type IconSet, svgOf } from "../world/art.ts";
import { type Drawn, encodeStyle, raster_px, stylePath } from "../world/sprite_store.ts";
import type { Thing } from "../world/vocabulary.ts";

/** Exact versions: other versions draw other pictures, and scores would not compare. */
const versions: Record<string, string> = {
  "@iconify-json/noto": "1.2.9",
  "@iconify-json/noto-v1": "1.2.5",
  "@iconify-json/fluent-emoji": "1.2.7",
  "@iconify-json/fluent-emoji-flat": "1.2.6",
  "@iconify-json/emojione": "1.2.3",
  "@iconify-json/openmoji": "1.2.29",
  "@iconify-json/twemoji": "1.2.5",
  "@lobehub/fluent-emoji-3d": "1.1.0",
  "@iconify-json/emojione-v1": "1.2.3",
  "@iconify-json/fxemoji": "1.2.2",
  "@iconify-json/streamline-emojis": "1.2.4",
  "@iconify-json/fluent-emoji-high-contrast": "1.2.6",
  "@iconify-json/emojione-monotone": "1.2.1",
  "sharp": "0.35.5",
};

export interface ArtFolders {
  /** Where npm puts the packages. */
  packages_dir: string;
  /** Where the sprites are kept. */
  sprites_dir: string;
}

/** Does only what is missing. Throws GanderError `art_missing`. */
export async function prepareArt(
  { packages_dir, sprites_dir }: ArtFolders,
  say: (line: string) => void,
): Promise<void> {
  const missing = art_styles.filter(({ name }) => !exists(stylePath(sprites_dir, name)));
  if (missing.length === 0) return;
  if (
    !exists(join(packages_dir, "node_modules/sharp")) ||
    missing.some((style) => !exists(join(packages_dir, "node_modules", style.package)))
  ) {
    say(`art: fetching ${art_styles.length} art sets`);
    await install(packages_dir);
  }
  Deno.mkdirSync(sprites_dir, { recursive: true });
  for (const style of missing) {
    say(`art: ${style.name} (${style.licence})`);
    const path = stylePath(sprites_dir, style.name);
    Deno.writeFileSync(`${path}.new`, await encodeStyle(style, drawer(packages_dir, style)));
    Deno.renameSync(`${path}.new`, path);
  }
}

function drawer(packages_dir: string, style: ArtStyle): (thing: Thing) => Promise<Drawn | undefined> {
  const require = createRequire(join(packages_dir, "package.json"));
  const sharp = require("sharp");
  const rasterise = async (picture: Uint8Array): Promise<Drawn> => {
    const box = {
      width: raster_px,
      height: raster_px,
      fit: "contain",
      background: { r: 0, g: 0, b: 0, alpha: 0 },
    };
    const { data, info } = await sharp(picture).resize(box).ensureAlpha().raw()
      .toBuffer({ resolveWithObject: true });
    return { rgba: data, width: info.width, height: info.height };
  };
  const { source } = style;
  if ("files" in source) {
    const dir = join(packages_dir, "node_modules", style.package, source.folder);
    return async ({ name }) => {
      const path = join(dir, `${source.files[name]}.${source.ending}`);
      return exists(path) ? await rasterise(await Deno.readFile(path)) : undefined;
    };
  }
  const set: IconSet = require(`${style.package}/icons.json`);
  return async (thing) => {
    const svg = svgOf(set, thing, source.icons, style.one_ink);
    return svg === undefined ? undefined : await rasterise(new TextEncoder().encode(svg));
  };
}

async function install(dir: string): Promise<void> {
  Deno.mkdirSync(dir, { recursive: true });
  const packages = Object.entries(versions).map(([name, version]) => `${name}@${version}`);
  const { success, stderr } = await new Deno.Command("npm", {
    args: ["install", "--prefix", dir, "--no-save", "--no-audit", "--no-fund", ...packages],
    stdout: "null",
    stderr: "piped",
  }).output().catch((error) => ({ success: false, stderr: new TextEncoder().encode(String(error)) }));
  if (success) return;
  const reason = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
  throw new GanderError("art_missing", `Cannot fetch the art with npm: ${reason}`);
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path) !== undefined;
  } catch {
    return false;
  }
}
