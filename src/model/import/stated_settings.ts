// Numbers that a file states beside its weights and that the native library has fixed: another value would be computed
// wrongly without anybody noticing. Must not know tensors.
import { head_size } from "./language_sizes.ts";

const norm_epsilon = 1e-5;

/** Half sentences, one for every setting that is not ours. `metadata` is a checkpoint's. */
export function findForeignSettings(metadata: ReadonlyMap<string, unknown>): string[] {
  const architecture = String(metadata.get("general.architecture"));
  const config = fields(metadata.get("config.json"));
  const sizes = [metadata.get(`${architecture}.wkv.head_size`), config.head_dim, config.head_size];
  const epsilons = [metadata.get(`${architecture}.attention.layer_norm_epsilon`), config.norm_eps];
  const rescale = metadata.get(rescaleKey(architecture));
  return [
    ...sizes.filter((size) => isNumber(size) && Number(size) !== head_size)
      .map((size) => `its heads have ${size} channels; ${head_size} are supported`),
    ...epsilons.filter((epsilon) => isNumber(epsilon) && Math.abs(Number(epsilon) / norm_epsilon - 1) > 0.01)
      .map((epsilon) => `its layer norms have an epsilon of ${epsilon}; ${norm_epsilon} is supported`),
    ...(rescale === undefined || readRescale(metadata) !== undefined
      ? []
      : [`its rescale_every_n_layers is ${String(rescale).slice(0, 40)}`]),
  ];
}

/** Layers whose output was halved again, for fp16. 0: none. Undefined: no such number. */
export function readRescale(metadata: ReadonlyMap<string, unknown>): number | undefined {
  const stated = metadata.get(rescaleKey(String(metadata.get("general.architecture")))) ?? 0;
  const every = isNumber(stated) ? Number(stated) : NaN;
  return Number.isInteger(every) && every >= 0 ? every : undefined;
}

function rescaleKey(architecture: string): string {
  return `${architecture}.rescale_every_n_layers`;
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
}
