// Pictures asked about for real: the command, and the service through the client that programs use. Every part runs
// (file, ffmpeg, tower, span, engine, text); the model is the smallest built-in one, said to be trained on pictures.
import { expect } from "@std/expect";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { Buffer } from "node:buffer";
import OpenAI, { APIError } from "openai";
import { openEngine } from "../../ffi/mod.ts";
import { openBundleVision } from "../../src/bundle_vision.ts";
import { library_path } from "../../src/compose.ts";
import { readBundle } from "../../src/model/bundle.ts";
import { openLanguage } from "../../src/model/language.ts";
import type { ManifestInput } from "../../src/model/manifest.ts";
import type { SpanGrid } from "../../src/pipeline/ports.ts";
import { writePictureBundle } from "../model/bundles.ts";
import { makePixels, makePng } from "../sources/picture_files.ts";
import { runGander, startGander } from "./gander_process.ts";
import { openWhole } from "./whole_service.ts";

let folder: string, bundle: string, first: string, second: string;
const rgb = { first: makePixels(48, 40), second: makePixels(40, 64).map((value) => 255 - value) };

const greedy = { temperature: 0, top_p: 1, presence_penalty: 0, count_penalty: 0 };

/** Answers are long enough to look at: nothing but the bound ends them. */
function talkative(manifest: ManifestInput): void {
  manifest.stop = { tokens: [], text: null };
  manifest.answer = { tokens_max: 12, sampler: greedy };
}

/** What the model says, computed step by step from the parts: vectors by hand, arg-max over the logits. */
async function sayByHand(
  sequence: (string | { pixels: Uint8Array; width_px: number; height_px: number })[],
  count: number,
  { padding, grid = { scan: "row_major", rows: 0, columns: 0 }, dir = bundle }: {
    padding?: { token: number; multiple: number };
    grid?: SpanGrid;
    dir?: string;
  } = {},
): Promise<string> {
  const read = await readBundle(dir);
  const language = await openLanguage(read);
  const vision = (await openBundleVision(read, {
    ...{ library_path, engine_threads: 1, threads: 1 },
    log: () => {},
  }))!;
  const engine = await openEngine({
    library_path,
    device: "cpu",
    weights_path: read.weights_path,
    states_max: 1,
    threads: 1,
  });
  try {
    using state = engine.open();
    const parts: (number[] | Float32Array)[] = [];
    for (const part of sequence) {
      if (typeof part === "string") parts.push(language.encode(part));
      else parts.push(await vision.encodePicture({ ...part, rgb: part.pixels }));
    }
    const said: number[] = [];
    const { width } = engine.info;
    const positions = parts.reduce((sum, part) => {
      return sum + (Array.isArray(part) ? part.length : part.length / width);
    }, 0);
    while (said.length < count) {
      state.reset();
      const missing = padding ? -(positions + said.length) % padding.multiple + padding.multiple : 0;
      if (padding) state.putTokens(Array(missing % padding.multiple).fill(padding.token));
      for (const part of parts) {
        if (Array.isArray(part)) state.putTokens(part);
        else state.putSpan(part, grid);
      }
      state.putTokens(said);
      while (state.pending > 0) await engine.run();
      const logits = state.readLogits();
      said.push(logits.indexOf(Math.max(...logits)));
    }
    const decoder = language.decoder();
    const text = (said.map((token) => decoder.push(token)).join("") + decoder.end()).trim();
    expect(text.length).toBeGreaterThan(10);
    return text;
  } finally {
    await vision.close();
    await engine.close();
  }
}

const pictures = {
  first: { pixels: rgb.first, width_px: 48, height_px: 40 },
  second: { pixels: rgb.second, width_px: 40, height_px: 64 },
};

describe("pictures", { sanitizeOps: false, sanitizeResources: false }, () => {
  beforeAll(async () => {
    folder = await Deno.makeTempDir({ prefix: "gander-pictures-" });
    bundle = `${folder}/bundle`;
    await Deno.mkdir(bundle);
    const image = {
      position: "many" as const,
      images_max: 2,
      question: "What is this?",
      official_padding: { token: 257, multiple: 16 },
    };
    await writePictureBundle(bundle, image, talkative);
    [first, second] = [`${folder}/first.png`, `${folder}/second.png`];
    await Deno.writeFile(first, makePng(48, 40, rgb.first));
    await Deno.writeFile(second, makePng(40, 64, rgb.second));
  });

  afterAll(() => Deno.remove(folder, { recursive: true }));

  describe("gander describe", () => {
    it("says what the parts compute, of one picture and in the bundle's words", async () => {
      const { code, lines, err } = await runGander(["describe", first, "--bundle", bundle]);
      expect([code, err.includes("untrained")]).toEqual([0, true]);
      const sequence = ["User: ", pictures.first, "\nWhat is this?\n\n", "Assistant:"];
      expect(lines.join("\n")).toBe(await sayByHand(sequence, 12));
    });

    it("takes several pictures and a question, and tells as JSON what was fed", async () => {
      const words = ["describe", second, first, "--prompt", " Which dog?\n", "--system", "Look."];
      const { code, lines } = await runGander([...words, "--bundle", bundle, "--json", "--tokens-max", "7"]);
      const answer = JSON.parse(lines.join("\n"));
      const text = await sayByHand([
        ...["System: Look.\n\n", "User: ", pictures.second, "\n", pictures.first, "\nWhich dog?\n\n"],
        "Assistant:",
      ], 7);
      expect([code, answer]).toEqual([0, {
        model: "gander-picture-tiny",
        text,
        ended: "length",
        positions: expect.any(Number),
        tokens: 7,
        pictures: [
          { name: second, width_px: 40, height_px: 64, vectors: 2 },
          { name: first, width_px: 48, height_px: 40, vectors: 2 },
        ],
      }]);
    });

    it("computes what the official evaluator does, padding and all", async () => {
      const words = ["describe", first, "--prompt", "A bird?", "--official-padding", "--tokens-max", "6"];
      const { code, lines } = await runGander([...words, "--bundle", bundle]);
      const sequence = ["User: ", pictures.first, "\nA bird?\n\n", "Assistant:"];
      expect([code, lines.join("\n")]).toEqual([
        0,
        await sayByHand(sequence, 6, { padding: { token: 257, multiple: 16 } }),
      ]);
    });

    it("puts a picture between the question and itself, its patches scanned both ways", async () => {
      const dir = `${folder}/sandwich`;
      await Deno.mkdir(dir);
      const scan = "bidirection" as const;
      const image = { position: "middle" as const, scan, scan_rows: 1, scan_columns: 2 };
      await writePictureBundle(dir, image, talkative);
      const { code, lines } = await runGander(["describe", first, "--prompt", "A bird?", "--bundle", dir]);
      const sequence = ["User: A bird?\n", pictures.first, "\nA bird?\n\n", "Assistant:"];
      const grid = { scan, rows: 1, columns: 2 };
      expect([code, lines.join("\n")]).toEqual([0, await sayByHand(sequence, 12, { dir, grid })]);
    });

    it("is a chat in words without a picture", async () => {
      const { code, lines } = await runGander(["describe", "--prompt", "Hello", "--bundle", bundle]);
      expect([code, lines.join("\n")]).toEqual([0, await sayByHand(["User: Hello\n\n", "Assistant:"], 12)]);
    });

    it("says in a sentence what it cannot do", async () => {
      const text_file = `${folder}/words.png`;
      await Deno.writeTextFile(text_file, "no picture");
      const cases: [string[], number, string][] = [
        [[], 2, "describe takes IMAGE"],
        [[first, "--tokens-max", "0"], 2, '--tokens-max: "0" is not a whole number from 1 to 4096'],
        [[`${folder}/none.png`], 1, 'none.png": not found'],
        [[folder], 1, "not a file"],
        [[text_file, "--bundle", bundle], 1, "it is no JPEG, PNG, WebP, GIF or BMP"],
        [[first, second, first, "--bundle", bundle], 1, "3 pictures came, the model takes 2"],
        [[first], 1, 'Cannot ask "gander-pond" about a picture: it was not trained on any'],
        [["--prompt", " "], 1, "the question is empty"],
      ];
      for (const [words, status, sentence] of cases) {
        const { code, lines, err } = await runGander(["describe", ...words]);
        expect([words, code, lines, err.includes(sentence)]).toEqual([words, status, [], true]);
        expect(err.trim().split("\n").at(-1)).toMatch(/^gander: /);
      }
    });

    it("ends at the first interrupt and keeps what was said", async () => {
      const words = ["describe", first, "--official-padding", "--tokens-max", "4096", "--bundle", bundle];
      const gander = startGander(words);
      await gander.said(/untrained/);
      await new Promise((resolve) => setTimeout(resolve, 300));
      gander.kill("SIGINT");
      expect((await gander.ended).code).toBe(130);
    });
  });

  describe("the service, through the OpenAI client", () => {
    const part = (pixels: Uint8Array, width_px: number, height_px: number) => ({
      type: "image_url" as const,
      image_url: {
        url: `data:image/png;base64,${Buffer.from(makePng(width_px, height_px, pixels)).toString("base64")}`,
        detail: "low" as const,
      },
    });
    const first_part = () => part(rgb.first, 48, 40);

    async function withClient(
      flags: Record<string, unknown>,
      body: (client: OpenAI) => Promise<void>,
    ): Promise<void> {
      await using opened = await openWhole(flags);
      const served = await opened.gander.serve();
      try {
        await body(new OpenAI({ baseURL: `${served.url}/v1`, apiKey: "none", maxRetries: 0 }));
      } finally {
        await served.close("test over");
      }
    }

    it("answers about a picture, in several turns, streamed or not", () =>
      withClient({ bundle }, async (client) => {
        const model = (await client.models.list()).data[0]!.id;
        expect(model).toBe("gander-picture-tiny");
        const question = {
          role: "user" as const,
          content: [first_part(), { type: "text" as const, text: "A bird?" }],
        };
        const whole = await client.chat.completions.create({ model, messages: [question], max_tokens: 5 });
        const answer = whole.choices[0]!.message.content!;
        const opening = ["User: ", pictures.first, "\nA bird?\n\n"];
        expect(answer).toBe(await sayByHand([...opening, "Assistant:"], 5));
        expect(whole.choices[0]!.finish_reason).toBe("length");
        expect(whole.usage!.completion_tokens).toBe(5);

        const stream = await client.chat.completions.create({
          model,
          messages: [
            question,
            { role: "assistant", content: answer },
            { role: "user", content: [part(rgb.second, 40, 64)] },
          ],
          max_completion_tokens: 6,
          stream: true,
          stream_options: { include_usage: true },
        });
        let text = "", usage = 0, chunk_count = 0;
        for await (const chunk of stream) {
          chunk_count++;
          text += chunk.choices[0]?.delta.content ?? "";
          usage = chunk.usage?.completion_tokens ?? usage;
        }
        expect(text).toBe(
          await sayByHand([
            ...opening,
            `Assistant: ${answer}\n\n`,
            ...["User: ", pictures.second, "\nWhat is this?\n\n", "Assistant:"],
          ], 6),
        );
        expect([usage, chunk_count > 2]).toEqual([6, true]);
      }));

    it("refuses in that client's words", () =>
      withClient({ bundle }, async (client) => {
        const model = "gander-picture-tiny";
        const refusals: [OpenAI.ChatCompletionContentPartImage[], number, string][] = [
          [[{ type: "image_url", image_url: { url: "https://example.com/a.png" } }], 400, "bad_request"],
          [[{ type: "image_url", image_url: { url: "data:;base64,AAAA" } }], 422, "format"],
          [[first_part(), first_part(), first_part()], 400, "request_invalid"],
        ];
        for (const [content, status, code] of refusals) {
          const error = await client.chat.completions.create({ model, messages: [{ role: "user", content }] })
            .then(() => undefined, (error: APIError) => error);
          expect(error instanceof APIError && [error.status, error.code]).toEqual([status, code]);
        }
      }));

    it("says that a model was not trained on pictures, and chats with it in words", () =>
      withClient({ bundle: "builtin-tiny" }, async (client) => {
        const model = "gander-seed-tiny";
        const asking = client.chat.completions.create({
          model,
          messages: [{ role: "user", content: [first_part()] }],
        });
        await expect(asking).rejects.toMatchObject({ status: 400, code: "model_no_images" });
        const { choices } = await client.chat.completions.create({
          model,
          messages: [{ role: "user", content: "Hello" }],
        });
        expect(choices[0]!.message.content).not.toBe(null);
      }));
  });
});
