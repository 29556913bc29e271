import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { checkRoom, fillFolder } from "./bundle_folder.ts";
import { ImportError } from "./import_error.ts";

async function withFolder(body: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "gander-folder-" });
  try {
    await body(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function names(dir: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(dir))).map(({ name }) => name).sort();
}

const fill = (text: string) => (folder: string) => Deno.writeTextFile(join(folder, "manifest.json"), text);

describe("fillFolder()", () => {
  it("moves what was written to its place, also below folders that are not there yet", () =>
    withFolder(async (dir) => {
      await fillFolder(join(dir, "a/b"), false, fill("1"));
      expect(await Deno.readTextFile(join(dir, "a/b/manifest.json"))).toBe("1");
      expect(await names(join(dir, "a"))).toEqual(["b"]);
    }));

  it("shows nothing under the final name before it is whole", () =>
    withFolder(async (dir) => {
      await fillFolder(join(dir, "b"), false, async (folder) => {
        await fill("1")(folder);
        expect(await names(dir)).toEqual([expect.stringMatching(/^\.b-import-/)]);
      });
    }));

  it("keeps the old bundle when the new one fails, and leaves nothing beside it", () =>
    withFolder(async (dir) => {
      const place = join(dir, "b");
      await fillFolder(place, false, fill("old"));
      const failing = fillFolder(place, true, async (folder) => {
        await fill("new")(folder);
        throw new Error("no");
      });
      await expect(failing).rejects.toThrow("no");
      expect([await names(dir), await Deno.readTextFile(join(place, "manifest.json"))]).toEqual([
        ["b"],
        "old",
      ]);
      await fillFolder(place, true, fill("new"));
      expect(await Deno.readTextFile(join(place, "manifest.json"))).toBe("new");
    }));

  it("does not run over a bundle that came while it was working", () =>
    withFolder(async (dir) => {
      const place = join(dir, "b");
      const late = fillFolder(place, false, async (folder) => {
        await fill("mine")(folder);
        await fillFolder(place, false, fill("theirs"));
      });
      await expect(late).rejects.toThrow("a bundle is there already");
      expect(await Deno.readTextFile(join(place, "manifest.json"))).toBe("theirs");
      expect(await names(dir)).toEqual(["b"]);
    }));

  it("refuses a file in the place of the folder", () =>
    withFolder(async (dir) => {
      await Deno.writeTextFile(join(dir, "b"), "");
      const error = await fillFolder(join(dir, "b"), true, fill("1")).catch((reason) => reason);
      expect([error instanceof ImportError, error.code]).toEqual([true, "import_unwritable"]);
      expect(await names(dir)).toEqual(["b"]);
    }));
});

describe("checkRoom()", () => {
  it("says how much is missing", () =>
    withFolder(async (dir) => {
      await checkRoom(dir, 1);
      await expect(checkRoom(dir, 1e18)).rejects.toThrow(
        /it needs 1000000000\.0 GB, the disk has \d+\.\d GB left/,
      );
    }));
});
