// House rules that a program can hold: names, sizes, openings, and what must never be committed.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { version } from "../../src/version.ts";
import { sourceFiles } from "./source_files.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const code = [...sourceFiles(root, /\.(tsx?|cc|h|cu|cuh|sh)$/)];
const everything = [
  ...sourceFiles(root, /\.(tsx?|cc|h|cu|cuh|sh|md|json|jsonc|ya?ml|css|html|py|txt)$|^gander$|^run$/),
];

/** A file that is longer has grown out of its design. The ratchet: these may shrink, not grow. */
const lines_max = 300;
const known_long: Record<string, number> = {};

describe("tidy", () => {
  it("files are named in snake_case, and not after a drawer", () => {
    const odd = code.map(({ path }) => path).filter((path) => {
      const name = basename(path);
      return !/^[a-z0-9_]+(\.config|\.d)?\.[a-z]+$/.test(name) ||
        /(^|_)(utils?|helpers?|manager|common|misc)(_|\.)/.test(name);
    });
    expect(odd).toEqual([]);
  });

  it(`no source file is over ${lines_max} lines`, () => {
    const long = code
      .filter(({ path }) => !path.endsWith("_symbols.ts"))
      .map(({ path, text }) => ({ path, lines: text.split("\n").length - 1 }))
      .filter(({ path, lines }) => lines > (known_long[path] ?? lines_max));
    expect(long).toEqual([]);
  });

  it("every source file opens by saying what it owns", () => {
    const silent = code.filter(({ path, text }) => {
      if (/_test\.tsx?$/.test(path)) return false;
      const first = text.replace(/^#!.*\n/, "").trimStart();
      return !/^(\/\/|\/\*|#)/.test(first);
    });
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  it("src/main.ts reads like a list", () => {
    expect(Deno.readTextFileSync(`${root}src/main.ts`).split("\n").length).toBeLessThan(150);
  });

  it("the version is the same everywhere", () => {
    const deno_json = JSON.parse(Deno.readTextFileSync(`${root}deno.json`));
    expect(deno_json.version).toBe(version);
    expect(Deno.readTextFileSync(`${root}CHANGELOG.md`)).toContain(`## ${version}`);
  });

  it("the lock file names no host", () => {
    expect(Deno.readTextFileSync(`${root}deno.lock`)).not.toMatch(/https?:/);
  });

  it("TODO carries an issue number, and no text carries a path of one machine", () => {
    const machine_path = new RegExp(["/wor", "k/[a-z]|/ro", "ot/"].join(""));
    const offences = everything.flatMap(({ path, text }) =>
      text.split("\n").flatMap((line, index) => {
        const unowned = /\b(TODO|FIXME|XXX)\b(?!\(#\d+\))/.test(line) && !path.startsWith("tests/tidy/");
        return unowned || machine_path.test(line)
          ? [`${path}:${index + 1}: ${line.trim().slice(0, 100)}`]
          : [];
      })
    );
    expect(offences).toEqual([]);
  });
});
