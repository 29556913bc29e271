// The visual token compressor on the real engine against plain loops: left padding, odd blocks backwards over the padded
// sequence, pooling.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openEngine } from "../../ffi/mod.ts";
import { CompressedVision } from "../../src/compressed_vision.ts";
import { encodeSafetensors } from "../../src/model/safetensors.ts";
import type { Vision } from "../../src/pipeline/ports.ts";
import { uniform } from "../../src/random.ts";
import { type BlocksShape, randomBlocks, referenceBlocks } from "./reference_compressor.ts";
import { withFolder } from "./towers.ts";

const library_path = fileURLToPath(new URL("../../native/build/librwkv.so", import.meta.url));
const not_built = existsSync(library_path) ? undefined : "the native library is not built";

const shape: BlocksShape = { layers: 3, width: 128, ranks: { w: 16, a: 16, v: 8, g: 24 } };

/** A tower that answers the vectors it holds. */
function tower(vectors: Float32Array): Vision & { close(): Promise<void> } {
  const encode = () => Promise.resolve(vectors);
  const close = () => Promise.resolve();
  return { width_px: 1, height_px: 1, vectors_per_frame: 1, encode, encodePicture: encode, close };
}

describe("CompressedVision on the native engine", () => {
  it.unless(not_built, "agrees with plain loops", () =>
    withFolder(async (dir) => {
      const tensors = randomBlocks(shape, 5);
      const weights_path = join(dir, "vtc.safetensors");
      await Deno.writeFile(weights_path, encodeSafetensors(tensors));
      for (const [rows, vectors_per_frame, padding] of [[37, 10, 16], [32, 32, 16], [5, 1, 1]]) {
        const vectors = uniform(rows, "vectors", rows * shape.width, 1);
        const padded = new Float32Array(Math.ceil(rows / padding) * padding * shape.width);
        padded.set(vectors, padded.length - vectors.length);
        const seen = referenceBlocks(shape, tensors, padded).slice(-rows);
        const wanted = Array.from({ length: vectors_per_frame }, (_, index) => {
          const part = seen.slice(
            Math.floor(index * rows / vectors_per_frame),
            Math.ceil((index + 1) * rows / vectors_per_frame),
          );
          return Array.from(part[0], (_, i) => part.reduce((sum, row) => sum + row[i], 0) / part.length);
        }).flat();

        const engine = await openEngine({
          library_path,
          device: "cpu",
          weights_path,
          states_max: 1,
          threads: 1,
        });
        const vision = new CompressedVision(tower(vectors), engine, { vectors_per_frame, padding });
        const first = await vision.encode(new Uint8Array(3));
        const again = await vision.encodePicture({ rgb: new Uint8Array(3), width_px: 1, height_px: 1 });
        await vision.close();

        expect(first.length).toBe(wanted.length);
        const worst = Math.max(...wanted.map((value, index) => Math.abs(value - first[index])));
        // float32 against float64 through three blocks; measured 2e-6.
        expect(worst).toBeLessThan(1e-4);
        expect(Math.max(...wanted.map(Math.abs))).toBeGreaterThan(0.5);
        expect(again).toEqual(first); // a picture leaves nothing behind for the next
      }
    }));
});
