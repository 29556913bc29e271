// Which style is for what, and how a thing's picture is found in a set.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import {
  art_styles,
  held_out_style,
  type IconSet,
  styleHas,
  svgOf,
  tower_styles,
  training_styles,
} from "./art.ts";
import { encodeStyle } from "./sprite_store.ts";
import { thingNamed, things } from "./vocabulary.ts";

const set: IconSet = {
  width: 10,
  height: 10,
  icons: { "dog-face": { body: '<path fill="currentColor"/>' }, "side": { body: "<g/>" } },
  aliases: { dog: { parent: "dog-face" } },
};
const dog = thingNamed("dog")!;

describe("art styles", () => {
  it("scenes for training and test stay in the styles they were first drawn in", () => {
    expect(training_styles).toEqual([
      ...["noto", "noto-v1", "fluent-emoji", "fluent-emoji-flat", "emojione", "openmoji"],
    ]);
  });

  it("a tower learns from all of these and more, never from what is held out", () => {
    expect(tower_styles.length).toBeGreaterThan(training_styles.length);
    for (const name of training_styles) expect(tower_styles).toContain(name);
    expect(tower_styles).not.toContain(held_out_style);
    expect(tower_styles.filter((name) => name.includes("twemoji"))).toEqual([]);
  });

  it("styles of scenes are whole, the others name things that there are when they lack some", () => {
    for (const { name, lacks, scenes } of art_styles) {
      if (scenes) expect(lacks).toEqual([]);
      for (const lacking of lacks) {
        expect(thingNamed(lacking)?.name).toBe(lacking);
        expect(styleHas(name, lacking)).toBe(false);
      }
      expect(things.filter((thing) => styleHas(name, thing.name)).length).toBe(things.length - lacks.length);
    }
    expect(styleHas("noto", "teapot")).toBe(false);
    expect(styleHas("nothing", "dog")).toBe(false);
  });
});

describe("a thing's picture", () => {
  it("is found by its name, by another name of the set, and by the name that the style gives", () => {
    expect(svgOf(set, dog)).toContain('viewBox="0 0 10 10"');
    expect(svgOf(set, dog, { dog: "side" })).toContain("<g/>");
    expect(svgOf(set, thingNamed("cat")!)).toBe(undefined);
    expect(svgOf(set, dog, { dog: "none" })).toBe(undefined);
  });

  it("in one ink lies on its own shape in white", () => {
    const svg = svgOf(set, dog, {}, true)!;
    expect(svg).toContain('viewBox="-0.5 -0.5 11 11"');
    expect(svg.indexOf('fill="#fff"')).toBeLessThan(svg.indexOf('fill="#2b2b2b"'));
    expect(svg).not.toContain("currentColor");
  });
});

describe("a style's file", () => {
  const drawn = { rgba: new Uint8Array(4 * 4 * 4).fill(255), width: 4, height: 4 };

  it("is blank where the style lacks a thing", async () => {
    const style = art_styles.find(({ name }) => name === "emojione-v1")!;
    const file = await encodeStyle(style, () => Promise.resolve(drawn));
    const one = file.length / things.length;
    const blank = things.filter((_, index) => file[(index + 0.5) * one + 256] === 0).map(({ name }) => name);
    expect(blank.sort()).toEqual([...style.lacks].sort());
  });

  it("is refused when a picture is missing that the style should have", async () => {
    const style = art_styles.find(({ name }) => name === "noto")!;
    const draw = ({ name }: { name: string }) => Promise.resolve(name === "crab" ? undefined : drawn);
    await expect(encodeStyle(style, draw)).rejects.toThrow('"noto" has no picture of "crab"');
  });
});
