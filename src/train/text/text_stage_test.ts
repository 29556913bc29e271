import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { type DocumentReport, readDocuments } from "./documents.ts";
import { packWindows, textGroup, textStage } from "./text_stage.ts";
import { TokenWindows } from "./token_windows.ts";

const windowsOf = (ctx_len: number, ...documents: number[][]) => {
  const windows = new TokenWindows(ctx_len);
  for (const document of documents) windows.add(document);
  return windows;
};

describe("TokenWindows", () => {
  it("packs documents end to end; every token but the first is predicted once", () => {
    const windows = windowsOf(3, [1, 2, 3, 4], [5], [6, 7]);
    expect(windows.tokens).toBe(10);
    const all = Array.from({ length: windows.count }, (_, index) => [...windows.window(index)]);
    expect(all).toEqual([[1, 2, 3, 4], [4, 0, 5, 0], [0, 6, 7, 0]]);
    expect([windowsOf(4, [1, 2]).count, windowsOf(2, [1, 2]).count, windowsOf(2, [1, 2, 3]).count]).toEqual([
      1,
      1,
      2,
    ]);
    expect(new TokenWindows(2).count).toBe(0);
  });

  it("grows", () => {
    const windows = windowsOf(1000, Array.from({ length: 70_000 }, (_, index) => index), [1]);
    expect([windows.tokens, windows.window(69)[999]]).toEqual([70_003, 69_999]);
  });
});

describe("textStage()", () => {
  it("sees every window below the prime once, in batches that are a function of the micro-step", async () => {
    const windows = windowsOf(2, Array.from({ length: 23 }, (_, index) => 100 + index)); // 12 windows, prime 11
    const stage = textStage({
      ...{
        windows,
        parameters: () => Promise.resolve(new Map()),
        validation: undefined,
        validation_windows: 0,
      },
      ...{ micro_bsz: 2, begin_micro_steps: 1, weight_decay: 0, numbers: { bf16: 1 }, settings: {} },
    });
    expect(stage.numbers).toEqual({ carry: 0, bf16: 1 });
    const firsts = async (micro_step: number) => {
      const { data, dims: [rows, length] } = (await stage.batch(micro_step)).tokens!;
      return Array.from({ length: rows! }, (_, row) => (data[row * length!]! - 100) / 2);
    };
    // Draws 2, 3, …: cubes modulo 11.
    expect([await firsts(0), await firsts(1), await firsts(2)]).toEqual([[8, 5], [9, 4], [7, 2]]);
    expect(await firsts(1)).toEqual([9, 4]);
  });

  it("fills a shorter window up, and learns nothing there", () => {
    expect(packWindows([Int32Array.of(1, 2), Int32Array.of(3, 4, 0)])).toEqual({
      tokens: { dims: [2, 2], data: Int32Array.of(1, -2, 3, 4) },
      targets: { dims: [2, 2], data: Int32Array.of(2, -100, 4, 0) },
    });
  });

  it("decays matrices alone", () => {
    expect(textGroup("blocks.1.att.key.weight", [64, 64], 0.1)).toEqual({ lr_scale: 1, weight_decay: 0.1 });
    expect(textGroup("blocks.1.att.w1", [64, 8], 0.1)).toEqual({ lr_scale: 1, weight_decay: 0 });
    expect(textGroup("blocks.1.att.w0", [1, 1, 64], 0.1)).toEqual({ lr_scale: 2, weight_decay: 0 });
    expect(textGroup("blocks.1.ln1.weight", [64], 0.1)).toEqual({ lr_scale: 1, weight_decay: 0 });
  });
});

describe("readDocuments()", () => {
  it("reads text, lines and lists, and tells of lines that are none", async () => {
    const dir = await Deno.makeTempDir({ prefix: "gander-documents-" });
    try {
      const files = {
        "a.txt": "one\n\ntwo",
        "b.jsonl": '{"text": "é"}\n{"test": 1}\n{\n{"text": ""}\n{"text": "z"}\n',
        "c.json": '[{"text": "q"}]',
      };
      const told: string[] = [], report: DocumentReport = { documents: 0, bad_rows: 0 };
      const found: string[] = [];
      for (const [name, text] of Object.entries(files)) {
        await Deno.writeTextFile(`${dir}/${name}`, text);
        for await (const document of readDocuments(`${dir}/${name}`, report, (line) => told.push(line))) {
          found.push(document);
        }
      }
      expect(found).toEqual(["one\n\ntwo", "é", "z", "q"]);
      expect(report).toEqual({ documents: 4, bad_rows: 3 });
      expect(told.map((line) => line.slice(dir.length + 1, dir.length + 40))).toEqual([
        'b.jsonl: line 2: it has no "text"',
        expect.stringContaining("b.jsonl: line 3: it is no JSON"),
        "b.jsonl: line 4: its text is empty",
      ]);
      await expect(readDocuments(`${dir}/none.txt`, report).next()).rejects.toThrow("not found");
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
});
