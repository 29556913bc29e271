// The order of what `gander describe` looks at: what is quickly refused comes before what takes long.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import type { Compose } from "../../src/cli/commands.ts";
import { describe as describePictures } from "../../src/cli/describe.ts";
import { writePictureBundle } from "../model/bundles.ts";
import { makePixels, makePng } from "../sources/picture_files.ts";

const compose: Compose = () => Promise.reject(new Error("no service takes part"));

/** Describes with a bundle of two pictures; how it was refused, and how often the picture's file was read. */
async function refuse(words: (picture: string) => string[]) {
  const folder = await Deno.makeTempDir({ prefix: "gander-describe-" });
  const readFile = Deno.readFile;
  let reads = 0;
  try {
    const picture = `${folder}/picture.png`;
    await Deno.writeFile(picture, makePng(48, 40, makePixels(48, 40)));
    const bundle = `${folder}/bundle`;
    await Deno.mkdir(bundle);
    await writePictureBundle(bundle, { position: "many", images_max: 2 });
    Deno.readFile = (path, options) => {
      if (path === picture) reads++;
      return readFile(path, options);
    };
    const io = { out() {}, err() {}, stop: new AbortController().signal };
    const answer = describePictures([...words(picture), "--bundle", bundle], io, compose);
    const message = await answer.then(() => "nothing", ({ message }: Error) => message);
    return { message, reads };
  } finally {
    Deno.readFile = readFile;
    await Deno.remove(folder, { recursive: true });
  }
}

describe("gander describe", () => {
  it("reads no file of too many", async () => {
    const { message, reads } = await refuse((picture) => [picture, picture, picture]);
    expect(message).toContain("3 pictures came, the model takes 2");
    expect(reads).toBe(0);
  });

  it("looks for every file before it reads one", async () => {
    const { message, reads } = await refuse((picture) => [picture, `${picture}.none`]);
    expect(message).toContain("not found");
    expect(reads).toBe(0);
  });
});
