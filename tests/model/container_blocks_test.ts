// GGUF's block formats, bit for bit as an independent decoder in numpy reads them.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { block_layouts, decodeBlocks } from "../../src/model/import/block_types.ts";
import type { BlockType } from "../../src/model/import/checkpoint.ts";
import { missingPython, runPython } from "./python_cases.ts";

describe("decodeBlocks", () => {
  it.unless(missingPython("numpy"), "agrees with numpy on random blocks of every type", async () => {
    const cases = await runPython<Record<string, { blocks: string; numbers: string }>>("gguf_blocks.py");
    expect(Object.keys(cases).sort()).toEqual(Object.keys(block_layouts).sort());
    for (const [type, { blocks, numbers }] of Object.entries(cases)) {
      const bytes = Uint8Array.fromHex(blocks);
      const found = decodeBlocks(type as BlockType, bytes);
      expect([type, new Set(found).size > 100]).toEqual([type, true]);
      expect([type, new Uint8Array(found.buffer).toHex()]).toEqual([type, numbers]);
    }
  });
});
