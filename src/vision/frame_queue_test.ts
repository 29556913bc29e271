import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { VisionError } from "./errors.ts";
import { FrameQueue } from "./frame_queue.ts";
import type { RunAnswer, SentPicture } from "./messages.ts";
import { vision_limits } from "./limits.ts";
import type { Picture } from "./picture.ts";

/** A row of pixels; its first byte is its name. */
function picture(name: number, width_px = 1): Picture {
  return { rgb: new Uint8Array(width_px * 3).fill(name), width_px, height_px: 1 };
}

/** A tower whose vectors are one float per tile: the picture's name. Runs end one at a time, when told to. */
function heldTower(tiles_of: (width_px: number) => number) {
  const runs: number[][] = [];
  const ends: (() => void)[] = [];
  const run = async (pictures: SentPicture[]): Promise<RunAnswer> => {
    const names = pictures.flatMap(({ rgb, width_px }) =>
      Array<number>(tiles_of(width_px)).fill(new Uint8Array(rgb)[0])
    );
    runs.push(names);
    await new Promise<void>((resolve) => ends.push(resolve));
    return { vectors: Float32Array.from(names).buffer, shape: [names.length, 1, 1], finite: true, run_ms: 1 };
  };
  const endAll = async () => {
    while (ends.length > 0) {
      ends.shift()!();
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  };
  return { runs, run, endAll };
}

describe("FrameQueue", () => {
  it("hands the frame before on with its frame, as a copy, and counts its bytes", async () => {
    const sent: SentPicture[] = [];
    const queue = new FrameQueue(20, 12);
    const [pair, other] = [{ ...picture(1), before: picture(2).rgb }, {
      ...picture(3),
      before: picture(4).rgb,
    }];
    const first = queue.put(pair, 1);
    const second = queue.put(other, 1); // 4 x 3 bytes wait now, and no more may
    pair.before.fill(9);
    const refused = await queue.put(picture(5), 1).catch((error) => error);
    expect(refused.code).toBe("vision_busy");
    queue.open((pictures) => {
      sent.push(...pictures);
      return Promise.resolve({
        vectors: new Float32Array(1).buffer,
        shape: [1, 1, 1],
        finite: true,
        run_ms: 1,
      });
    });
    await Promise.all([first, second]);
    expect(sent.map(({ rgb, before }) => [...new Uint8Array(rgb), ...new Uint8Array(before!)])).toEqual([
      [1, 1, 1, 2, 2, 2],
      [3, 3, 3, 4, 4, 4],
    ]);
    // All bytes were given back: behind one that runs, four single ones may wait, and no fifth.
    queue.open(() => new Promise(() => {}));
    const again = [1, 2, 3, 4, 5, 6].map((name) => queue.put(picture(name), 1).catch((error) => error.code));
    queue.close(new VisionError("vision_closed", "Vision is closed"));
    expect(await Promise.all(again.slice(1))).toEqual([...Array(4).fill("vision_closed"), "vision_busy"]);
  });

  it("puts as many tiles as pay into one run and hands each picture its own", async () => {
    const { runs, run, endAll } = heldTower((width_px) => width_px);
    const queue = new FrameQueue(20);
    queue.batch_tiles = 4;
    queue.open(run);
    const answers = [[1, 1], [2, 1], [3, 2], [4, 1], [5, 9], [6, 4], [7, 1]].map(([name, tiles]) =>
      queue.put(picture(name, tiles), tiles)
    );
    await endAll();
    expect(runs).toEqual([[1], [2, 3, 3, 4], Array(9).fill(5), [6, 6, 6, 6], [7]]);
    expect((await Promise.all(answers)).map((vectors) => [...vectors])).toEqual(
      [[1], [2], [3, 3], [4], Array(9).fill(5), [6, 6, 6, 6], [7]],
    );
    expect(queue.stats).toMatchObject({ frames: 7, runs: 5, batch_frames_largest: 3 });
  });

  it("lets frames pass pictures that are patient, but not for ever", async () => {
    const { runs, run, endAll } = heldTower((width_px) => width_px);
    const queue = new FrameQueue(40);
    queue.batch_tiles = 2;
    queue.open(run);
    const answers = [queue.put(picture(1), 1)]; // runs already
    for (const name of [101, 102]) answers.push(queue.put(picture(name, 5), 5, { patient: true }));
    for (let name = 2; name < 24; name++) answers.push(queue.put(picture(name), 1));
    await endAll();
    const order = runs.map(([name]) => name);
    const passed_max = vision_limits.runs_before_picture_max;
    expect(order.indexOf(101)).toBe(1 + passed_max);
    expect(order.slice(0, 3)).toEqual([1, 2, 4]);
    expect(order.at(-1)).toBe(102);
    expect(runs.length).toBe(1 + 11 + 2);
    const names = (await Promise.all(answers)).map(([name]) => name);
    expect(names).toEqual([1, 101, 102, ...Array.from({ length: 22 }, (_, index) => index + 2)]);
    expect(queue.waiting).toBe(0);
  });

  it("bounds the pixels that wait, but lets one picture of any size in", async () => {
    const { run, endAll } = heldTower(() => 1);
    const queue = new FrameQueue(20, 60);
    queue.open(run);
    const put = (width_px: number) => queue.put(picture(width_px, width_px), 1);
    const taken = [put(100), put(10), put(10)]; // the first runs, 60 bytes wait
    const refused = await put(1).then(() => undefined, (error) => error.code);
    expect(refused).toBe("vision_busy");
    await endAll();
    const after = [put(1), put(100)];
    expect((await put(1).catch((error) => error)).code).toBe("vision_busy");
    await endAll();
    const names = (await Promise.all([...taken, ...after])).map(([name]) => name);
    expect(names).toEqual([100, 10, 10, 1, 100]);
  });
});
