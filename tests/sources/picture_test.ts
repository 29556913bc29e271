// Picture files through the real ffmpeg: exact pixels, every kind, and everything that is refused.
import { expect } from "@std/expect";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { fileURLToPath } from "node:url";
import { source_limits } from "../../streams/limits.ts";
import { decodePicture } from "../../streams/mod.ts";
import { no_ffmpeg, system_python } from "./machine.ts";
import { makePixels, makePng } from "./picture_files.ts";

const script = fileURLToPath(new URL("./pictures.py", import.meta.url));

async function hasPillow(): Promise<boolean> {
  try {
    const args = [
      "-c",
      "import numpy; from PIL import Image, ImageOps; assert 'WEBP' in Image.SAVE or Image.init()",
    ];
    const command = new Deno.Command(system_python, { args, stdout: "null", stderr: "null" });
    return (await command.output()).success;
  } catch {
    return false;
  }
}

const no_pillow = no_ffmpeg ?? (await hasPillow() ? undefined : "python3-pil or python3-numpy is missing");
const options = { name: "a picture" };

describe("decodePicture()", () => {
  it.unless(no_ffmpeg, "gives every pixel of a PNG, at its own size", async () => {
    const rgb = makePixels(7, 5);
    expect(await decodePicture(makePng(7, 5, rgb), options)).toEqual({ rgb, width_px: 7, height_px: 5 });
  });

  it.unless(no_ffmpeg, "takes a picture that is larger than any buffer on the way", async () => {
    const rgb = makePixels(1_500, 1_000);
    const decoded = await decodePicture(makePng(1_500, 1_000, rgb), options);
    expect([decoded.width_px, decoded.height_px]).toEqual([1_500, 1_000]);
    expect(new Uint8Array(await crypto.subtle.digest("SHA-256", decoded.rgb))).toEqual(
      new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(rgb))),
    );
  });

  it.unless(no_ffmpeg, "refuses sizes before it decodes anything", async () => {
    const { picture_side_px_max: side, picture_pixels_max: pixels } = source_limits;
    for (const [width_px, height_px] of [[side + 1, 1], [side, Math.ceil(pixels / side) + 1]]) {
      const file = makePng(1, 1, makePixels(1, 1), { width_px: width_px!, height_px: height_px! });
      await expect(decodePicture(file, options)).rejects.toMatchObject({
        code: "too_large",
        message: expect.stringContaining(
          `Cannot read picture "a picture": it has ${width_px} x ${height_px}`,
        ),
      });
    }
    const long = new Uint8Array(source_limits.picture_bytes_max + 1);
    await expect(decodePicture(long, options)).rejects.toMatchObject({ code: "too_large" });
  });

  it.unless(
    no_ffmpeg,
    "refuses a file that is cut off or that is something else",
    async () => {
      const rgb = makePixels(40, 30);
      const whole = makePng(40, 30, rgb);
      const files: [string, Uint8Array][] = [
        ["cut", whole.subarray(0, whole.length / 2)],
        ["header", whole.subarray(0, 40)],
        ["text", new TextEncoder().encode("What is this?")],
        ["nothing", new Uint8Array()],
      ];
      for (const [name, bytes] of files) {
        await expect(decodePicture(bytes, { name })).rejects.toMatchObject({
          code: "format",
          message: expect.stringContaining(`Cannot read picture "${name}": `),
        });
      }
    },
  );

  it.unless(no_ffmpeg, "ends at once when nobody wants the picture any more", async () => {
    const rgb = new Uint8Array(4_000 * 3_000 * 3).fill(9);
    const file = makePng(4_000, 3_000, rgb);
    const stop = new AbortController();
    const decoding = decodePicture(file, { ...options, signal: stop.signal });
    stop.abort();
    await expect(decoding).rejects.toMatchObject({ code: "ended" });
    await expect(decodePicture(file, { ...options, signal: stop.signal })).rejects.toMatchObject({
      code: "ended",
    });
  });
});

describe("decodePicture() beside Pillow", () => {
  let folder: string;
  let list: [file: string, width: number, height: number][];

  beforeAll(async () => {
    folder = await Deno.makeTempDir({ prefix: "gander-pictures-" });
    const command = new Deno.Command(system_python, { args: [script, folder], stderr: "piped" });
    const { success, stderr } = await command.output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    list = JSON.parse(await Deno.readTextFile(`${folder}/list.json`));
  });

  afterAll(() => Deno.remove(folder, { recursive: true }));

  /** Largest and mean difference of a channel, of 255. */
  async function compare([file, width_px, height_px]: typeof list[number]) {
    const decoded = await decodePicture(await Deno.readFile(`${folder}/${file}`), { name: file });
    expect([file, decoded.width_px, decoded.height_px]).toEqual([file, width_px, height_px]);
    const expected = await Deno.readFile(`${folder}/${file.split(".")[0]}.rgb`);
    expect(decoded.rgb.length).toBe(expected.length);
    const differences = expected.map((value, index) => Math.abs(value - decoded.rgb[index]!));
    const sum = differences.reduce((total, value) => total + value, 0);
    return { file, most: Math.max(...differences), mean: sum / differences.length };
  }

  it.unless(no_pillow, "reads lossless files to the bit, an alpha channel dropped", async () => {
    const lossless = list.filter(([file]) => !file.startsWith("lossy"));
    expect(lossless.length).toBeGreaterThan(12);
    for (const picture of lossless) expect(await compare(picture)).toMatchObject({ most: 0 });
  });

  it.unless(
    no_pillow,
    "reads lossy files as nearly as two decoders agree, upright as EXIF says",
    async () => {
      const lossy = list.filter(([file]) => file.startsWith("lossy"));
      expect(lossy.length).toBeGreaterThan(14);
      for (const picture of lossy) {
        const { file, most, mean } = await compare(picture);
        const mean_max = file.includes("cmyk") ? 1.5 : 0.3;
        expect([file, most <= 6, mean < mean_max]).toEqual([file, true, true]);
      }
    },
  );
});
