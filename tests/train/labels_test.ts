// What is learned of a sample, worked out by hand: the template, the ids, the labels, the targets (spec 2.2, 2.8, 6.6).
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ImagePrompt } from "../../src/model/image_prompt.ts";
import { Tokenizer } from "../../src/model/tokenizer.ts";
import { packBatch } from "../../src/train/llava/batch.ts";
import type { Sample } from "../../src/train/llava/row.ts";
import { cutSequence, toTargets, writeSequence } from "../../src/train/llava/sequence.ts";
import { type ImagePosition, writeTurns } from "../../src/train/llava/turn_texts.ts";
import { byteVocabulary } from "../model/byte_vocabulary.ts";

const path = fileURLToPath(new URL("../../../shared/data/rwkv_vocab_v20230424.txt", import.meta.url));
const missing = existsSync(path) ? undefined : "the World vocabulary file is not on this machine";
let loaded: Tokenizer | undefined;
const world = (text: string) => (loaded ??= Tokenizer.parse(Deno.readFileSync(path), path)).encode(text);

/** Words of several bytes, and ": " as one piece: it reaches from the opening of an answer into the answer. */
const words = ["User", "Assistant", ":", " yes", " no", "\n\n", ": "];
const vocabulary = byteVocabulary() +
  words.map((word, index) => `${257 + index} ${JSON.stringify(word).replaceAll('"', "'")} ${word.length}\n`)
    .join("");
const small = Tokenizer.parse(
  new TextEncoder().encode(
    vocabulary.split("\n").filter((line) => !/^259 /.test(line)).join("\n"), // a byte already
  ),
  "small",
);

const sample = (...rounds: [string, string][]): Sample => ({
  id: "a",
  images: [],
  rounds: rounds.map(([human, gpt]) => ({ human, gpt })),
});
const sequence = (
  of: Sample,
  encode: (text: string) => number[],
  position: ImagePosition = "many",
  vectors = 3,
) => {
  const { tokens, labels } = writeSequence(writeTurns(of, position), encode, () => vectors);
  return { tokens: [...tokens], labels: [...labels] };
};
const x = -100;

describe("labels of the World vocabulary", () => {
  it.unless(missing, "mask questions, pictures and three tokens of every answer, and learn its end", () => {
    const talk = sample(["<image>\nDescribe the image.", " Yes\n"], ["hello", "Yes"]);
    expect(sequence(talk, world)).toEqual({
      tokens: [
        ...[24281, 59, 33, -1, -1, -1, 11, 23563, 8605, 102, 22590, 38744, 47, 261],
        ...[5585, 41693, 59, 21186, 261],
        ...[24281, 59, 38685, 261],
        ...[5585, 41693, 59, 21186, 261],
      ],
      labels: [
        ...[x, x, x, x, x, x, x, x, x, x, x, x, x, x],
        ...[x, x, x, 21186, 261],
        ...[x, x, x, x],
        ...[x, x, x, 21186, 261],
      ],
    });
  });

  it.unless(missing, "learn an end that is not one token", () => {
    expect(sequence(sample(["hello", "今天天气很好。"]), world)).toEqual({
      tokens: [
        ...[24281, 59, 38685, 261, 5585, 41693, 59, 33],
        ...[10381, 11639, 11639, 13655, 12337, 11685, 28329, 11],
      ],
      labels: [x, x, x, x, x, x, x, 33, 10381, 11639, 11639, 13655, 12337, 11685, 28329, 11],
    });
  });

  it.unless(missing, "have no token that reaches from the opening into an answer", () => {
    for (let id = 1; id <= loaded!.id_max; id++) {
      const text = new TextDecoder().decode(loaded!.tokenBytes(id));
      expect(/^:\s|t:[^]|^Assistant/.test(text) && text !== "Assistant").toBe(false);
    }
  });

  it.unless(missing, "put the tokens where the model is asked at inference", () => {
    const question = "What is\n\n  this?";
    for (const position of ["first", "middle", "last", "many"] as const) {
      const prompt = new ImagePrompt({
        image: {
          position,
          foreword: "conversation",
          images_max: 4,
          scan: "row_major",
          scan_rows: 0,
          scan_columns: 0,
          question: "?",
          picture_end: null,
          turn_end: null,
          official_padding: null,
        },
        stop: { tokens: [], text: "\n\n" },
      }, world);
      const asked = prompt.parts([{ role: "user", text: question, images: [0] }])
        .flatMap((part) => "tokens" in part ? part.tokens : [-1, -1]);
      const { tokens } = sequence(sample([`${question}<image>`, "Yes"]), world, position, 2);
      expect(tokens).toEqual([...asked, 21186, 261]);
    }
  });
});

describe("labels of a small vocabulary", () => {
  const encode = (text: string) => small.encode(text);
  it("learn the token that reaches into the answer", () => {
    expect(sequence(sample(["no", "yes"]), encode)).toEqual({
      tokens: [257, 263, 111, 112, 262, 258, 263, 122, 102, 116, 262],
      labels: [x, x, x, x, x, x, 263, 122, 102, 116, 262],
    });
  });

  it("mask nothing but pictures and questions where many pictures stand in several turns", () => {
    const talk = sample(["a <image>b<image>", "no"], ["<image>", "no"]);
    const answer = [258, 263, 111, 112, 262];
    expect(sequence(talk, encode, "many", 1).tokens).toEqual([
      ...[257, 263, -1, 11, -1, 11, 98, 33, 99, 262, ...answer],
      ...[257, 263, -1, 262, ...answer],
    ]);
  });

  it("put v6.0's picture before, between and behind the words", () => {
    const talk = sample(["q <image>\nAnswer the question using a single word or phrase.", "a"], [
      " r\n\nr ",
      "b",
    ]);
    const texts = (position: ImagePosition) =>
      writeTurns(talk, position).map(({ chunks }) =>
        chunks.map((chunk) => typeof chunk === "string" ? chunk : `<${chunk.image}>`).join("")
      );
    const short = "q \nAnswer the question using a single word or phrase.";
    const rest = ["Assistant: a\n\n", "User: r\nr\n\n", "Assistant: b\n\n"];
    expect(texts("first")).toEqual([`User: <0>\n${short}\n\n`, ...rest]);
    expect(texts("last")).toEqual([`User: ${short}\n<0>\n\n`, ...rest]);
    expect(texts("middle")).toEqual([`User: q\nr\n\nr\n<0>\n${short}\n\n`, ...rest]);
  });
});

describe("cutSequence()", () => {
  const of = (tokens: number[], labels: number[]) => ({
    tokens: Int32Array.from(tokens),
    labels: Int32Array.from(labels),
  });
  const long = of([5, -1, -1, 6, 7, 8], [x, x, x, x, 7, 8]);

  it("keeps the first positions", () => {
    expect(cutSequence(long, 5, "many")).toEqual({
      ...of([5, -1, -1, 6, 7], [x, x, x, x, 7]),
      ...{ vectors_before: 0, vectors: 2 },
    });
    expect(cutSequence(long, 2, "many")).toMatchObject({ vectors_before: 0, vectors: 1 });
    expect(cutSequence(long, 9, "first").tokens.length).toBe(6);
  });

  it("keeps the last ones with v6.0's pictures when the first teach nothing", () => {
    expect(cutSequence(long, 4, "first")).toEqual({
      ...of([-1, 6, 7, 8], [x, x, 7, 8]),
      ...{ vectors_before: 1, vectors: 1 },
    });
    expect(cutSequence(long, 5, "first")).toMatchObject({ vectors_before: 0 });
  });

  it("has the target at the position whose logits predict it", () => {
    expect([...toTargets(long.labels)]).toEqual([x, x, x, 7, 8, x]);
  });
});

describe("packBatch()", () => {
  const whole = { tokens: Int32Array.of(-1, -1, 4, -1), labels: Int32Array.of(x, x, 4, x) };
  const features = [Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6)];

  it("fills rows up and gives every row its own vectors", () => {
    const cut = cutSequence(whole, 3, "many");
    const batch = packBatch(
      [
        { cut, features },
        { cut: cutSequence({ tokens: Int32Array.of(9), labels: Int32Array.of(x) }, 3, "many"), features: [] },
        { cut: cutSequence(whole, 4, "many"), features },
      ],
      2,
      5,
    );
    expect(batch).toEqual({
      tokens: { dims: [3, 5], data: Int32Array.of(-1, -1, 4, -2, -2, 9, -2, -2, -2, -2, -1, -1, 4, -1, -2) },
      targets: { dims: [3, 5], data: Int32Array.of(x, 4, x, x, x, x, x, x, x, x, x, 4, x, x, x) },
      vectors: { dims: [5, 2], data: Float32Array.of(1, 2, 3, 4, 1, 2, 3, 4, 5, 6) },
    });
  });

  it("leaves out what was cut off in front, and knows text alone", () => {
    const late = { tokens: Int32Array.of(4, -1), labels: Int32Array.of(4, x), vectors_before: 2, vectors: 1 };
    expect(packBatch([{ cut: late, features }], 2, 2).vectors).toEqual({
      dims: [1, 2],
      data: Float32Array.of(5, 6),
    });
    const text = cutSequence({ tokens: Int32Array.of(9), labels: Int32Array.of(x) }, 3, "many");
    expect(packBatch([{ cut: text, features: [] }], 2, 1).vectors).toBeUndefined();
    expect(() => packBatch([{ cut: late, features: [features[1]!] }], 2, 2)).toThrow("1 more vectors");
  });
});
