// Sorts the tensors of a checkpoint into language model, vision towers, projector and compressor, each under official
// names without prefix. Reads names and metadata only. Must not know versions of VisualRWKV.
import type { Checkpoint, CheckpointTensor } from "./checkpoint.ts";
import { renamed } from "./derived_tensor.ts";
import { fromFla, isFlaName } from "./fla_names.ts";
import { fromGguf, type GgufArchitecture, isGgufName } from "./gguf_names.ts";
import { quote } from "./import_error.ts";
import { readRescale } from "./stated_settings.ts";

export type Tensors = Map<string, CheckpointTensor>;

export interface Parts {
  /** How the language model's tensors are spelled in the file. */
  spelling: "official" | "visualrwkv" | "fla" | "gguf" | undefined;
  language: Tensors;
  /** Without "vit.", and for towers of Hugging Face without "vision_model.". */
  vision: Tensors;
  /** Without "proj.". */
  projector: Tensors;
  /** Without "vtc.". */
  compressor: Tensors;
  /** The file's own names of what belongs to nothing. */
  unknown: string[];
  /** Known and never read: counted in the report. */
  unused: string[];
}

/** Prefixes of the parts that stand beside the language model. */
const beside = [
  ["vit.", "vision"],
  ["proj.", "projector"],
  ["vtc.", "compressor"],
] as const;

/** A plain tower of Hugging Face: the other half of a two-sided model is not needed. */
const other_half = /^(text_model\.|text_projection\b|visual_projection\b|logit_scale$|logit_bias$)/;
const plain_tower =
  /^(vision_model\.|embeddings\.|encoder\.layers\.|pre_layrnorm\.|post_layernorm\.|head\.(probe|attention|layernorm|mlp)\b)/;

export function emptyParts(): Parts {
  return {
    spelling: undefined,
    language: new Map(),
    vision: new Map(),
    projector: new Map(),
    compressor: new Map(),
    unknown: [],
    unused: [],
  };
}

/** Half a sentence when the file as a whole cannot be sorted. */
export function sortTensors({ tensors, metadata }: Checkpoint): Parts | string {
  const architecture = metadata.get("general.architecture");
  if (architecture !== undefined && architecture !== "rwkv6" && architecture !== "rwkv7") {
    return `it is a GGUF of the architecture ${quote(String(architecture))}; rwkv6 and rwkv7 are known`;
  }
  const parts = emptyParts();
  const rescale_every = readRescale(metadata) ?? 0;
  const spellings = new Set<Parts["spelling"]>();
  const put = (into: Tensors, name: string, tensor: CheckpointTensor) => {
    if (into.has(name)) parts.unknown.push(tensor.name); // two spellings of one tensor
    else into.set(name, tensor);
  };
  for (const tensor of tensors.values()) {
    const { name } = tensor;
    const side = beside.find(([prefix]) => name.startsWith(prefix));
    if (side !== undefined) {
      const inner = name.slice(side[0].length);
      put(parts[side[1]], side[1] === "vision" ? withoutLevel(inner) : inner, tensor);
    } else if (other_half.test(name)) {
      parts.unused.push(name);
    } else if (architecture === undefined && plain_tower.test(name)) {
      put(parts.vision, withoutLevel(name), tensor);
    } else {
      const [spelling, official] = readLanguage(tensor, architecture, rescale_every);
      spellings.add(spelling);
      if (official.length === 0) parts.unknown.push(name);
      for (const one of official) put(parts.language, one.name, one);
    }
  }
  spellings.delete(undefined);
  if (spellings.size > 1) return `its language model is spelled in two ways: ${[...spellings].join(" and ")}`;
  parts.spelling = [...spellings][0];
  return parts;
}

function withoutLevel(name: string): string {
  return name.startsWith("vision_model.") ? name.slice("vision_model.".length) : name;
}

function readLanguage(
  tensor: CheckpointTensor,
  architecture: GgufArchitecture | undefined,
  rescale_every: number,
): [Parts["spelling"], CheckpointTensor[]] {
  const { name } = tensor;
  if (architecture !== undefined) {
    return isGgufName(name) ? ["gguf", fromGguf(tensor, architecture, rescale_every)] : [undefined, []];
  }
  if (isFlaName(name)) {
    const official = fromFla(tensor);
    return ["fla", official === undefined ? [] : [official]];
  }
  const visual = name.startsWith("rwkv.");
  const inner = visual ? name.slice("rwkv.".length) : name;
  if (!/^(emb\.|blocks\.|ln_out\.|head\.weight$)/.test(inner)) return [undefined, []];
  return [visual ? "visualrwkv" : "official", [renamed(tensor, inner)]];
}
