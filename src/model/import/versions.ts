// The released and trained versions of VisualRWKV: what each is made of, and how each was taught to look and to be
// asked (spec 1, 2). A table; must not know files or bundles.
import type { scan_modes } from "../manifest.ts";
import type { Generation } from "./language_sizes.ts";
import type { ProjectorKind } from "./tower_port.ts";

export type TowerSet = "clip" | "siglip_hf" | "three";

export type Scan = typeof scan_modes[number];

export type VersionName =
  | "v5.0"
  | "v6.0"
  | "v6.12"
  | "v6.13"
  | "v6.20"
  | "v7.00"
  | "v7.01"
  | "v7.01c"
  | "v7.02"
  | "v7.03"
  | "v7.04"
  | "plain";

export interface Version {
  name: VersionName;
  title: string;
  generations: readonly Generation[];
  towers: readonly TowerSet[];
  projectors: readonly ProjectorKind[];
  compressor: boolean;
  position: "first" | "middle" | "last" | "many";
  /** What stands before the picture of position "middle": all that the user says, or only what is asked of it. */
  foreword: "conversation" | "question";
  images_max: number;
  scan: Scan;
  class_vector: "none" | "first" | "last";
  views: "whole" | "whole_and_quarters";
  tiling: "waste" | "closest" | "fixed" | undefined;
  /** Tokens behind every picture, and behind every turn without one; only the newest version has them. */
  end_tokens: { picture: number; turn: number } | undefined;
}

const base: Omit<Version, "name" | "title"> = {
  generations: [7],
  towers: ["siglip_hf"],
  projectors: ["gate_before", "linear"],
  compressor: false,
  position: "many",
  foreword: "conversation",
  images_max: 1,
  scan: "row_major",
  class_vector: "none",
  views: "whole",
  tiling: undefined,
  end_tokens: undefined,
};
const clip: Partial<Version> = { towers: ["clip"], projectors: ["linear"] };
const three: Partial<Version> = { towers: ["three"] };
/** Several pictures before one question, as v6.20's video evaluation asks. */
const several = 8;

/** In the order in which they are tried: of versions that tensors cannot tell apart, the first is taken. */
export const versions: readonly Version[] = [
  {
    ...base,
    ...clip,
    name: "v5.0",
    title: "VisualRWKV v5.0",
    generations: [5],
    position: "first",
    foreword: "question",
    class_vector: "first",
  },
  {
    ...base,
    ...clip,
    name: "v6.0",
    title: "VisualRWKV v6.0",
    generations: [6],
    position: "middle",
    scan: "bidirection",
    class_vector: "last",
  },
  {
    ...base,
    ...three,
    name: "v6.12",
    title: "VisualRWKV-HD (v6.12)",
    generations: [6],
    projectors: ["gate_after", "linear"],
    position: "middle",
    scan: "bidirection",
  },
  {
    ...base,
    ...three,
    name: "v6.13",
    title: "VisualRWKV-UHD (v6.13)",
    generations: [6],
    projectors: ["relu"],
    position: "middle",
    scan: "bidirection",
    views: "whole_and_quarters",
  },
  {
    ...base,
    ...three,
    name: "v6.20",
    title: "VisualRWKV v6.20",
    generations: [6],
    projectors: ["gate_after", "linear"],
    images_max: several,
  },
  { ...base, ...three, name: "v7.00", title: "VisualRWKV v7.00", images_max: several },
  { ...base, name: "v7.01", title: "VisualRWKV v7.01" },
  {
    ...base,
    name: "v7.01c",
    title: "VisualRWKV v7.01 with contrastive alignment",
    end_tokens: { picture: 65_534, turn: 65_535 },
  },
  { ...base, name: "v7.02", title: "VisualRWKV v7.02", tiling: "waste" },
  { ...base, name: "v7.03", title: "VisualRWKV v7.03", tiling: "closest", compressor: true },
  { ...base, name: "v7.04", title: "VisualRWKV v7.04", tiling: "fixed", compressor: true },
];

/** Any language model with one tower in front, which nobody has trained together yet, or not in a released way. */
export const plain_version: Version = {
  ...base,
  name: "plain",
  title: "RWKV with a vision tower",
  generations: [5, 6, 7],
  towers: ["clip", "siglip_hf", "three"],
  projectors: ["linear", "gate_after", "gate_before"],
};

const aliases: Record<string, VersionName> = {
  v5: "v5.0",
  "v6.00": "v6.0",
  hd: "v6.12",
  uhd: "v6.13",
  "v7.01_contrastive": "v7.01c",
  "v7.01_with_contrastive_alignment": "v7.01c",
};

/** "v7.02", "7.02", "hd". Undefined: no version of that name. */
export function findVersion(text: string): Version | undefined {
  const lower = text.toLowerCase();
  const name = /^\d/.test(lower) ? `v${lower}` : lower;
  const wanted = Object.hasOwn(aliases, name) ? aliases[name] : name;
  return [...versions, plain_version].find((version) => version.name === wanted);
}

export const version_names: readonly string[] = [...versions, plain_version].map(({ name }) => name);

/** Released files carry their version: "VisualRWKV-v0613-1B6-…" is v6.13, "…-v060-…" v6.0; "…-v7.02…" is understood, too. */
export function versionInFileName(file_name: string): Version | undefined {
  const [, major, minor] = /visualrwkv[-_]v?0?(\d)\.?(\d{1,2})(?!\d)/i.exec(file_name) ?? [];
  return major === undefined ? undefined : findVersion(`v${major}.${minor}`);
}
