import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { type BlockState, CompressedVision, padFront, poolRows } from "./compressed_vision.ts";
import type { SpanGrid } from "./pipeline/ports.ts";
import type { VisionError } from "./vision/errors.ts";
import { vision_limits } from "./vision/limits.ts";

const width = 2;

/** A tower whose vectors are the bytes it is given, in rows of two. */
function byteTower() {
  const encode = (rgb: Uint8Array) => Promise.resolve(Float32Array.from(rgb));
  let closed = 0;
  return {
    width_px: 3,
    height_px: 2,
    vectors_per_frame: 9,
    encode,
    encodePicture: ({ rgb }: { rgb: Uint8Array }) => encode(rgb),
    close: () => Promise.resolve(void closed++),
    get closed() {
      return closed;
    },
  };
}

/** Blocks that add one to every number, two rows per step, and say what they were asked. */
class PlusOne implements BlockState {
  readonly info = { width };
  readonly spans: [number, SpanGrid][] = [];
  kept = false;
  closed = 0;
  failure: Error | undefined;
  lost_rows = 0;
  pending = 0;
  #vectors = new Float32Array(0);
  #done = new Float32Array(0);

  open = () => this;
  keepVectors = (keep: boolean) => void (this.kept = keep);

  reset() {
    this.pending = 0;
    this.#done = new Float32Array(0);
  }

  putSpan(vectors: Float32Array, grid: SpanGrid) {
    if (this.pending > 0) throw new Error("two spans at a time");
    this.spans.push([vectors.length / width, grid]);
    this.#vectors = vectors.slice();
    this.pending = vectors.length / width;
  }

  run(): Promise<void> {
    if (this.failure) return Promise.reject(this.failure);
    this.pending = Math.max(0, this.pending - 2);
    if (this.pending === 0) this.#done = this.#vectors.map((value) => value + 1);
    return new Promise((resolve) => setTimeout(resolve, 0));
  }

  takeVectors(): Float32Array {
    return this.kept ? this.#done.subarray(this.lost_rows * width) : new Float32Array(0);
  }

  close = () => Promise.resolve(void this.closed++);
}

const failure = (promise: Promise<unknown>): Promise<VisionError> =>
  promise.then(() => Promise.reject(new Error("it did not fail")), (error) => error);

function bytes(rows: number, first = 0): Uint8Array {
  return Uint8Array.from({ length: rows * width }, (_, index) => first + index);
}

describe("CompressedVision", () => {
  it("pads in front, runs backwards and forwards over everything, drops the padding and pools", async () => {
    const tower = byteTower(), blocks = new PlusOne();
    const vision = new CompressedVision(tower, blocks, { vectors_per_frame: 2, padding: 4 });
    expect([vision.width_px, vision.height_px, vision.vectors_per_frame]).toEqual([3, 2, 2]);
    // Rows [0 1] [2 3] [4 5] [6 7] [8 9], plus one; the third is in both means.
    expect([...await vision.encode(bytes(5))]).toEqual([3, 4, 7, 8]);
    expect([...await vision.encodePicture({ rgb: bytes(4), width_px: 8, height_px: 1 })]).toEqual([
      2,
      3,
      6,
      7,
    ]);
    expect(blocks.spans).toEqual([
      [8, { scan: "bidirection", rows: 1, columns: 8 }],
      [4, { scan: "bidirection", rows: 1, columns: 4 }],
    ]);
    await vision.close();
    await vision.close();
    expect([tower.closed, blocks.closed]).toEqual([1, 2]); // state and engine are one here
  });

  it("hands the frame before on to its tower", async () => {
    const seen: (Uint8Array | undefined)[][] = [];
    const tower = {
      ...byteTower(),
      encode: (rgb: Uint8Array, before?: Uint8Array) => {
        seen.push([rgb, before]);
        return Promise.resolve(Float32Array.from(rgb));
      },
    };
    const vision = new CompressedVision(tower, new PlusOne(), { vectors_per_frame: 1, padding: 2 });
    const now = bytes(1, 1), before = bytes(1, 5);
    await vision.encode(now, before);
    await vision.encode(now);
    expect(seen).toEqual([[now, before], [now, undefined]]);
    await vision.close();
  });

  it("takes one picture at a time, in order, and bounds those that wait", async () => {
    const blocks = new PlusOne();
    const vision = new CompressedVision(byteTower(), blocks, { vectors_per_frame: 1, padding: 2 });
    const many = Array.from(
      { length: vision_limits.queue_max },
      (_, index) => vision.encode(bytes(1, index % 200)),
    );
    expect((await failure(vision.encode(bytes(1)))).code).toBe("vision_busy");
    const answers = await Promise.all(many);
    expect(answers.map(([first]) => first)).toEqual(answers.map((_, index) => index % 200 + 1));
    expect((await vision.encode(bytes(1))).length).toBe(width);
    await vision.close();
  });

  it("says what failed and goes on", async () => {
    const tower = byteTower(), blocks = new PlusOne();
    const vision = new CompressedVision(tower, blocks, { vectors_per_frame: 1, padding: 2 });
    blocks.failure = new Error("device lost");
    const failed = await failure(vision.encode(bytes(3)));
    expect([failed.code, failed.message]).toEqual(["vision_output", "Visual compressor failed: device lost"]);
    blocks.failure = undefined;
    blocks.lost_rows = 3;
    expect((await failure(vision.encode(bytes(3)))).message)
      .toBe("Visual compressor failed: it answered 1 of 4 vectors");
    blocks.lost_rows = 0;
    expect([...await vision.encode(bytes(3))]).toEqual([3, 4]);
    tower.encode = () => Promise.reject(new Error("tower"));
    expect((await failure(vision.encode(bytes(3)))).message).toBe("tower");
    await vision.close();
  });

  it("waits at its end for the picture inside and rejects those behind it", async () => {
    const blocks = new PlusOne();
    const vision = new CompressedVision(byteTower(), blocks, { vectors_per_frame: 1, padding: 64 });
    const waiting = [1, 2, 3].map(() => vision.encode(bytes(1)));
    const ends = Promise.all(waiting.map((promise) => promise.then(() => "done", (error) => error.code)));
    await new Promise((resolve) => setTimeout(resolve, 0));
    await vision.close();
    expect(await ends).toEqual(["done", "vision_closed", "vision_closed"]);
    expect((await failure(vision.encode(bytes(1)))).code).toBe("vision_closed");
  });
});

describe("padFront()", () => {
  it("adds rows of zeros in front, none when there is nothing to add", () => {
    expect([...padFront(Float32Array.of(1, 2, 3, 4), 2, 3)]).toEqual([0, 0, 1, 2, 3, 4]);
    expect([...padFront(Float32Array.of(1, 2, 3, 4), 2, 2)]).toEqual([1, 2, 3, 4]);
  });
});

describe("poolRows()", () => {
  it("averages like torch's adaptive pooling", () => {
    const rows = Float32Array.of(1, 2, 3, 4, 5, 6, 7); // width 1
    expect([...poolRows(rows, 1, 3)]).toEqual([2, 4, 6]); // 0..3, 2..5, 4..7
    expect([...poolRows(rows, 1, 7)]).toEqual([...rows]);
    expect([...poolRows(rows, 1, 1)]).toEqual([4]);
    expect([...poolRows(Float32Array.of(1, 3), 1, 3)]).toEqual([1, 2, 3]);
    expect([...poolRows(Float32Array.of(1, 10, 3, 30), 2, 1)]).toEqual([2, 20]);
  });
});
