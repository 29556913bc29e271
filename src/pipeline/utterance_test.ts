import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import fc from "fast-check";
import { hold } from "../../tests/flow/pipeline_law.ts";
import { FakeEngine } from "./fake_engine.ts";
import { makeFakeLanguage } from "./fake_model.ts";
import type { ChosenToken, Language } from "./ports.ts";
import { Utterance } from "./utterance.ts";

const stop_token = 256;

/** Tokens are bytes of UTF-8, so that code points and stop texts lie across them. */
function byteLanguage(stop_text?: string): Language {
  return makeFakeLanguage({
    stop_tokens: [stop_token],
    stop_text,
    decoder: () => {
      const utf8 = new TextDecoder();
      return {
        push: (token) => utf8.decode(new Uint8Array([token]), { stream: true }),
        end: () => utf8.decode(),
      };
    },
  });
}

function say(text: string): ChosenToken[] {
  return [...new TextEncoder().encode(text)].map((id) => ({ id, probability: 1 }));
}

function begin(stop_text?: string, stop_texts?: string[]) {
  const state = new FakeEngine().open();
  let stops = 0;
  state.stop = () => void stops++;
  return { utterance: new Utterance(byteLanguage(stop_text), state, stop_texts), stops: () => stops };
}

const stop = { id: stop_token, probability: 1 };

describe("Utterance with stop texts of its own", () => {
  it("ends at the first of them all, and at the language's", () => {
    for (const [text, cut] of [["one END two", "one"], ["one. END", "one"], ["one\n\n. END", "one"]]) {
      const { utterance, stops } = begin("\n\n", ["END", "."]);
      utterance.push(say(text!));
      expect([utterance.finish(), stops()]).toEqual([cut, 1]);
    }
  });

  it("shows nothing that may have to be taken back, and all of it in the end", async () => {
    const piece = fc.constantFrom("a", " ", "#", "##", "E", "EN", "END", "\n");
    await hold(300, fc.array(piece), (pieces) => {
      const { utterance } = begin("###", ["END"]);
      const shown: string[] = [];
      for (const token of say(pieces.join(""))) {
        utterance.push([token]);
        shown.push(utterance.text);
      }
      const whole = utterance.finish();
      for (const text of shown) expect(whole.startsWith(text)).toBe(true);
      expect(whole).toBe(pieces.join("").split(/###|END/)[0]!.trim());
    });
  });
});

describe("Utterance", () => {
  it("ends at a stop token, keeps it among the tokens and not in the text", () => {
    const { utterance, stops } = begin();
    utterance.push([...say("a dog"), stop]);
    expect([utterance.finish(), stops()]).toEqual(["a dog", 1]);
    expect(utterance.tokens.at(-1)).toBe(stop_token);
  });

  it("drops text after the end, never tokens: all of them were fed", () => {
    const { utterance } = begin();
    utterance.push([...say("dog"), stop, ...say(" and more")]);
    utterance.push(say("!"));
    expect(utterance.finish()).toBe("dog");
    expect(utterance.tokens.length).toBe("dog".length + 1 + " and more!".length);
  });

  it("cuts at the stop text, wherever tokens break it", async () => {
    const cuts = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 6 });
    await hold(100, cuts, (at) => {
      const { utterance, stops } = begin("\n\n");
      const tokens = say("a dog\nruns\n\nUser: hi");
      const edges = [...new Set([0, ...at, tokens.length])].sort((a, b) => a - b);
      edges.forEach((edge, index) => utterance.push(tokens.slice(edge, edges[index + 1])));
      expect(utterance.finish()).toBe("a dog\nruns");
      expect(utterance.tokens.length).toBe(tokens.length);
      expect(stops()).toBe(1);
    });
  });

  it("shows whole characters only while it grows, and marks one that was cut off", () => {
    const { utterance } = begin();
    const seen: string[] = [];
    for (const token of say("犬🪿").slice(0, -1)) {
      utterance.push([token]);
      seen.push(utterance.text);
    }
    expect([...new Set(seen)]).toEqual(["", "犬"]);
    expect(utterance.finish()).toBe("犬\uFFFD");
    expect(utterance.finish()).toBe("犬\uFFFD");
  });

  it("trims what a model leaves around its words", () => {
    const { utterance } = begin();
    utterance.push(say("  a dog \n"));
    expect([utterance.text, utterance.finish()]).toEqual(["a dog", "a dog"]);
  });

  it("is empty when nothing was said", () => {
    const { utterance } = begin("\n\n");
    expect([utterance.finish(), utterance.tokens]).toEqual(["", []]);
  });
});
