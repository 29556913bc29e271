// `gander model logits` against logits of another implementation, for one small RWKV-7 whose file is not ours to
// ship. Without it these are skipped.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { modelCommand } from "../../src/cli/model.ts";
import { writeTextBundle } from "./bundles.ts";
import { withFolder } from "./towers.ts";

const data = fileURLToPath(new URL("../../../shared/data/parity/", import.meta.url));
const library_path = fileURLToPath(new URL("../../native/build/librwkv.so", import.meta.url));
const missing = !existsSync(join(data, "r7-tiny.safetensors"))
  ? "the parity model is not on this machine"
  : existsSync(library_path)
  ? undefined
  : "the native library is not built";

describe("gander model logits", () => {
  it.unless(missing, "agrees with the reference at every position", () =>
    withFolder(async (dir) => {
      const weights = await Deno.readFile(join(data, "r7-tiny.safetensors"));
      const sizes = { layers: 3, width: 128, vocab: 512 };
      await writeTextBundle(dir, (manifest) => Object.assign(manifest.rwkv, sizes), weights);
      const tokens = (await Deno.readTextFile(join(data, "tiny_tokens.txt"))).trim().split(/\s+/);
      let out = "";
      const io = {
        out: (text: string) => void (out += text),
        err: () => {},
        library_path,
        default_bundle: () => Promise.resolve(dir),
      };
      expect(await modelCommand(["logits", "--bundle", dir, "--tokens", tokens.join(), "--json"], io)).toBe(
        0,
      );
      const found = (JSON.parse(out).logits as number[][]).flat();
      const wanted = new Float32Array((await Deno.readFile(join(data, "logits-tiny-ref.f32"))).buffer);
      expect(found.length).toBe(wanted.length);
      const worst = Math.max(...found.map((value, index) => Math.abs(value - wanted[index]!)));
      expect(worst).toBeLessThan(1e-3);
    }));
});
