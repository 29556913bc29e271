// Who may import whom. The map is ARCHITECTURE.md's table; this file is what holds it.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { sourceFiles } from "./source_files.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Room → rooms and packages it may import. A room is the longest prefix that matches. Its own files are free. */
const rooms: Record<string, readonly string[]> = {
  "ffi": [],
  "streams": ["fluent-ffmpeg", "node:"],
  "src/wire": ["zod"],
  "src/pipeline": ["src/clock.ts", "src/errors.ts", "src/log.ts"],
  "src/store": ["src/pipeline", "src/clock.ts", "src/errors.ts", "src/log.ts", "node:"],
  "src/model": ["src/errors.ts", "src/pipeline", "src/random.ts", "zod", "node:"],
  "src/vision": ["src/errors.ts", "onnxruntime-node", "onnx-proto", "node:"],
  "src/seed": ["src/model", "src/vision", "src/errors.ts", "src/random.ts", "node:"],
  "src/world": ["src/random.ts", "zod"],
  "src/train": [
    ...["src/world", "src/model", "src/vision", "src/random.ts", "src/errors.ts", "zod", "node:"],
  ],
  "src/eval": ["src/world", "src/random.ts", "zod", "node:"],
  "src/bench": ["src/pipeline", "src/clock.ts"],
  "src/http": [
    ...["src/pipeline", "src/wire", "src/clock.ts", "src/errors.ts", "src/log.ts", "src/config.ts"],
    ...["hono", "@hono/", "ws", "zod", "prom-client", "node:"],
  ],
  "src/cli": ["src", "ffi", "streams", "node:"],
  "src": ["src", "ffi", "streams", "zod", "node:"],
  "web": ["src/wire", "preact", "@preact/", "vite", "zod"],
};
/** Work on a whole room at once, not part of the product: free to import. */
const exempt = [/_test\.tsx?$/, /^tests\//, /^web\/dev_/];

function roomOf(path: string): string | undefined {
  return Object.keys(rooms).filter((room) => path.startsWith(`${room}/`)).sort((a, b) =>
    b.length - a.length
  )[0];
}

function importsOf(text: string): string[] {
  const found = text.matchAll(
    /^\s*(?:import|export)\b[^"';]*?\bfrom\s*"([^"]+)"|^\s*import\s*"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/gm,
  );
  return [...found].map((match) => (match[1] ?? match[2] ?? match[3])!);
}

/** The breach as a line, or undefined. */
function judge(path: string, specifier: string): string | undefined {
  const room = roomOf(path);
  if (!room) return `${path} is in no room`;
  const target = specifier.startsWith(".") ? relative(root, join(root, dirname(path), specifier)) : specifier;
  if (target.startsWith(`${room}/`) && roomOf(target) === room) return undefined;
  if (rooms[room]!.some((allowed) => target === allowed || target.startsWith(allowed.replace(/\/?$/, "/")))) {
    return undefined;
  }
  if (rooms[room]!.includes("node:") && target.startsWith("node:")) return undefined;
  if (rooms[room]!.some((allowed) => allowed.endsWith("/") && target.startsWith(allowed))) return undefined;
  return `${path} (room ${room}) must not import ${target}`;
}

describe("imports", () => {
  it("keep to the map of rooms", () => {
    const breaches: string[] = [];
    let count = 0;
    for (const { path, text } of sourceFiles(root, /\.tsx?$/)) {
      if (exempt.some((pattern) => pattern.test(path))) continue;
      for (const specifier of importsOf(text)) {
        count++;
        const breach = judge(path, specifier);
        if (breach) breaches.push(breach);
      }
    }
    expect(count).toBeGreaterThan(300);
    expect(breaches).toEqual([]);
  });

  it("would be caught when they do not", () => {
    expect(judge("src/pipeline/x.ts", "../http/app.ts")).toContain("must not import src/http/app.ts");
    expect(judge("src/wire/x.ts", "../config.ts")).toBeDefined();
    expect(judge("src/pipeline/x.ts", "node:fs")).toBeDefined();
    expect(judge("streams/x.ts", "../src/pipeline/ports.ts")).toBeDefined();
    expect(judge("ffi/x.ts", "zod")).toBeDefined();
    expect(judge("web/x.ts", "../src/wire/mod.ts")).toBeUndefined();
    expect(importsOf('import { a } from "x";\nexport * from "./y.ts";\nawait import("z");\nimport "w";'))
      .toEqual(["x", "./y.ts", "z", "w"]);
  });
});
