// A plan and a checkpoint's tensors become a tower on disk: one ONNX model, large weights in a file beside it. The graph
// is put together from shapes alone; only then are the weights read, one at a time. Must not know checkpoints.
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { DataFile } from "./data_file.ts";
import type { PreparedEncoder } from "./encoder_parts.ts";
import { prepareHfEncoder } from "./hf_encoder.ts";
import { PictureInputs } from "./picture_input.ts";
import { project } from "./projectors.ts";
import { prepareSamEncoder } from "./sam_encoder.ts";
import { prepareTimmEncoder } from "./timm_encoder.ts";
import { poolingSpans, poolTokens } from "./token_pooling.ts";
import { TowerGraph } from "./tower_graph.ts";
import type {
  Encoder,
  TowerOutline,
  TowerPlan,
  TowerTensors,
  WeightFormat,
  WriteOptions,
  WrittenTower,
} from "./tower_plan.ts";
import { joinFeatures, joinFiveViews } from "./views.ts";

/** What would be written. Reads shapes only; throws RangeError for a tensor that is missing or does not fit. */
export function outlineTower(plan: TowerPlan, tensors: TowerTensors, weights: WeightFormat): TowerOutline {
  return buildTower(plan, tensors, { weights }).outline;
}

/**
 * Writes `path` and, unless the model is small, `path`.data; both are gone again when it fails. The largest matrix is in
 * memory twice, no more. Throws RangeError like `outlineTower` and for values that the weight format cannot hold; errors
 * of disk and tensors as they are.
 */
export async function writeTower(
  plan: TowerPlan,
  tensors: TowerTensors,
  path: string,
  options: WriteOptions,
): Promise<WrittenTower> {
  const { onProgress = () => {}, one_file_bytes_max = 16 << 20 } = options;
  const { tower, outline } = buildTower(plan, tensors, options);
  const data_path = `${path}.data`;
  const apart = outline.weight_bytes > one_file_bytes_max;
  try {
    const files: WrittenTower["files"] = [];
    if (apart) {
      await using data = await DataFile.create(data_path);
      await tower.pending.write(data, basename(data_path), onProgress);
      files.push({ path: data_path, sha256: await data.finish(), bytes: data.bytes });
    } else await tower.pending.write(undefined, "", onProgress);
    const model = tower.graph.finish("tower");
    await Deno.writeFile(path, model);
    const sha256 = createHash("sha256").update(model).digest("hex");
    return { ...outline, files: [{ path, bytes: model.byteLength, sha256 }, ...files] };
  } catch (error) {
    for (const unfinished of apart ? [path, data_path] : [path]) {
      await Deno.remove(unfinished).catch(() => {}); // may not have been made yet
    }
    throw error;
  }
}

interface BuiltTower {
  tower: TowerGraph;
  outline: TowerOutline;
}

function buildTower(
  plan: TowerPlan,
  tensors: TowerTensors,
  { weights, scores_bytes_max = 128 << 20 }: Pick<WriteOptions, "weights" | "scores_bytes_max">,
): BuiltTower {
  const tower = new TowerGraph(tensors, weights, scores_bytes_max);
  const encoders = plan.encoders.map((encoder) => prepareEncoder(tower, encoder));
  const grid = commonGrid(plan, encoders);
  const views = plan.views === "whole" ? 1 : 5;
  const spans = poolingSpans(plan.pooling, grid);
  const class_vectors = plan.class_vector === "none" ? 0 : 1;
  const vectors = spans.length ** 2 + class_vectors;
  if (vectors === 0) throw new RangeError("A grid size of 0 leaves nothing without the class vector");

  const inputs = new PictureInputs(tower, encoders.map(({ image_px }) => image_px), views);
  const parts = encoders.map((encoder) => encoder.write(inputs, views));
  const features = views === 1 ? joinFeatures(tower, parts) : joinFiveViews(tower, parts, grid);
  const pooled = poolTokens(tower, features.patches, spans, grid);
  const rows = pooled === undefined ? [] : [pooled];
  if (class_vectors === 1) {
    rows.splice(plan.class_vector === "first" ? 0 : rows.length, 0, parts[0].class_token!);
  }
  const all = rows.length === 1 ? rows[0] : tower.graph.node("Concat", "rows", rows, { axis: 1 });
  const { value, width } = project(tower, plan.projector, all, features.width);
  tower.graph.output("vectors", value, "float32", ["N", vectors, width]);
  return {
    tower,
    outline: {
      inputs: inputs.inputs,
      vectors,
      vector_width: width,
      grid,
      weight_bytes: tower.pending.total_bytes,
      tensors_used: [...tower.tensors_used],
    },
  };
}

function prepareEncoder(tower: TowerGraph, encoder: Encoder): PreparedEncoder {
  switch (encoder.kind) {
    case "clip":
    case "siglip_hf":
      return prepareHfEncoder(tower, encoder);
    case "siglip_timm":
    case "dino_timm":
      return prepareTimmEncoder(tower, encoder);
    case "sam":
      return prepareSamEncoder(tower, encoder);
  }
}

/** Patches per side, the same for all; and what else a plan may ask of its encoders. */
function commonGrid(plan: TowerPlan, encoders: readonly PreparedEncoder[]): number {
  const [{ feature_grid: grid, has_class_token }, ...others] = encoders;
  for (const { feature_grid } of others) {
    if (feature_grid !== grid) {
      throw new RangeError(
        `Encoders with grids of ${grid} x ${grid} and ${feature_grid} x ${feature_grid} do not go together`,
      );
    }
  }
  const alone = others.length === 0 && plan.views === "whole";
  if (plan.class_vector !== "none" && !(alone && has_class_token)) {
    throw new RangeError("A class vector needs one encoder that has a class token, and one view");
  }
  return grid;
}
