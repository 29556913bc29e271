// Which frame a tower is shown as the one before: the newest that came, fed or not, and none across gaps and restarts.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { FakeVision } from "../../src/pipeline/fake_model.ts";
import { limits } from "../../src/pipeline/limits.ts";
import { ManualClock } from "./manual_clock.ts";
import { makeHouse, shutDown } from "./pipeline_fixture.ts";
import { ScriptedSource } from "./pipeline_sources.ts";

/** Grey as bright as its number times eight: each is a change against the others. */
const shade = (index: number) => new Uint8Array(16 * 16 * 3).fill(8 * index);
const none = undefined;

type Pair = [now: number, before: number | undefined];

/** Plays recordings of these shades, each to its end. Numbers of the frames that were encoded, with the ones before. */
async function play(
  recordings: readonly (readonly number[])[],
  { every_ms = 500, fail_at }: { every_ms?: number; fail_at?: number } = {},
) {
  const clock = new ManualClock();
  const pulls = Object.fromEntries(recordings.map((shown, index) => [
    `cam${index}`,
    () => new ScriptedSource({ clock, every_ms, frames: shown.length, picture: (at) => shade(shown[at]!) }),
  ]));
  const house = makeHouse({ clock, pulls });
  const seen: Pair[] = [];
  const plain = new FakeVision();
  house.vision.encode = (rgb: Uint8Array, before?: Uint8Array) => {
    seen.push([rgb[0]! / 8, before && before[0]! / 8]);
    return seen.length === fail_at ? Promise.reject(new Error("no picture")) : plain.encode(rgb);
  };
  await house.service.open();
  for (const id of Object.keys(pulls)) {
    const source = { kind: "pull" as const, url: id };
    await house.service.add({ id, name: id, source, pace: "lossless" });
  }
  await clock.advance(60_000);
  const views = house.service.list();
  expect(views.map(({ status }) => status)).toEqual(recordings.map(() => "ended"));
  await shutDown(house);
  return { seen, stats: views[0]!.stats };
}

describe("the frame before", () => {
  it("is the newest that came, also when the gate did not let it through", async () => {
    const at_rest = Array<number>(9).fill(1);
    const { seen, stats } = await play([[...at_rest, 2, 3]]);
    const tail = Array<Pair>(limits.still_frames_fed).fill([1, 1]);
    expect(seen).toEqual([[1, none], ...tail, [2, 1], [3, 2]]);
    expect(stats).toMatchObject({ frames_offered: 11, frames_fed: 6, drops: { still: 5 } });
  });

  it("is none when a tick without a frame lies between", async () => {
    expect((await play([[1, 2, 3]], { every_ms: 1_000 })).seen).toEqual([[1, none], [2, none], [3, none]]);
  });

  it("is none behind a restart: the first frame is fed alone, the next has one again", async () => {
    const { seen } = await play([[1, 2, 3, 4]], { fail_at: 3 });
    expect(seen).toEqual([[1, none], [2, 1], [3, 2], [3, none], [4, 3]]);
  });

  it("is of the same stream", async () => {
    const { seen } = await play([[1, 2, 3], [11, 12, 13]]);
    expect(seen.filter(([now]) => now < 10)).toEqual([[1, none], [2, 1], [3, 2]]);
    expect(seen.filter(([now]) => now > 10)).toEqual([[11, none], [12, 11], [13, 12]]);
  });
});
