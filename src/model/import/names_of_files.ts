// What a bundle is called, and under which licence, when nobody says: from the names and metadata of its files.
// Must not know weights.
import { basename, dirname } from "node:path";
import type { Checkpoint } from "./checkpoint.ts";
import type { Findings } from "./inspect.ts";

/** Names that say nothing; the folder's name is better. */
const nameless = /^(model|pytorch_model|consolidated|checkpoint|weights|rwkv)(-\d+-of-\d+)?$/i;

/** Fits the manifest's rule for names. */
export function defaultName({ files }: Pick<Checkpoint, "files">): string {
  const path = files[0]!.path;
  const stem = basename(path).replace(/\.[A-Za-z]+$/, "").replace(/_(rwkv|visual)$/, "");
  const name = nameless.test(stem) ? basename(dirname(path)) : stem;
  return name.replace(/[^A-Za-z0-9._ -]+/g, "-").replace(/^[^A-Za-z0-9]+/, "").slice(0, 80) || "imported";
}

/** Whole names, as published on Hugging Face; a fine-tune that adds a word to one is somebody else's. */
const released_names = [
  /^RWKV-x0[67]0-World-\d+(\.\d)?B\d?-v\d+(\.\d+)?-\d{8}-ctx\d+\.[a-z]+$/,
  /^VisualRWKV-v0\d{2,3}-\d+B\d?-v\d+\.\d+-\d{8}\.[a-z]+$/,
];

/** RWKV World and VisualRWKV are released as Apache-2.0; other files say it themselves, or nobody knows. */
export function defaultLicence(
  { files, metadata }: Pick<Checkpoint, "files" | "metadata">,
  { vision }: Pick<Findings, "vision">,
): string {
  for (const key of ["general.license", "license"]) {
    const stated = metadata.get(key);
    if (typeof stated === "string" && stated.trim() !== "") return stated.trim().slice(0, 200);
  }
  const plain_tower = vision?.choice.version.name === "plain";
  const released = files.every(({ path }) => released_names.some((name) => name.test(basename(path))));
  return released && !plain_tower ? "Apache-2.0" : "unknown";
}
