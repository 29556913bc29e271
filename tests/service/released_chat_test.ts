// Every released version from file to answer: a checkpoint with its names is imported by the real command, served, and
// asked about a picture through the client that programs use. Miniatures always; true shapes with GANDER_TEST_LARGE=1.
import { expect } from "@std/expect";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { Buffer } from "node:buffer";
import { existsSync } from "node:fs";
import { join } from "node:path";
import OpenAI from "openai";
import { byteVocabulary } from "../model/byte_vocabulary.ts";
import { missingPython, runPython } from "../model/python_cases.ts";
import { makePixels, makePng } from "../sources/picture_files.ts";
import { runGander, startGander } from "./gander_process.ts";

const missing = missingPython("torch", "numpy");
const large = Deno.env.get("GANDER_TEST_LARGE") === "1"
  ? missing
  : "true shapes need up to 24 GB of memory, 45 GB of disk and minutes each; GANDER_TEST_LARGE=1 runs them";

const minis = ["v5", "v6.0", "hd", "uhd", "v7.00", "v7.01", "v7.03"];
/** Version and size as tests/model/python/make_checkpoint.py takes them, in order of size. */
const true_shapes = [
  ...[["v7.01", "0b1"], ["v7.03", "0b1"], ["v7.00", "0b1"], ["v7.00", "0b4"], ["v5", "1b5"], ["v6.0", "1b6"]],
  ...[["v7.00", "1b5"], ["hd", "1b6"], ["uhd", "1b6"], ["v5", "3b"], ["v6.0", "3b"], ["v6.0", "7b"]],
] as const;
const import_bytes_max = 1e9;

let folder: string, vocabulary: string, picture: Uint8Array;

/** Imports `files` in a process of its own; returns the most memory it had, where the system tells. */
async function importFiles(
  files: readonly string[],
  dir: string,
  more: string[] = [],
): Promise<number | undefined> {
  const words = ["model", "import", ...files, "-o", dir, "--tokenizer", vocabulary, ...more];
  const child = startGander(words);
  let peak_bytes: number | undefined;
  const watching = setInterval(() => {
    try {
      const status = Deno.readTextFileSync(`/proc/${child.pid}/status`);
      const [, peak_kb] = /VmHWM:\s+(\d+) kB/.exec(status) ?? [];
      // A process that has ended has no such line any more.
      if (peak_kb !== undefined) peak_bytes = Number(peak_kb) * 1024;
    } catch {
      // It has ended, or this is no Linux.
    }
  }, 20);
  const { code } = await child.ended;
  clearInterval(watching);
  expect([code, child.err()]).toEqual([0, expect.any(String)]);
  expect(child.lines.join("\n")).toContain("VisualRWKV");
  return peak_bytes;
}

/** One picture, one question, over HTTP: at once and streamed. */
async function chat(dir: string, tokens_max: number): Promise<void> {
  const data = await Deno.makeTempDir({ prefix: "gander-released-" });
  const gander = startGander(["serve", "--bundle", dir, "--port", "0", "--data", data, "--streams-max", "1"]);
  try {
    const [, url] = await gander.said(/dashboard is at (\S+)/);
    const client = new OpenAI({
      ...{ baseURL: `${url!.replace(/\/$/, "")}/v1`, apiKey: "none", maxRetries: 0, timeout: 1_800_000 },
    });
    const [model] = (await client.models.list()).data;
    const image_url = { url: `data:image/png;base64,${Buffer.from(picture).toString("base64")}` };
    const content = [{ type: "image_url" as const, image_url }, {
      type: "text" as const,
      text: "What is this?",
    }];
    const request = {
      model: model!.id,
      messages: [{ role: "user" as const, content }],
      max_tokens: tokens_max,
    };
    const whole = await client.chat.completions.create(request);
    expect(whole.choices[0]!.message.role).toBe("assistant");
    const { prompt_tokens, completion_tokens } = whole.usage!;
    expect(completion_tokens).toBeGreaterThan(0);
    // The picture's vectors are part of the prompt.
    expect(prompt_tokens).toBeGreaterThan(15);
    let streamed = "";
    for await (const chunk of await client.chat.completions.create({ ...request, stream: true })) {
      streamed += chunk.choices[0]?.delta.content ?? "";
    }
    expect(streamed).toBe(whole.choices[0]!.message.content);
  } finally {
    gander.kill("SIGTERM");
    await gander.ended;
    await Deno.remove(data, { recursive: true });
  }
}

describe("a released version", { sanitizeOps: false, sanitizeResources: false }, () => {
  let files: Record<string, string[]>;
  beforeAll(async () => {
    folder = await Deno.makeTempDir({ prefix: "gander-released-" });
    vocabulary = join(folder, "words.txt");
    await Deno.writeTextFile(vocabulary, byteVocabulary());
    picture = makePng(96, 64, makePixels(96, 64));
    await Deno.writeFile(join(folder, "picture.png"), picture);
    if (!missing) files = await runPython("released_minis.py", folder, "512");
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  for (const name of minis) {
    it.unless(missing, `${name} in miniature: imported, served, asked about a picture`, async () => {
      const dir = join(folder, `${name}-bundle`);
      await importFiles(files[name]!, dir);
      await chat(dir, 8);
    });
  }

  for (const [version, size] of true_shapes) {
    it.unless(
      large,
      `${version} ${size} of true shape: the same, and the import takes little memory`,
      async () => {
        const out = join(folder, "large.pth"), dir = join(folder, "large-bundle");
        await runPython("make_checkpoint.py", version, out, "--scale", "true", "--size", size);
        const parts = ["_rwkv.pth", "_visual.pth"].map((part) => out + part).filter((path) =>
          existsSync(path)
        );
        const peak_bytes = await importFiles(parts.length > 0 ? parts : [out], dir, ["--vision", "int8"]);
        for (const path of [out, ...parts]) await Deno.remove(path).catch(() => {});
        expect(peak_bytes).toBeLessThan(import_bytes_max);
        const words = [
          "describe",
          join(folder, "picture.png"),
          "--bundle",
          dir,
          "--tokens-max",
          "2",
          "--json",
        ];
        const { code, lines, err } = await runGander(words);
        // Its sentence, when there is one, is part of the failure.
        expect({ code, err: code === 0 ? "" : err }).toEqual({ code: 0, err: "" });
        expect([code, Object.keys(JSON.parse(lines.join("\n")))]).toEqual([
          0,
          expect.arrayContaining(["model", "text"]),
        ]);
        await chat(dir, 2);
        await Deno.remove(dir, { recursive: true });
      },
    );
  }
});
