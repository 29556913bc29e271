import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { tableCheckpoint } from "../../../tests/model/table_checkpoints.ts";
import { findTokenizer } from "./find_tokenizer.ts";

/** All bytes, and one word under `id`. */
function vocabulary(id: number): string {
  const bytes = Array.from({ length: 256 }, (_, byte) => {
    const hex = byte.toString(16).padStart(2, "0");
    return `${byte + 1} b'\\x${hex}' 1\n`;
  });
  return `${bytes.join("")}${id} 'goose' 5\n`;
}

describe("findTokenizer()", () => {
  it("passes over a vocabulary beside the file that is too large, and refuses one that is named", async () => {
    const dir = await Deno.makeTempDir({ prefix: "gander-vocabulary-" });
    try {
      const checkpoint = tableCheckpoint({}, { path: join(dir, "x.pth") });
      const [first, second] = [join(dir, "tokenizer.txt"), join(dir, "rwkv_vocab_v20230424.txt")];
      await Deno.writeTextFile(first, vocabulary(300));
      expect((await findTokenizer(checkpoint, 301))?.place).toBe(first);
      expect(await findTokenizer(checkpoint, 300)).toBeUndefined();
      await expect(findTokenizer(checkpoint, 300, first)).rejects.toThrow(
        "ids up to 300, the model has 300 rows",
      );
      await Deno.writeTextFile(second, vocabulary(299));
      expect((await findTokenizer(checkpoint, 300))?.place).toBe(second);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
});
