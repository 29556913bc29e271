import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { dirname, join } from "node:path";
import { checkRoom, fillFolder, refuseInside } from "./bundle_folder.ts";
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

const manifestText = (name: string, ...paths: string[]) =>
  JSON.stringify({ format: "gander-bundle", name, sources: paths.map((path) => ({ path })) });

const fill = (name: string) => (folder: string) =>
  Deno.writeTextFile(join(folder, "manifest.json"), manifestText(name));

async function nameOf(bundle: string): Promise<string> {
  return JSON.parse(await Deno.readTextFile(join(bundle, "manifest.json"))).name;
}

describe("fillFolder()", () => {
  it("moves what was written to its place, also below folders that are not there yet", () =>
    withFolder(async (dir) => {
      await fillFolder(join(dir, "a/b"), false, fill("1"));
      expect(await nameOf(join(dir, "a/b"))).toBe("1");
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
      expect([await names(dir), await nameOf(place)]).toEqual([["b"], "old"]);
      await fillFolder(place, true, fill("new"));
      expect(await nameOf(place)).toBe("new");
    }));

  it("does not run over a bundle that came while it was working", () =>
    withFolder(async (dir) => {
      const place = join(dir, "b");
      const late = fillFolder(place, false, async (folder) => {
        await fill("mine")(folder);
        await fillFolder(place, false, fill("theirs"));
      });
      await expect(late).rejects.toThrow("a bundle is there already");
      expect(await nameOf(place)).toBe("theirs");
      expect(await names(dir)).toEqual(["b"]);
    }));

  it("refuses a file in the place of the folder", () =>
    withFolder(async (dir) => {
      await Deno.writeTextFile(join(dir, "b"), "");
      const error = await fillFolder(join(dir, "b"), true, fill("1")).catch((reason) => reason);
      expect([error instanceof ImportError, error.code]).toEqual([true, "import_unwritable"]);
      expect(await names(dir)).toEqual(["b"]);
    }));

  const kept: [string, Record<string, string>, string][] = [
    [
      "a web app's manifest.json",
      { "manifest.json": '{"name": "app"}' },
      "the folder is there, and is no bundle",
    ],
    ["one that is not JSON", { "manifest.json": "{" }, "the folder is there, and is no bundle"],
    ["no manifest.json", { "diary.txt": "dear" }, "the folder is there, with files that are no bundle"],
    [
      "a file that the bundle does not list",
      {
        "manifest.json": manifestText("mine", "rwkv.safetensors"),
        "rwkv.safetensors": "",
        "diary.txt": "dear",
      },
      'it also holds "diary.txt", which is not of the bundle',
    ],
    [
      "a folder that it does not list",
      { "manifest.json": manifestText("mine"), "photos/cat.jpg": "" },
      'it also holds "photos", which is not of the bundle',
    ],
    [
      "a folder under the name of a listed file",
      { "manifest.json": manifestText("mine", "vision.onnx"), "vision.onnx/cat.jpg": "" },
      'it also holds "vision.onnx", which is not of the bundle',
    ],
    [
      "a file beside a listed one, deeper",
      { "manifest.json": manifestText("mine", "vision/a.onnx"), "vision/a.onnx": "", "vision/cat.jpg": "" },
      'it also holds "vision/cat.jpg", which is not of the bundle',
    ],
  ];
  for (const [what, files, text] of kept) {
    it(`keeps a folder with ${what}, also when forced`, () =>
      withFolder(async (dir) => {
        const place = join(dir, "b");
        for (const [path, content] of Object.entries(files)) {
          await Deno.mkdir(dirname(join(place, path)), { recursive: true });
          await Deno.writeTextFile(join(place, path), content);
        }
        await expect(fillFolder(place, true, fill("new"))).rejects.toThrow(text);
        for (const [path, content] of Object.entries(files)) {
          expect(await Deno.readTextFile(join(place, path))).toBe(content);
        }
        expect(await names(dir)).toEqual(["b"]);
      }));
  }

  it("replaces all files that a bundle lists", () =>
    withFolder(async (dir) => {
      const place = join(dir, "b");
      await Deno.mkdir(join(place, "vision"), { recursive: true });
      await Deno.writeTextFile(join(place, "vision/a.onnx"), "");
      await Deno.writeTextFile(join(place, "manifest.json"), manifestText("old", "vision/a.onnx"));
      await fillFolder(place, true, fill("new"));
      expect([await nameOf(place), await names(place)]).toEqual(["new", ["manifest.json"]]);
    }));

  it("replaces what a link points to, and the link stays", () =>
    withFolder(async (dir) => {
      const [real, link] = [join(dir, "disk/b"), join(dir, "link")];
      await fillFolder(real, false, fill("old"));
      await Deno.symlink(real, link);
      await fillFolder(link, true, fill("new"));
      expect([await Deno.readLink(link), await nameOf(real)]).toEqual([real, "new"]);
      expect([await names(dir), await names(join(dir, "disk"))]).toEqual([["disk", "link"], ["b"]]);

      await Deno.symlink(join(dir, "nowhere"), join(dir, "lost"));
      await expect(fillFolder(join(dir, "lost"), true, fill("new"))).rejects.toThrow(
        "a link that leads nowhere",
      );
      expect(await names(dir)).toEqual(["disk", "link", "lost"]);
    }));

  it("takes away what a killed import left, and nothing that may be in use or hold the old bundle", () =>
    withFolder(async (dir) => {
      const make = async (name: string, ...inside: string[]) => {
        for (const one of inside) await Deno.mkdir(join(dir, name, one), { recursive: true });
        await Deno.writeTextFile(join(dir, name, "lock"), "");
      };
      await make(".b-import-left", "bundle");
      await make(".b-import-done", "old");
      await make(".b-import-half", "bundle", "old");
      await make(".c-import-left", "bundle");
      await Deno.mkdir(join(dir, ".b-import-other"));
      const kept = [".b-import-half", ".b-import-other", ".c-import-left", "b"];
      await fillFolder(join(dir, "b"), false, async (folder) => {
        await fillFolder(join(dir, "b"), false, fill("1")); // finds the lock of the outer one
        expect(await names(folder)).toEqual([]);
        await Deno.remove(join(dir, "b"), { recursive: true });
        await fill("2")(folder);
      });
      expect([await names(dir), await nameOf(join(dir, "b"))]).toEqual([kept, "2"]);
    }));

  it("holds a lock that ends with the process", () =>
    withFolder(async (dir) => {
      const program = `import { openFolderBeside } from ${
        JSON.stringify(import.meta.resolve("./folder_beside.ts"))
      };
        await openFolderBeside(${JSON.stringify(join(dir, "b"))});
        console.log("ready");
        await new Promise((go) => setTimeout(go, 100_000));`;
      await using child = new Deno.Command(Deno.execPath(), {
        args: ["eval", "--no-lock", program],
        stdout: "piped",
      }).spawn();
      const output = child.stdout.getReader();
      await output.read();
      const [left] = await names(dir);
      await fillFolder(join(dir, "b"), false, fill("1"));
      expect(await names(dir)).toEqual([left, "b"]);
      child.kill("SIGKILL");
      await child.status;
      await output.cancel();
      await fillFolder(join(dir, "b"), true, fill("2"));
      expect(await names(dir)).toEqual(["b"]);
    }));
});

describe("refuseInside()", () => {
  it("refuses to replace the folder that something is read from", () =>
    withFolder(async (dir) => {
      const place = join(dir, "b");
      await Deno.mkdir(place);
      await Deno.writeTextFile(join(place, "x.pth"), "");
      await Deno.symlink(place, join(dir, "link"));
      await Deno.writeTextFile(join(dir, "b.pth"), "");
      const inside = [join(place, "x.pth"), join(dir, "link/x.pth"), place, join(place, "nothing.pth")];
      for (const path of inside) {
        await expect(refuseInside(place, [join(dir, "b.pth"), path])).rejects.toThrow("lies in it");
        await expect(refuseInside(join(dir, "link"), [path])).rejects.toThrow("lies in it");
      }
      await refuseInside(place, [join(dir, "b.pth"), dir]);
      await refuseInside(join(dir, "new"), [join(dir, "b.pth")]);
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
