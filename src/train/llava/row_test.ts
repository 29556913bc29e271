import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { readRow } from "./row.ts";

const options = { max_rounds: 20, images_min: 0, images_max: 4 } as const;
const talk = (...texts: string[]) =>
  texts.map((value, index) => ({ from: index % 2 === 0 ? "human" : "gpt", value }));

describe("readRow()", () => {
  it("reads a row as LLaVA's", () => {
    const row = {
      id: 7,
      image: "a/b.jpg",
      conversations: talk("<image>\nWhat?", "A <image>cat.", "Why?", "So."),
    };
    expect(readRow(row, options)).toEqual({
      samples: [{
        id: "7",
        images: ["a/b.jpg"],
        rounds: [{ human: "<image>\nWhat?", gpt: "A cat." }, { human: "Why?", gpt: "So." }],
      }],
      dropped_rounds: 0,
    });
    const other = readRow({
      sample_id: "x",
      image: ["a", "b"],
      conversations: talk("<image><image>", "Two."),
    }, options);
    expect(other).toMatchObject({ samples: [{ id: "x", images: ["a", "b"] }] });
  });

  it("drops rounds without an answer, and keeps their picture", () => {
    const conversations = talk("<image>\nOne?", " \n", "Two?", "Yes.", "Three?", "", "Four?");
    expect(readRow({ id: "a", image: "p", conversations }, options)).toEqual({
      samples: [{ id: "a", images: ["p"], rounds: [{ human: "<image>\nTwo?", gpt: "Yes." }] }],
      dropped_rounds: 3,
    });
    const last = readRow(
      { id: "a", image: "p", conversations: talk("One?", "Yes.", "<image>", "") },
      options,
    );
    expect(last).toMatchObject({ samples: [{ rounds: [{ human: "One?\n<image>", gpt: "Yes." }] }] });
  });

  it("splits a long conversation, every piece with the pictures shown before it", () => {
    const conversations = talk("<image>\n1", "a", "2", "b", "<image> 3", "c", "4", "d", "5", "e");
    const row = readRow({ id: "a", image: ["p", "q"], conversations }, { ...options, max_rounds: 2 });
    expect(row).toMatchObject({
      samples: [
        { images: ["p"], rounds: [{ human: "<image>\n1" }, { human: "2" }] },
        { images: ["p", "q"], rounds: [{ human: "<image>\n<image> 3" }, { human: "4" }] },
        { images: ["p", "q"], rounds: [{ human: "<image>\n<image>\n5" }] },
      ],
    });
  });

  const bad: [string, unknown, string, 1?][] = [
    ["no object", [1], "no object"],
    ["no id", { conversations: talk("a", "b") }, '"id"'],
    ["no conversation", { id: "a" }, '"conversations"'],
    ["the wrong order", { id: "a", conversations: talk("a", "b").reverse() }, 'from "gpt", not from "human"'],
    ["a turn without text", { id: "a", conversations: [{ from: "human" }] }, "turn 1"],
    ["no answer", { id: "a", conversations: talk("a", "  ") }, "no answer"],
    ["an empty question", { id: "a", conversations: talk(" ", "b") }, "question 1 is empty"],
    [
      "a picture without a marker",
      { id: "a", image: "p", conversations: talk("a", "b") },
      "0 <image> markers and 1",
    ],
    [
      "a marker without a picture",
      { id: "a", conversations: talk("<image>", "b") },
      "1 <image> markers and 0",
    ],
    [
      "a marker only in an answer",
      { id: "a", image: "p", conversations: talk("a", "<image>b") },
      "0 <image> markers",
    ],
    ["an odd picture", { id: "a", image: [3], conversations: talk("a", "b") }, '"image"'],
    ["too many pictures", {
      id: "a",
      image: "abcde".split(""),
      conversations: talk("<image>".repeat(5), "b"),
    }, "5 pictures"],
    ["words where pictures are needed", { id: "a", conversations: talk("a", "b") }, "no picture", 1],
    ["a video", { id: "a", video: "v.tar", conversations: talk("a", "b") }, "video"],
  ];
  for (const [what, value, reason, images_min = 0] of bad) {
    it(`tells what is wrong with ${what}`, () =>
      expect(readRow(value, { ...options, images_min })).toContain(reason));
  }
});
