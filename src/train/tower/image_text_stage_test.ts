import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { type ImageTextRow, ImageTextStage } from "./image_text_stage.ts";
import { wordRows } from "./words.ts";

const words = {
  size: 9,
  encode: (text: string) => [...text.matchAll(/ (\w)/g)].map(([, letter]) => Number(letter)),
};
const side_px = 16, bytes = side_px * side_px * 3;
const rows: ImageTextRow[] = Array.from(
  { length: 6 },
  (_, at) => ({ picture: `p${at}`, caption: `${at} 8` }),
);

function stage(change: Partial<ConstructorParameters<typeof ImageTextStage>[0]> = {}): ImageTextStage {
  return new ImageTextStage({
    rows,
    readPicture: ({ picture }) => Promise.resolve(new Uint8Array(bytes).fill(Number(picture.slice(1)))),
    batch_size: 2,
    side_px,
    words,
    parameters: () => Promise.resolve(new Map()),
    ...change,
  });
}

describe("image-text stage", () => {
  it("puts each picture twice beside its caption, and every row once a pass", async () => {
    const seen: number[] = [];
    for (let step = 0; step < 3; step++) {
      const { pixels, caption_tokens } = await stage().batch(step);
      expect(pixels!.dims).toEqual([2, 2, side_px, side_px, 3]);
      expect(caption_tokens!.dims).toEqual([2, 2]);
      for (let row = 0; row < 2; row++) {
        const number = caption_tokens!.data[2 * row]!;
        expect(caption_tokens!.data[2 * row + 1]).toBe(8);
        const pair = (pixels!.data as Uint8Array).subarray(2 * row * bytes, 2 * (row + 1) * bytes);
        expect(pair.every((value) => value === number)).toBe(true);
        seen.push(number);
      }
    }
    expect(new Set(seen).size).toBeGreaterThanOrEqual(5);
    expect(await stage().batch(1)).toEqual(await stage().batch(1));
  });

  it("scores how often the right caption wins", async () => {
    const data = Float32Array.of(1, 0, 0, 0, 0, 1, 0, 1, 0); // the first finds its own, the last two each other's
    const scores = await stage({ check_rows: rows.slice(0, 3) }).validate(() =>
      Promise.resolve({ image_text: { dims: [3, 3], data } })
    );
    expect(scores.caption_found).toBeCloseTo(1 / 3);
  });

  it("leaves the heads of cells alone", () => {
    expect(stage().groupOf("head.box.weight", [8, 4]).lr_scale).toBe(0);
    expect(stage().groupOf("head.image.weight", [4, 4])).toEqual({ lr_scale: 1, weight_decay: 0.05 });
  });

  it("refuses batches that cannot be, and pictures of another size", async () => {
    expect(() => stage({ batch_size: 1 })).toThrow("Cannot train on batches of 1");
    expect(() => stage({ batch_size: 7 })).toThrow("between 2 and the 6 pictures");
    await expect(stage({ readPicture: () => Promise.resolve(new Uint8Array(3)) }).batch(0)).rejects.toThrow(
      `has 3 bytes, not ${bytes}`,
    );
  });
});

describe("rows of words", () => {
  it("are padded behind the end, and empty without words", () => {
    expect(wordRows(words, ["1 2 3", " ", "4"])).toEqual({
      dims: [3, 3],
      data: Int32Array.of(1, 2, 3, -1, -1, -1, 4, -1, -1),
    });
  });
});
