// Pillow as the judge of our resizing: whether this machine has it, and its answers to many cases in one start.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Filter } from "../../src/vision/resize_weights.ts";
import type { Picture } from "../../src/vision/picture.ts";
import { withFolder } from "./towers.ts";

const python = "/usr/bin/python3";
const script = fileURLToPath(new URL("./python/pillow_resize.py", import.meta.url));

export interface PillowCase {
  picture: Picture;
  filter: Filter;
  /** Width and height, pixels. */
  to?: [number, number];
  /** Instead of `to`: the shorter side becomes this long, the middle is cut out. */
  crop?: number;
}

/** Why there is no judge, or undefined. */
export async function missingPillow(): Promise<string | undefined> {
  try {
    const { success } = await new Deno.Command(python, {
      args: ["-c", "from PIL import Image"],
      stderr: "null",
      stdout: "null",
    }).output();
    return success ? undefined : "python3 has no Pillow";
  } catch {
    return "python3 is not installed";
  }
}

/** Pillow's pixels, one array per case. */
export async function pillowResults(cases: readonly PillowCase[]): Promise<Uint8Array[]> {
  const results: Uint8Array[] = [];
  await withFolder(async (dir) => {
    const list = cases.map(({ picture, filter, to, crop }) => ({
      from: [picture.width_px, picture.height_px],
      filter,
      to,
      crop,
    }));
    await Deno.writeTextFile(join(dir, "cases.json"), JSON.stringify(list));
    using pictures = await Deno.open(join(dir, "pictures.bin"), { write: true, create: true });
    for (const { picture } of cases) {
      for (let done = 0; done < picture.rgb.length;) done += await pictures.write(picture.rgb.subarray(done));
    }
    const { success, stderr } = await new Deno.Command(python, { args: [script, dir], stdout: "null" })
      .output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    const all = await Deno.readFile(join(dir, "resized.bin"));
    let begin = 0;
    for (const { to: [width, height] = [0, 0], crop = 0 } of cases) {
      const bytes = 3 * (crop > 0 ? crop * crop : width * height);
      results.push(all.subarray(begin, begin += bytes));
    }
    if (begin !== all.length) throw new Error(`${all.length} bytes came back, ${begin} were expected`);
  });
  return results;
}
