// Chats with pictures in tokens of the World vocabulary: the numbers of the specification, section 2.2 and appendix A.1.
// The file is not ours to ship; without it these are skipped. The built-in vocabulary is held to the same law.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type ChatTurn, ImagePrompt } from "../../src/model/image_prompt.ts";
import { type Manifest, manifest_schema } from "../../src/model/manifest.ts";
import { Tokenizer } from "../../src/model/tokenizer.ts";
import { seed_tokens, writeSeedVocabulary } from "../../src/seed/seed_vocabulary.ts";

const path = fileURLToPath(new URL("../../../shared/data/rwkv_vocab_v20230424.txt", import.meta.url));
const missing = existsSync(path) ? undefined : "the World vocabulary file is not on this machine";

let world: Tokenizer | undefined;
const load = () => world ??= Tokenizer.parse(Deno.readFileSync(path), path);

type Position = NonNullable<Manifest["image"]>["position"];

/** The whole sequence; picture n as -1 - n. */
function sequence(
  tokenizer: Tokenizer,
  position: Position | undefined,
  turns: ChatTurn[],
): number[] {
  const image = position && manifest_schema.shape.image.unwrap().unwrap().parse({ position, images_max: 8 });
  const prompt = new ImagePrompt(
    { image: image ?? null, stop: { tokens: [261], text: "\n\n" } },
    (text) => tokenizer.encode(text),
  );
  return prompt.parts(turns).flatMap((part) => "image" in part ? [-1 - part.image] : part.tokens);
}

const user = (text: string, ...images: number[]): ChatTurn => ({ role: "user", text, images });
const assistant = (text: string): ChatTurn => ({ role: "assistant", text, images: [] });

const user_blank = [24281, 59, 33], assistant_colon = [5585, 41693, 59];
/** "\nDescribe the image.\n\n", as one chunk behind a picture. */
const describe_image = [11, 23563, 8605, 102, 22590, 38744, 47, 261];
const short_answer = [40301, 22590, 57009, 40085, 332, 47289, 32497, 4715, 46808, 47];

const world_cases: [string, Position | undefined, ChatTurn[], number[]][] = [
  ["text alone", undefined, [user("hello")], [24281, 59, 38685, 261, ...assistant_colon]],
  [
    "text alone, to a model of pictures",
    "middle",
    [user(" Describe the scene.\n\n\n")],
    [24281, 59, 28759, 8605, 102, 22590, 39597, 47, 261, ...assistant_colon],
  ],
  ["a picture first", "first", [user("Describe the image.", 0)], [
    ...user_blank,
    -1,
    ...describe_image,
    ...assistant_colon,
  ]],
  ["a picture in the bundle's words", "many", [user("", 0)], [
    ...user_blank,
    -1,
    ...describe_image,
    ...assistant_colon,
  ]],
  ["three pictures", "many", [user("Describe the image.", 0, 1, 2)], [
    ...[...user_blank, -1, 11, -2, 11, -3],
    ...describe_image,
    ...assistant_colon,
  ]],
  ["a picture last", "last", [user("hello", 0)], [24281, 59, 38685, 11, -1, 261, ...assistant_colon]],
  ["an answer before", "first", [user("Describe the image.", 0), assistant("Yes"), user("hello")], [
    ...[...user_blank, -1, ...describe_image],
    ...[5585, 41693, 59, 21186, 261],
    ...[24281, 59, 38685, 261, ...assistant_colon],
  ]],
];

describe("chats in tokens of the World vocabulary", () => {
  for (const [name, position, turns, tokens] of world_cases) {
    it.unless(missing, name, () => expect(sequence(load(), position, turns)).toEqual(tokens));
  }

  it.unless(missing, "a sandwich: the sentence about short answers only behind the picture", () => {
    const text = "hello\nAnswer the question using a single word or phrase.";
    const behind = load().encode("\nhello\n");
    expect(sequence(load(), "middle", [user(text, 0)])).toEqual(
      [24281, 59, 38685, 11, -1, ...behind, ...short_answer, 261, ...assistant_colon],
    );
  });

  it.unless(missing, "never tokenises across a picture, as one string would", () => {
    expect(load().encode("User: <image>\nDescribe").slice(0, 5)).toEqual([24281, 59, 295, 34733, 63]);
    expect(sequence(load(), "first", [user("Describe", 0)]).slice(0, 5)).toEqual([...user_blank, -1, 11]);
  });

  it.unless(missing, "joins turns to the tokens that the whole text has", () => {
    for (const text of ["hello", "今天天气很好。", "a\tb", "What is 3 + 4?\n5", "…", "x "]) {
      const joined = load().encode(
        `User: ${text.trim()}\n\nAssistant: Yes\n\nUser: ${text.trim()}\n\nAssistant:`,
      );
      expect(sequence(load(), undefined, [user(text), assistant("Yes"), user(text)])).toEqual(joined);
    }
  });
});

describe("chats in tokens of the built-in vocabulary", () => {
  const tokenizer = Tokenizer.parse(new TextEncoder().encode(writeSeedVocabulary()), "seed");
  const bytes = (text: string) => [...new TextEncoder().encode(text)].map((byte) => byte + 1);
  const word = (text: string) => {
    const [token, ...rest] = tokenizer.encode(` ${text}`);
    expect([rest, token! >= seed_tokens.word_first]).toEqual([[], true]);
    return token!;
  };

  it("keep the blank before a picture, and end turns with the turn end", () => {
    expect(sequence(tokenizer, "many", [user("a dog", 0, 1)])).toEqual([
      ...bytes("User: "),
      ...[-1, ...bytes("\n"), -2],
      ...[...bytes("\na"), word("dog"), seed_tokens.turn_end],
      ...bytes("Assistant:"),
    ]);
    expect(sequence(tokenizer, undefined, [user("dog")])).toEqual(
      [...bytes("User:"), word("dog"), seed_tokens.turn_end, ...bytes("Assistant:")],
    );
  });
});
