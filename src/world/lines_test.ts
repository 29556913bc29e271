import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { inventScene } from "./author.ts";
import { Dice } from "./dice.ts";
import { eventsOf, type WorldEvent } from "./events.ts";
import { phrasings, tell } from "./lines.ts";
import { namesIn, readLine } from "./reading.ts";
import { things } from "./vocabulary.ts";

/** What a line can say of an event: not when, and not which of two dogs. */
function sayable({ kind, object, side, direction, other, count }: WorldEvent) {
  return JSON.parse(JSON.stringify({ kind, object, side, direction, other, count }));
}

describe("lines", () => {
  it("are understood again, in every phrasing, for every thing", () => {
    const dice = new Dice(1, "lines");
    const said = new Set<string>();
    let count = 0;
    for (const level of ["L2", "L3"] as const) {
      for (let seed = 0; seed < 60; seed++) {
        const request = { seed, level, duration_s: 90, styles: ["noto"], grammar: "train" as const };
        for (const event of eventsOf(inventScene(request))) {
          const line = tell({ event }, dice);
          expect([line, readLine(line)]).toEqual([line, [sayable(event)]]);
          said.add(`${event.kind} ${line.replaceAll(new RegExp(event.object ?? "-", "g"), "*")}`);
          count++;
        }
      }
    }
    expect(count).toBeGreaterThan(1_500);
    // Every kind, in several ways.
    for (const kind of Object.keys(phrasings)) {
      expect([...said].filter((one) => one.startsWith(kind)).length).toBeGreaterThan(1);
    }
  });

  it("tell a count beside what changed it", () => {
    const event: WorldEvent = { kind: "enter", t_s: 1, object: "dog", side: "left" };
    const count: WorldEvent = { kind: "count", t_s: 1, object: "dog", count: 2 };
    for (let seed = 0; seed < 20; seed++) {
      const line = tell({ event, count }, new Dice(seed, "counts"));
      expect(line).toContain("another dog");
      expect(readLine(line)).toEqual([sayable(event), sayable(count)]);
    }
    const left = tell({ event: { kind: "count", t_s: 1, object: "dog", count: 1 } }, new Dice(1, "one"));
    expect(readLine(left)).toEqual([{ kind: "count", object: "dog", count: 1 }]);
  });

  it("of other tongues are read by their words", () => {
    expect(readLine("A large dog walks out on the right.")).toEqual([{
      kind: "leave",
      object: "dog",
      side: "right",
    }]);
    expect(readLine("The fire truck drives left, and then the cat vanishes")).toEqual([
      { kind: "move", object: "fire truck", direction: "left" },
      { kind: "disappear", object: "cat" },
    ]);
    expect(readLine("What a lovely day")).toEqual([]);
    expect(readLine("")).toEqual([]);
    expect(readLine("something moves left")).toEqual([]);
  });

  it("name every thing, alone and as many", () => {
    for (const { name } of things) expect(namesIn(`the ${name} is here`)).toMatchObject([{ name }]);
    expect(namesIn("two butterflies, a soccer ball and a basketball").map(({ name }) => name)).toEqual([
      "butterfly",
      "soccer ball",
      "basketball",
    ]);
    expect(namesIn("a hotdog and a keyring")).toEqual([]);
  });
});
