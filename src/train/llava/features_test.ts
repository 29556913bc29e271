import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { FeatureCache, type FeatureSource, PictureFault } from "./features.ts";

/** Every byte of a file is a feature, two a row. */
function bytesAsFeatures(asked: string[], hash = "tower"): FeatureSource {
  return {
    ...{ width: 2, rows: undefined, hash },
    features(bytes, name) {
      asked.push(name);
      if (bytes.length % 2 !== 0) {
        return Promise.reject(new PictureFault(`Cannot read picture "${name}": odd`));
      }
      return Promise.resolve(Float32Array.from(bytes, (byte) => byte / 3));
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function withFolder(body: (dir: string) => Promise<void>) {
  const dir = await Deno.makeTempDir({ prefix: "gander-features-" });
  try {
    await body(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function filesBelow(dir: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    if (isDirectory) files.push(...await filesBelow(`${dir}/${name}`));
    else files.push(`${dir}/${name}`);
  }
  return files;
}

describe("FeatureCache", () => {
  const wanted = Float32Array.of(1 / 3, 2 / 3, 1, 4 / 3);

  it("computes a picture once, whatever its name, and again for another tower", () =>
    withFolder(async (dir) => {
      await Deno.writeFile(`${dir}/a`, Uint8Array.of(1, 2, 3, 4));
      await Deno.copyFile(`${dir}/a`, `${dir}/b`);
      const asked: string[] = [];
      const cache = await FeatureCache.open(bytesAsFeatures(asked), { dir: `${dir}/kept` });
      for (const name of ["a", "b", "a"]) expect(await cache.read(`${dir}/${name}`)).toEqual(wanted);
      expect(asked).toEqual([`${dir}/a`]);
      expect(cache.stats).toEqual({ computed: 1, cached: 2, bytes: 32 });
      const later = await FeatureCache.open(bytesAsFeatures(asked), { dir: `${dir}/kept` });
      expect(await later.read(`${dir}/b`)).toEqual(wanted);
      expect(later.stats).toEqual({ computed: 0, cached: 1, bytes: 32 });
      const other = await FeatureCache.open(bytesAsFeatures(asked, "other"), { dir: `${dir}/kept` });
      await other.read(`${dir}/b`);
      expect(asked.length).toBe(2);
    }));

  it("makes a file anew that is damaged, and keeps nothing beyond its bound or without a folder", () =>
    withFolder(async (dir) => {
      await Deno.writeFile(`${dir}/a`, Uint8Array.of(1, 2, 3, 4));
      const asked: string[] = [];
      const kept = `${dir}/kept`;
      await (await FeatureCache.open(bytesAsFeatures(asked), { dir: kept })).read(`${dir}/a`);
      const [place] = await filesBelow(kept);
      const whole = await Deno.readFile(place!);
      const flipped = whole.slice();
      flipped[20] ^= 1;
      for (const bytes of [whole.slice(0, 20), flipped, new Uint8Array(3)]) {
        await Deno.writeFile(place!, bytes);
        const cache = await FeatureCache.open(bytesAsFeatures(asked), { dir: kept });
        expect(await cache.read(`${dir}/a`)).toEqual(wanted);
        expect(await Deno.readFile(place!)).toEqual(whole);
      }
      for (const options of [{ dir: `${dir}/full`, bytes_max: 31 }, { dir: undefined }]) {
        const cache = await FeatureCache.open(bytesAsFeatures(asked), options);
        await cache.read(`${dir}/a`);
        await cache.read(`${dir}/a`);
        expect(cache.stats).toMatchObject({ computed: 2, bytes: 0 });
      }
    }));

  it("tells a picture that is none from everything else", () =>
    withFolder(async (dir) => {
      await Deno.writeFile(`${dir}/odd`, Uint8Array.of(1));
      const cache = await FeatureCache.open(bytesAsFeatures([]), { dir: undefined });
      for (const name of ["odd", "gone", "."]) {
        await expect(cache.read(`${dir}/${name}`)).rejects.toBeInstanceOf(PictureFault);
      }
    }));
});
