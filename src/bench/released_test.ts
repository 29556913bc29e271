import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { languageTensors } from "./language_tensors.ts";
import { checkpointTensors, released } from "./released.ts";
import { countElements } from "./tensor_list.ts";
import { dinoTensors } from "./tower_tensors.ts";

describe("released checkpoints", () => {
  const find = (key: string) => released.find((one) => one.key === key)!;

  it("have as many language parameters as their makers say", () => {
    const count = (key: string) => countElements(languageTensors(find(key).language, "").tensors);
    expect(count("v060-1b6")).toBe(1_599_873_024);
    expect(count("v060-3b")).toBe(3_099_863_040);
    expect(count("v060-7b")).toBe(7_635_746_816);
    expect(count("v0700-0b1")).toBe(191_034_624);
    expect(count("v0700-0b4")).toBe(450_767_872);
    expect(count("v0700-1b5")).toBe(1_527_404_544);
    expect(countElements(dinoTensors("").tensors)).toBe(304_017_408);
  });

  it("are as large as the published files, two bytes a parameter", () => {
    const gigabytes = (key: string) => countElements(checkpointTensors(find(key))) * 2 / 1e9;
    expect(gigabytes("v060-1b6")).toBeCloseTo(3.81, 2);
    expect(gigabytes("v060-3b")).toBeCloseTo(6.81, 2);
    expect(gigabytes("v060-7b")).toBeCloseTo(15.89, 2);
    expect(gigabytes("v0612-1b6")).toBeCloseTo(4.87, 2);
    expect(gigabytes("v0613-1b6")).toBeCloseTo(4.89, 2);
    expect(gigabytes("v0700-0b1")).toBeCloseTo(2.05, 2);
    expect(gigabytes("v0700-0b4")).toBeCloseTo(2.57, 2);
    expect(gigabytes("v0700-1b5")).toBeCloseTo(4.73, 2);
    // The language part and the visual part of v5 were published as two files.
    expect(countElements(languageTensors(find("v5-1b5").language, "").tensors) * 2 / 1e9).toBeCloseTo(
      3.16,
      2,
    );
    expect(countElements(languageTensors(find("v5-3b").language, "").tensors) * 2 / 1e9).toBeCloseTo(6.13, 2);
  });

  it("name no tensor twice", () => {
    for (const one of released) {
      const names = checkpointTensors(one).map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
    }
  });
});
