import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { modelCommand } from "../../src/cli/model.ts";
import { ensureSeedBundle } from "../../src/seed/seed_bundle.ts";
import { writeTextBundle } from "./bundles.ts";
import { withFolder } from "./towers.ts";

const library_path = fileURLToPath(new URL("../../native/build/librwkv.so", import.meta.url));
const not_built = existsSync(library_path) ? undefined : "the native library is not built";

async function gander(args: string[], cache = "") {
  const written = { out: "", err: "" };
  const status = await modelCommand(args, {
    out: (text) => written.out += text,
    err: (text) => written.err += text,
    library_path,
    default_bundle: () => ensureSeedBundle(cache, "tiny"),
  });
  return { status, ...written };
}

describe("gander model info", () => {
  it("tells everything about the built-in bundle", () =>
    withFolder(async (cache) => {
      const { status, out, err } = await gander(["info"], cache);
      expect([status, err]).toEqual([0, ""]);
      expect(out).toContain("gander-seed-tiny (untrained: its words are random)");
      expect(out).toContain("RWKV-7, 2 layers, width 64, vocabulary 768");
      expect(out).toContain("32 x 32 px frames, 2 vectors of one picture");
      expect(out).toContain("33.0 KiB, constant");
      expect(out).toContain("serve      81 states for up to 16 streams, 2.6 MiB");
      expect(out).toMatch(/[0-9a-f]{64} {2}vision\.onnx/);
    }));

  it("gives JSON, also of a text-only bundle", () =>
    withFolder(async (dir) => {
      await writeTextBundle(dir);
      const { status, out } = await gander(["info", dir, "--json"]);
      expect(status).toBe(0);
      const info = JSON.parse(out);
      expect(info).toMatchObject({ name: "text", vision: null, state_bytes: 33_792, trained: false });
      expect(info.files.every((file: { verified: boolean }) => file.verified)).toBe(true);
    }));

  it("says what is wrong with a bundle", () =>
    withFolder(async (dir) => {
      const { status, out, err } = await gander(["info", dir]);
      expect([status, out]).toEqual([1, ""]);
      expect(err).toContain("manifest.json: not found");
    }));
});

describe("gander model logits", () => {
  it.unless(
    not_built,
    "gives a row per token, the same in one go and from a longer list",
    () =>
      withFolder(async (cache) => {
        const { status, out, err } = await gander(["logits", "--tokens", "1, 5,700", "--json"], cache);
        expect([status, err]).toEqual([0, ""]);
        const { tokens, vocab, logits } = JSON.parse(out);
        expect([tokens, vocab]).toEqual([[1, 5, 700], 768]);
        expect(logits.map((row: number[]) => row.length)).toEqual([768, 768, 768]);
        expect(logits[0]).not.toEqual(logits[1]);
        for (const value of logits[2]) expect(Math.fround(value)).toBe(value); // no digit of the float32 is lost

        const prefix = JSON.parse((await gander(["logits", "--tokens", "1,5", "--json"], cache)).out);
        expect(prefix.logits).toEqual(logits.slice(0, 2));
        const lines = (await gander(["logits", "--tokens", "1,5"], cache)).out.trimEnd().split("\n");
        expect(lines.length).toBe(2);
        expect(lines[1]!.split(": ")[1]!.split(" ").map(Number)).toEqual(logits[1]);
      }),
  );

  it.unless(not_built, "takes more tokens than the engine keeps rows", () =>
    withFolder(async (cache) => {
      const tokens = Array.from({ length: 4_500 }, (_, index) => index % 700).join();
      const { status, out } = await gander(["logits", "--tokens", tokens, "--json"], cache);
      expect(status).toBe(0);
      expect(JSON.parse(out).logits.length).toBe(4_500);
    }));

  it.unless(not_built, "refuses an id the model has no row for", () =>
    withFolder(async (cache) => {
      const { status, err } = await gander(["logits", "--tokens", "1,768"], cache);
      expect(status).toBe(2);
      expect(err).toContain("token 768 is not below the vocabulary of 768");
    }));

  it.unless(not_built, "says when the weights are not whole", () =>
    withFolder(async (dir) => {
      await writeTextBundle(dir); // a header and little behind it
      const { status, out, err } = await gander(["logits", "--bundle", dir, "--tokens", "1"]);
      expect([status, out]).toEqual([1, ""]);
      expect(err.length).toBeGreaterThan(10);
    }));

  const wrong: [string[], string][] = [
    [[], "info, logits or import"],
    [["shout"], 'unknown command "shout"'],
    [["logits"], "--tokens 1,2,3 is missing"],
    [["logits", "--tokens", "1,x"], '"x" is not a token id'],
    [["logits", "--tokens", "1,-2"], '"-2" is not a token id'],
    [["logits", "--tokens", "1,"], '"" is not a token id'],
    [["logits", "--tokens", "1", "--loud"], "--loud"],
    [["info", "a", "b"], '"b" is one word too many'],
  ];
  for (const [args, message] of wrong) {
    it(`answers 2 to: model ${args.join(" ")}`, async () => {
      const { status, out, err } = await gander(args);
      expect([status, out]).toEqual([2, ""]);
      expect(err).toContain(message);
      expect(err).toContain("Usage:");
    });
  }
});
