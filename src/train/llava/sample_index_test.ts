import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { imagePath, SampleIndex } from "./sample_index.ts";

const options = { max_rounds: 1, images_min: 0, images_max: 1 } as const;
const talk = (...texts: string[]) =>
  texts.map((value, index) => ({ from: index % 2 === 0 ? "human" : "gpt", value }));

async function withRows(name: string, rows: unknown[], body: (path: string, dir: string) => Promise<void>) {
  const dir = await Deno.makeTempDir({ prefix: "gander-index-" });
  try {
    await Deno.writeTextFile(`${dir}/there.png`, "x");
    const lines = rows.map((row) => typeof row === "string" ? row : JSON.stringify(row));
    const text = name.endsWith("l") ? lines.join("\n") : `[\n${lines.join(",\n")}\n]`;
    await Deno.writeTextFile(`${dir}/${name}`, text);
    await body(`${dir}/${name}`, dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const rows = [
  { id: "one", image: "there.png", conversations: talk("<image>\nA?", "a") },
  { id: "bad", conversations: talk("A?") },
  { id: "gone", image: "gone.png", conversations: talk("<image>\nA?", "a") },
  { id: "out", image: "../there.png", conversations: talk("<image>\nA?", "a") },
  { id: "two", conversations: talk("B?", "b", "C?", "c", "D?", "") },
];

describe("SampleIndex", () => {
  for (const name of ["x.json", "x.jsonl"]) {
    it(`of ${name} reads every good sample and tells where the bad ones are`, () =>
      withRows(name, rows, async (path, image_folder) => {
        const told: string[] = [];
        using index = await SampleIndex.open(path, {
          ...options,
          image_folder,
          onProblem: (line) => told.push(line),
        });
        expect(index.report).toEqual({
          ...{ rows: 5, samples: 3, bad_rows: 3, dropped_rounds: 1, images_most: 1, problems: told },
        });
        const place = (number: number) =>
          name === "x.json" ? `element ${number} (line ${number + 1})` : `line ${number}`;
        expect(told).toEqual([
          `${path}: ${place(2)}: it has no answer`,
          `${path}: ${place(3)}: its picture "gone.png": not found`,
          `${path}: ${place(4)}: its picture "../there.png" leads out of the image folder`,
        ]);
        // In any order, any number of times.
        for (const number of [2, 0, 1, 0]) {
          expect(index.read(number).rounds).toEqual(
            [[{ human: "<image>\nA?", gpt: "a" }], [{ human: "B?", gpt: "b" }], [{
              human: "C?",
              gpt: "c",
            }]][number],
          );
        }
        expect(() => index.read(3)).toThrow("no sample 3");
        expect(index.imagePath(index.read(0).images[0]!)).toBe(`${image_folder}/there.png`);
      }));
  }

  it("goes on behind a line that is no JSON, and refuses a file without a good row", async () => {
    await withRows("x.jsonl", ["{", rows[4]], async (path) => {
      using index = await SampleIndex.open(path, { ...options, image_folder: undefined });
      expect([index.count, index.report.problems[0]]).toEqual([
        2,
        expect.stringContaining("line 1: it is no JSON"),
      ]);
    });
    await withRows("x.json", [rows[0]], async (path) => {
      const opened = SampleIndex.open(path, { ...options, image_folder: undefined });
      await expect(opened).rejects.toThrow(/none of its 1 rows is good.*no --image_folder/);
    });
  });
});

describe("imagePath()", () => {
  it("stays inside the folder", () => {
    expect(imagePath("/data", "a/../b.png")).toBe("/data/b.png");
    for (const path of ["../b", "a/../../b", "/etc/passwd", "a\0b"]) {
      expect(imagePath("/data", path)).toBeUndefined();
    }
  });
});
