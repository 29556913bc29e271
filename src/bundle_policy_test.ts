import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { openPolicy } from "./bundle_policy.ts";
import { makeFakePictures } from "./pipeline/fake_model.ts";

const pictures = makeFakePictures();
const bundle = {
  name: "goose",
  policy: "refresh" as const,
  languages: ["zh", "en"],
  refresh: { instruction: "What?", cadence_s: 4, every_s: 30, change_min: 0.1, frames: 2 },
};

describe("openPolicy", () => {
  it("takes what the bundle says", () => {
    expect(openPolicy(bundle, {}, pictures)).toEqual({
      kind: "refresh",
      pictures,
      settings: { instruction: "What?", language: "zh", cadence_s: 4, every_s: 30, change_min: 0.1 },
      own_language: "zh",
      frames: 2,
    });
  });

  it("lets the configuration say otherwise", () => {
    const policy = openPolicy(bundle, { prompt: "Who?", language: "de", cadence: 7, refresh: 60 }, pictures);
    expect(policy).toMatchObject({
      settings: { instruction: "Who?", language: "de", cadence_s: 7, every_s: 60 },
      own_language: "zh",
    });
  });

  it("refuses, by name, what a model of policy stream has no use for", () => {
    const stream = { ...bundle, policy: "stream" as const };
    expect(openPolicy(stream, {}, pictures)).toEqual({ kind: "stream" });
    expect(() => openPolicy(stream, { cadence: 3, prompt: "Who?" }, pictures)).toThrow(
      /prompt: .*"goose" is "stream".*\n.*cadence: /,
    );
  });
});
