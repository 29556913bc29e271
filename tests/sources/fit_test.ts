// A frame of another shape than the picture: squeezed, or the middle cut out; from a recording and from a publisher.
import { expect } from "@std/expect";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { openSource, PushSource } from "../../streams/mod.ts";
import { ffmpeg } from "./clips.ts";
import { no_ffmpeg } from "./machine.ts";
import { during, Publisher, until } from "./publisher.ts";
import { lab_policy, watch } from "./watch.ts";

const red = [255, 0, 0], green = [0, 255, 0], blue = [0, 0, 255];
const square = { width_px: 16, height_px: 16 };

/** The nearest of the three colours at a place of a frame, both from 0 to 1. */
function colourAt(frame: { rgb: Uint8Array; width_px: number; height_px: number }, x: number, y: number) {
  const column = Math.floor(x * frame.width_px), row = Math.floor(y * frame.height_px);
  const at = (row * frame.width_px + column) * 3;
  const distance = (colour: number[]) =>
    colour.reduce((sum, value, channel) => sum + Math.abs(value - frame.rgb[at + channel]!), 0);
  return [red, green, blue].toSorted((a, b) => distance(a) - distance(b))[0];
}

/** Three stripes of 96 x 96 pixels, red, green and blue; beside or below each other. */
async function drawStripes(path: string, stack: "hstack" | "vstack"): Promise<void> {
  const inputs = ["0xff0000", "0x00ff00", "0x0000ff"].flatMap((colour) => {
    return ["-f", "lavfi", "-i", `color=${colour}:size=96x96:rate=4:duration=1`];
  });
  const count = path.endsWith(".jpg") ? ["-frames:v", "1"] : [];
  await ffmpeg(
    ...inputs,
    ...count,
    "-filter_complex",
    `[0][1][2]${stack}=inputs=3,format=yuvj420p`,
    "-q:v",
    "1",
    path,
  );
}

describe("the fit of a frame", () => {
  let folder: string;
  beforeAll(async () => {
    if (no_ffmpeg) return;
    folder = await Deno.makeTempDir({ prefix: "gander-fit-test-" });
    await drawStripes(`${folder}/wide.mkv`, "hstack");
    await drawStripes(`${folder}/tall.mkv`, "vstack");
    await drawStripes(`${folder}/wide.jpg`, "hstack");
  });
  afterAll(async () => {
    if (!no_ffmpeg) await Deno.remove(folder, { recursive: true });
  });

  const play = async (name: string, request: Parameters<typeof watch>[1]) => {
    const source = openSource({ url: `${folder}/${name}` }, lab_policy);
    const { frames } = await watch(source, { ...square, ...request, pace: "lossless" });
    expect(frames.length).toBe(4);
    return frames[0]!;
  };

  it.unless(no_ffmpeg, "of a recording: stretch shows all of it", async () => {
    const wide = await play("wide.mkv", {});
    expect([0.1, 0.5, 0.9].map((x) => colourAt(wide, x, 0.5))).toEqual([red, green, blue]);
    const tall = await play("tall.mkv", { fit: "stretch" });
    expect([0.1, 0.5, 0.9].map((y) => colourAt(tall, 0.5, y))).toEqual([red, green, blue]);
  });

  it.unless(no_ffmpeg, "of a recording: crop shows its middle, whichever side is longer", async () => {
    for (const name of ["wide.mkv", "tall.mkv"]) {
      const frame = await play(name, { fit: "crop" });
      for (const at of [0.05, 0.5, 0.95]) {
        expect([name, colourAt(frame, at, 0.5), colourAt(frame, 0.5, at)]).toEqual([name, green, green]);
      }
    }
  });

  it.unless(no_ffmpeg, "crop keeps what a frame of the picture's own shape would keep", async () => {
    const frame = await play("wide.mkv", { width_px: 48, height_px: 16, fit: "crop" });
    expect([0.1, 0.5, 0.9].map((x) => colourAt(frame, x, 0.5))).toEqual([red, green, blue]);
  });

  it.unless(no_ffmpeg, "of pushed pictures, too", async () => {
    const jpeg = await Deno.readFile(`${folder}/wide.jpg`);
    for (const [fit, left] of [["crop", green], ["stretch", red]] as const) {
      const source = new PushSource({ label: "cam1" });
      const seen = await during(source, async (seen) => {
        const publisher = new Publisher(source);
        await publisher.play("jpeg", [jpeg, jpeg], { period_ms: 500, in_step: true });
        await until(() => seen().frames.length >= 1);
      }, { ...square, fit });
      expect(colourAt(seen.frames[0]!, 0.05, 0.5)).toEqual(left);
    }
  });
});
