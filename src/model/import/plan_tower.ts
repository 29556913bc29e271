// From what a checkpoint holds to a plan for the tower's writer: encoders, pooling, projector, and the tensors by the
// names that the plan uses. Must not know ONNX, manifests or files.
import { uniform } from "../../random.ts";
import type { CheckpointTensor } from "./checkpoint.ts";
import { checkFiniteFloats } from "./finite_numbers.ts";
import { importError } from "./import_error.ts";
import type { Findings } from "./inspect.ts";
import type { FoundEncoder } from "./towers.ts";
import type { TowerConfig } from "./tower_config.ts";
import type {
  EncoderPlan,
  PoolingPlan,
  ProjectorKind,
  TowerPlan,
  TowerTensor,
  TowerTensors,
} from "./tower_port.ts";

export interface PlannedTower {
  plan: TowerPlan;
  tensors: TowerTensors;
  /** The file's tensor behind a name of the plan; undefined for what is made here. */
  source(name: string): CheckpointTensor | undefined;
  /** There was no projector in the file: this one is random and sees nothing until it is trained. */
  untrained_projector: boolean;
  /** Patches per side behind the pooling, which is what a scan orders. */
  grid: number;
}

const projector_prefix = "proj.";
const projector_seed = 7;

/**
 * `tokens_per_image` undefined: as the model was trained. Throws ImportError when its towers cannot make that many.
 * With a compressor it says what is left behind it, so the tower keeps all.
 */
export function planTower(
  { vision, language, compressor }: Findings & { vision: NonNullable<Findings["vision"]> },
  file: string,
  tokens_per_image: number | undefined,
  config: TowerConfig = {},
): PlannedTower {
  const { version } = vision.choice;
  const encoders = vision.towers.encoders.map((encoder) => planEncoder(encoder, config)) as [
    EncoderPlan,
    ...EncoderPlan[],
  ];
  const grid = patchGrid(vision.towers.encoders[0]!);
  const pooled = compressor === undefined ? tokens_per_image : undefined;
  const fixed = version.views !== "whole" || version.name === "v6.12";
  if (pooled !== undefined && fixed) {
    throw importError(
      "import_refused",
      file,
      `${version.name} cannot pool: it always makes ${grid ** 2} vectors`,
    );
  }
  const pooling = version.class_vector === "none" ? squarePooling(pooled, grid) : gridPooling(pooled, grid);
  if (pooling === undefined) {
    const choice = version.class_vector === "none"
      ? `a square up to ${grid ** 2}`
      : gridSizes(grid).map(({ vectors }) => vectors).join(", ");
    throw importError(
      "import_refused",
      file,
      `--tokens-per-image ${pooled} is not possible; ${version.name} makes ${choice}`,
    );
  }
  const untrained_projector = vision.projector === undefined;
  const kind: ProjectorKind = vision.projector?.kind ?? "linear";
  return {
    plan: {
      encoders,
      views: version.views,
      class_vector: version.class_vector,
      pooling: pooling.plan,
      projector: { kind, prefix: projector_prefix },
    },
    tensors: lookUp(
      vision.tensors,
      untrained_projector
        ? randomProjector(language.sizes.width, vision.towers.feature_width)
        : new Map([...vision.projector_tensors].map(([name, tensor]) => [name, readable(tensor)])),
    ),
    source: (name) =>
      name.startsWith(projector_prefix)
        ? vision.projector_tensors.get(name.slice(projector_prefix.length))
        : vision.tensors.get(name),
    untrained_projector,
    grid: pooling.grid,
  };
}

/** Widths whose number of heads the writer knows from released towers. */
const known_widths = [768, 1024, 1152, 1280, 1664];

function planEncoder({ kind, prefix, width }: FoundEncoder, config: TowerConfig): EncoderPlan {
  // Heads stand in no tensor. Where nobody says, they are as wide as in the released towers of that kind.
  const guessed = known_widths.includes(width)
    ? undefined
    : Math.max(1, Math.floor(width / (kind === "siglip_timm" && width % 72 === 0 ? 72 : 64)));
  if (kind !== "clip" && kind !== "siglip_hf") return { kind, prefix, ...heads(guessed) };
  const { activation } = config;
  return { kind, prefix, ...heads(config.heads ?? guessed), ...(activation ? { activation } : {}) };
}

function heads(count: number | undefined): { heads?: number } {
  return count === undefined ? {} : { heads: count };
}

function patchGrid({ kind, grid }: FoundEncoder): number {
  return kind === "sam" ? grid / 2 : grid;
}

interface PlannedPooling {
  plan: PoolingPlan;
  grid: number;
}

function squarePooling(vectors: number | undefined, grid: number): PlannedPooling | undefined {
  if (vectors === undefined || vectors === grid * grid) return { plan: { kind: "all" }, grid };
  const side = Math.sqrt(vectors);
  if (!Number.isInteger(side) || side < 1 || side > grid) return undefined;
  return { plan: { kind: "adaptive", vectors }, grid: side };
}

/** v5 and v6.0: the number of vectors with the class token tells the --grid_size. */
function gridPooling(vectors: number | undefined, grid: number): PlannedPooling | undefined {
  if (vectors === undefined || vectors === grid * grid + 1) return { plan: { kind: "all" }, grid };
  const found = gridSizes(grid).find((size) => size.vectors === vectors);
  if (found === undefined) return undefined;
  return { plan: { kind: "grid", grid_size: found.grid_size }, grid: found.grid };
}

/** Every --grid_size that makes another number of vectors, most first; the largest size of those alike. */
function gridSizes(side: number): { grid_size: number; grid: number; vectors: number }[] {
  const sizes = new Map<number, { grid_size: number; grid: number; vectors: number }>();
  for (let grid_size = side; grid_size >= 0; grid_size--) {
    const grid = grid_size === 0 ? 0 : Math.floor(side / Math.floor(side / grid_size));
    if (!sizes.has(grid)) sizes.set(grid, { grid_size, grid, vectors: grid * grid + 1 });
  }
  return [...sizes.values()];
}

function lookUp(vision: ReadonlyMap<string, CheckpointTensor>, projector: ReadonlyMap<string, TowerTensor>) {
  return (name: string): TowerTensor | undefined => {
    if (name.startsWith(projector_prefix)) return projector.get(name.slice(projector_prefix.length));
    const tensor = vision.get(name);
    return tensor && readable(tensor);
  };
}

function readable(tensor: CheckpointTensor): TowerTensor {
  return {
    shape: tensor.shape,
    async read() {
      const whole = new Float32Array(tensor.elements);
      let end = 0;
      for await (const piece of tensor.readFloats()) {
        checkFiniteFloats(tensor, piece);
        whole.set(piece, end);
        end += piece.length;
      }
      return whole;
    },
  };
}

/** torch's own start for a linear layer, U(-1/√in, 1/√in), the same on every machine. */
function randomProjector(outputs: number, inputs: number): Map<string, TowerTensor> {
  const deviation = 1 / Math.sqrt(3 * inputs);
  const read = () => Promise.resolve(uniform(projector_seed, "proj.weight", outputs * inputs, deviation));
  return new Map([["weight", { shape: [outputs, inputs], read }]]);
}
