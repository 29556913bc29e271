// What `gander model import` and `info` say about cost: states, tiles and vectors of miniatures.
import { expect } from "@std/expect";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { writeSeedVocabulary } from "../../src/seed/seed_vocabulary.ts";
import { gander } from "./model_commands.ts";
import { missingPython, runPython, temporaryFolder } from "./python_cases.ts";

const missing = missingPython("torch", "numpy");

let folder = "";
let files: Record<string, string[]> = {};

const at = (name: string) => join(folder, name);
const words = () => ["--tokenizer", at("words.txt")];

describe("the summary of an import", () => {
  beforeAll(async () => {
    folder = await temporaryFolder();
    await Deno.writeTextFile(at("words.txt"), writeSeedVocabulary());
    files = await runPython("released_minis.py", folder, "768");
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  it.unless(missing, "ends with what it found, what it takes, and what to type next", async () => {
    const { out } = await gander(["import", ...files["v6.0"]!, "-o", at("told"), ...words()]);
    for (
      const line of [
        /^found +VisualRWKV v6\.0 \(torch, names of VisualRWKV\)$/m,
        /^model +RWKV-6, 2 layers, width 128, vocabulary 768, 0\.7 million parameters, ranks mix 8, decay 16$/m,
        /^vision +CLIP 2 x 128, projector linear, fp32; 37 vectors of one picture$/m,
        /^unused +3 tensors/m,
        /^memory +1\.3 MiB weights, about .* vision, 66\.0 KiB a state$/m,
        // 16 streams of two states each, 64 questions, one more for a moment.
        /^serve +97 states for up to 16 streams, 6\.3 MiB; about \d+\.\d MiB in all/m,
        /^prompt +question, picture, question again; one picture, bidirection over 6 x 6$/m,
        /^policy +refresh$/m,
        /^ {2}gander describe PICTURE --bundle .*told$/m,
      ]
    ) expect(out).toMatch(line);
  });

  it.unless(
    missing,
    "tells vectors of a tile from those of a picture, and what they cost at most",
    async () => {
      const dir = at("tiled");
      const { out } = await gander([
        "import",
        ...files["v7.01"]!,
        "-o",
        dir,
        ...words(),
        "--version",
        "v7.02",
      ]);
      expect(out).toMatch(/^vision .*, up to 64 tiles; 16 vectors of one tile, up to 1024 of a picture$/m);
      expect(out).toMatch(/^a picture +up to .* to see, .* to read$/m);
      const info = await gander(["info", dir]);
      expect(info.out).toMatch(/^vision .* frames, 16 vectors of one tile, up to 1024 of a picture$/m);
      expect(info.out).toMatch(/^serve +97 states for up to 16 streams/m);
      const { operations } = JSON.parse(
        (await gander(
          [
            "import",
            ...files["v7.01"]!,
            "-o",
            dir,
            "--force",
            ...words(),
            "--version",
            "v7.02",
            "--tiles",
            "1",
          ]
            .concat("--json"),
        )).out,
      );
      const { operations: most } = JSON.parse(
        (await gander(
          ["import", ...files["v7.01"]!, "-o", dir, "--force", ...words(), "--version", "v7.02", "--json"],
        )).out,
      );
      expect(most.vision).toBe(64 * operations.vision);
      expect(most.prefill / operations.prefill).toBeGreaterThan(30);
    },
  );
});
