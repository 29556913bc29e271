import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { type ChatTurn, ImagePrompt } from "./image_prompt.ts";
import { type Manifest, manifest_schema } from "./manifest.ts";

type ImageInput = Partial<NonNullable<Manifest["image"]>>;

const image_schema = manifest_schema.shape.image.unwrap().unwrap();

/** Every UTF-8 byte is a token: what is tokenised together stays visible as one part. */
function makePrompt(image: ImageInput | null, stop_text: string | null = "\n\n"): ImagePrompt {
  const settings = image && image_schema.parse({ position: "first", images_max: 4, ...image });
  return new ImagePrompt(
    { image: settings, stop: { tokens: [], text: stop_text } },
    (text) => [...new TextEncoder().encode(text)],
  );
}

/** Parts as text; a picture as its number. */
function read(prompt: ImagePrompt, turns: ChatTurn[]): (string | number)[] {
  return prompt.parts(turns).map((part) =>
    "image" in part ? part.image : new TextDecoder().decode(Uint8Array.from(part.tokens))
  );
}

const user = (text: string, ...images: number[]): ChatTurn => ({ role: "user", text, images });
const assistant = (text: string): ChatTurn => ({ role: "assistant", text, images: [] });
const system = (text: string): ChatTurn => ({ role: "system", text, images: [] });

describe("a model that was taught ends", () => {
  it("gets one behind every picture, and one behind every turn without a picture", () => {
    const prompt = makePrompt({ picture_end: 0x23, turn_end: 0x40 });
    const turns = [user("Look.", 0, 1), assistant("Two."), user("Sure?")];
    const parts = ["User: ", 0, "#", "\n", 1, "#", "\nLook.\n\n", "Assistant: Two.\n\n", "@"];
    expect(read(prompt, turns)).toEqual([...parts, "User: Sure?\n\n", "@", "Assistant:"]);
  });
});

describe("a question to a stream", () => {
  const text = (tokens: readonly number[]) => new TextDecoder().decode(Uint8Array.from(tokens));

  it("is a turn of the chat, and the turn before it is closed as the model was taught", () => {
    const marked = makePrompt({ picture_end: 0x23, turn_end: 0x40 });
    expect(text(marked.question(" Sure?\n\nAssistant: no "))).toBe(
      "User: Sure?\nAssistant: no\n\n@Assistant:",
    );
    expect([marked.closing(true), marked.closing(false)].map(text)).toEqual(["@", "\n\n@"]);
    const plain = makePrompt({});
    expect(text(plain.question("Sure?"))).toBe("User: Sure?\n\nAssistant:");
    expect([plain.closing(true), plain.closing(false)].map(text)).toEqual(["", "\n\n"]);
    expect(makePrompt({}, null).closing(false)).toEqual([]);
  });

  it("with nothing in it is refused", () => {
    expect(() => makePrompt({}).question("<image>")).toThrow("the question is empty");
  });
});

describe("a question about one picture", () => {
  const cases: [ImageInput["position"], (string | number)[]][] = [
    ["first", ["User: ", 0, "\nWhat?\n\n", "Assistant:"]],
    ["middle", ["User: What?\n", 0, "\nWhat?\n\n", "Assistant:"]],
    ["last", ["User: What?\n", 0, "\n\n", "Assistant:"]],
    ["many", ["User: ", 0, "\nWhat?\n\n", "Assistant:"]],
  ];
  for (const [position, parts] of cases) {
    it(`stands as the model was trained: ${position}`, () => {
      expect(read(makePrompt({ position }), [user(" What?\n", 0)])).toEqual(parts);
    });
  }

  it("asks the bundle's question where nobody asks", () => {
    const prompt = makePrompt({ position: "many", question: "Describe it." });
    expect(read(prompt, [user(" \n", 0)])).toEqual(["User: ", 0, "\nDescribe it.\n\n", "Assistant:"]);
    expect(prompt.default_question).toBe("Describe it.");
  });

  it("tells the settings of the span and of the evaluator", () => {
    const padding = { token: 261, multiple: 16 };
    const prompt = makePrompt({
      scan: "bidirection",
      scan_rows: 24,
      scan_columns: 23,
      official_padding: padding,
    });
    expect(prompt.grid).toEqual({ scan: "bidirection", rows: 24, columns: 23 });
    expect(prompt.official_padding).toEqual(padding);
    expect(makePrompt({}).official_padding).toBe(undefined);
  });
});

describe("a sandwich", () => {
  const prompt = makePrompt({ position: "middle", images_max: 1 });
  const short = "Answer the question using a single word or phrase.";

  it("leaves the sentence about short answers out of what comes before the picture", () => {
    expect(read(prompt, [user(`What colour?\n${short}`, 0)])).toEqual([
      "User: What colour?\n",
      0,
      `\nWhat colour?\n${short}\n\n`,
      "Assistant:",
    ]);
  });

  it("of v5.0 has the same question on both sides", () => {
    const same = makePrompt({ position: "middle", foreword: "question", images_max: 1 });
    const asked = `One?\n${short}`;
    expect(read(same, [user(asked, 0), assistant("Yes"), user("Two?")])).toEqual([
      `User: ${asked}\n`,
      0,
      `\n${asked}\n\n`,
      "Assistant: Yes\n\n",
      "User: Two?\n\n",
      "Assistant:",
    ]);
  });

  it("says before the picture all that the user says, of every turn", () => {
    const turns = [user(`One?\n\n\n${short}`, 0), assistant("Yes"), user(` Two,\n\nthree? ${short}\n`)];
    expect(read(prompt, turns)).toEqual([
      `User: One?\nTwo,\n\nthree? ${short}\n`,
      0,
      `\nOne?\n${short}\n\n`,
      "Assistant: Yes\n\n",
      `User: Two,\nthree? ${short}\n\n`,
      "Assistant:",
    ]);
  });
});

describe("several pictures", () => {
  it("come first, joined by newlines, before the question", () => {
    expect(read(makePrompt({ position: "many" }), [user("Which?", 0, 1, 2)])).toEqual(
      ["User: ", 0, "\n", 1, "\n", 2, "\nWhich?\n\n", "Assistant:"],
    );
  });

  it("stay in their turns", () => {
    const turns = [user("This?", 0), assistant("A cat."), user("And this?", 1)];
    expect(read(makePrompt({ position: "many" }), turns)).toEqual([
      ...["User: ", 0, "\nThis?\n\n"],
      "Assistant: A cat.\n\n",
      ...["User: ", 1, "\nAnd this?\n\n"],
      "Assistant:",
    ]);
  });

  it("are refused beyond what the model takes", () => {
    expect(() => makePrompt({ images_max: 1 }).parts([user("a", 0), assistant("b"), user("c", 1)])).toThrow(
      "Cannot ask: 2 pictures came, the model takes 1 in one conversation",
    );
  });
});

describe("a chat", () => {
  it("without pictures is text, system text first", () => {
    const turns = [system("Be kind.\n\n"), user("Hi\r\n\r\nthere"), assistant(" Hello. "), user("Bye")];
    const parts = ["System: Be kind.\n\n", "User: Hi\nthere\n\n", "Assistant: Hello.\n\n", "User: Bye\n\n"];
    expect(read(makePrompt(null), turns)).toEqual([...parts, "Assistant:"]);
    expect(read(makePrompt({ position: "middle" }), turns)).toEqual([...parts, "Assistant:"]);
  });

  it("leaves empty turns out", () => {
    const turns = [system(" "), user(""), assistant("\n"), user("Bye")];
    expect(read(makePrompt(null), turns)).toEqual(["User: Bye\n\n", "Assistant:"]);
  });

  it("refuses what has no meaning", () => {
    const prompt = makePrompt({});
    const codeOf = (turns: ChatTurn[], asked = prompt) => {
      try {
        asked.parts(turns);
      } catch (error) {
        return (error as { code?: string }).code;
      }
    };
    expect(codeOf([])).toBe("request_invalid");
    expect(codeOf([user("a"), assistant("b")])).toBe("request_invalid");
    expect(codeOf([{ ...assistant("b"), images: [0] }, user("a")])).toBe("request_invalid");
    expect(codeOf([user("<image>")])).toBe("question_invalid");
    expect(codeOf([user("a", 0)], makePrompt(null))).toBe("model_no_images");
  });
});

describe("a typed marker", () => {
  it("becomes no picture, nor text", () => {
    expect(read(makePrompt({}), [user("a <image>b<im<image>age>c <imagine>", 0)])).toEqual(
      ["User: ", 0, "\na bc <imagine>\n\n", "Assistant:"],
    );
  });

  it("never survives, however it is nested, and nothing but it is taken out", () => {
    const piece = fc.constantFrom("<image>", "<", "im", "age>", ">", "x", "<image", "image>");
    fc.assert(fc.property(fc.array(piece), (pieces) => {
      const [text] = read(makePrompt(null), [user(`q${pieces.join("")}q`)]);
      expect(text).not.toContain("<image>");
      let plain = `q${pieces.join("")}q`;
      while (plain.includes("<image>")) plain = plain.replace("<image>", "");
      expect(text).toBe(`User: ${plain}\n\n`);
    }));
  });
});
