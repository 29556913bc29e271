// Every released VisualRWKV file that can be imported: what is in it, by name and shape (spec sections 1.1, 2 and 3.6).
// Random weights of these shapes stand in for the files where time and memory are measured. Must not know how files
// are written or read.
import { compressorTensors, hiddenWidth, type LanguageShape, languageTensors } from "./language_tensors.ts";
import { TensorList, type TensorSpec } from "./tensor_list.ts";
import { clipTensors, dinoTensors, samTensors, siglip2Tensors, siglipTensors } from "./tower_tensors.ts";

export interface Released {
  /** What the command line calls it. */
  key: string;
  /** As published; null where only the code was released. */
  file: string | null;
  /** Of VisualRWKV. */
  version: "v5.0" | "v6.0" | "v6.12" | "v6.13" | "v7.00" | "v7.01" | "v7.02" | "v7.03" | "v7.04";
  language: LanguageShape;
}

const vocab = 65_536;

function rwkv5(layers: number, width: number): LanguageShape {
  return { version: 5, layers, width, vocab, hidden: hiddenWidth(width), ranks: [] };
}

function rwkv6(layers: number, width: number): LanguageShape {
  const ranks = width < 4096 ? [32, 64] : [64, 128];
  return { version: 6, layers, width, vocab, hidden: hiddenWidth(width), ranks };
}

function rwkv7(layers: number, width: number, ranks: readonly number[]): LanguageShape {
  return { version: 7, layers, width, vocab, hidden: 4 * width, ranks };
}

export const rwkv7_0b1 = rwkv7(12, 768, [64, 64, 32, 128]);

export const released: readonly Released[] = [
  {
    key: "v5-1b5",
    file: "rwkv1b5-vitl336p14-577token_mix665k_{rwkv,visual}.pth",
    version: "v5.0",
    language: rwkv5(24, 2048),
  },
  {
    key: "v5-3b",
    file: "rwkv3b-vitl336p14-577token_mix665k_8gpu_{rwkv,visual}.pth",
    version: "v5.0",
    language: rwkv5(32, 2560),
  },
  {
    key: "v060-1b6",
    file: "VisualRWKV-v060-1B6-v1.0-20240612.pth",
    version: "v6.0",
    language: rwkv6(24, 2048),
  },
  {
    key: "v060-3b",
    file: "VisualRWKV-v060-3B-v1.0-20240612.pth",
    version: "v6.0",
    language: rwkv6(32, 2560),
  },
  {
    key: "v060-7b",
    file: "VisualRWKV-v060-7B-v1.0-20240612.pth",
    version: "v6.0",
    language: rwkv6(32, 4096),
  },
  {
    key: "v0612-1b6",
    file: "VisualRWKV-v0612-1B6-v1.0-20241016.pth",
    version: "v6.12",
    language: rwkv6(24, 2048),
  },
  {
    key: "v0613-1b6",
    file: "VisualRWKV-v0613-1B6-v1.0-20241016.pth",
    version: "v6.13",
    language: rwkv6(24, 2048),
  },
  { key: "v0700-0b1", file: "VisualRWKV-v0700-0B1-v1.0-20250109.pth", version: "v7.00", language: rwkv7_0b1 },
  {
    key: "v0700-0b4",
    file: "VisualRWKV-v0700-0B4-v1.0-20250109.pth",
    version: "v7.00",
    language: rwkv7(24, 1024, [64, 64, 32, 128]),
  },
  {
    key: "v0700-1b5",
    file: "VisualRWKV-v0700-1B5-v1.0-20250204.pth",
    version: "v7.00",
    language: rwkv7(24, 2048, [96, 96, 64, 256]),
  },
  { key: "v0701-0b1", file: null, version: "v7.01", language: rwkv7_0b1 },
  { key: "v0702-0b1", file: null, version: "v7.02", language: rwkv7_0b1 },
  { key: "v0703-0b1", file: null, version: "v7.03", language: rwkv7_0b1 },
  { key: "v0704-0b1", file: null, version: "v7.04", language: rwkv7_0b1 },
];

/** All tensors of one released checkpoint, under the names of the single-file form (`rwkv.`, `vit.`, `proj.`, `vtc.`). */
export function checkpointTensors({ version, language }: Released): TensorSpec[] {
  const parts = [
    languageTensors(language, "rwkv."),
    ...towersOf(version),
    projectorOf(version, language.width),
  ];
  if (version === "v7.03" || version === "v7.04") {
    parts.push(compressorTensors({ ...language, layers: 2 }, "vtc."));
  }
  return parts.flatMap(({ tensors }) => tensors);
}

function towersOf(version: Released["version"]): TensorList[] {
  if (version === "v5.0" || version === "v6.0") return [clipTensors("vit.")];
  if (version.startsWith("v7.") && version !== "v7.00") return [siglip2Tensors("vit.")];
  return [
    dinoTensors("vit.dino_featurizer."),
    siglipTensors("vit.siglip_featurizer."),
    samTensors("vit.sam_featurizer."),
  ];
}

function projectorOf(version: Released["version"], width: number): TensorList {
  const list = new TensorList("proj.");
  switch (version) {
    case "v5.0":
    case "v6.0":
      return list.matrix("weight", width, 1024);
    case "v6.12":
    case "v6.13":
      list.matrix("proj.weight", width, version === "v6.12" ? 3200 : 6400);
      return list.matrix("gate.weight", width, width).matrix("o_proj.weight", width, width);
    default: {
      const width_in = version === "v7.00" ? 3200 : 768;
      list.matrix("gate.weight", width_in, width_in).matrix("o_proj.weight", width, width_in);
      return list.norm("ln_v", width);
    }
  }
}
