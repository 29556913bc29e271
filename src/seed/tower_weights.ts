// Random weights for a CLIP-type tower in which different pictures still give different vectors: the patches
// outweigh the positions. Must not know files.
import { type ClipTowerShape, vectorsPerFrame, type WeightLookup } from "../vision/onnx/clip_tower.ts";
import { channel, contentEnd } from "./channels.ts";
import { uniform } from "../random.ts";

/** Size of the mark of a cell; content has about half of it. */
const cell_mark = 2;

/** Weights by the names buildClipTower asks for. */
export function randomTower(shape: ClipTowerShape, seed: number): WeightLookup {
  const { width, patch_px, mlp_width, width_px, height_px, vector_width, class_token } = shape;
  const pixels = 3 * patch_px ** 2;
  const tokens = Math.floor(width_px / patch_px) * Math.floor(height_px / patch_px) + (class_token ? 1 : 0);
  const draw = (name: string, count: number, deviation: number) => uniform(seed, name, count, deviation);
  return (name) => {
    if (name === "proj.bias") return undefined;
    if (/norm\w*\.weight$/.test(name)) return new Float32Array(width).fill(1);
    if (/norm\w*\.bias$/.test(name)) return new Float32Array(width);
    if (name === "embeddings.patch_embedding.weight") return draw(name, width * pixels, 3 * pixels ** -0.5);
    if (name === "embeddings.position_embedding.weight") return draw(name, tokens * width, 0.3);
    if (name === "embeddings.class_embedding") return draw(name, width, 1);
    if (name === "proj.weight") return contentRows(draw(name, vector_width * width, width ** -0.5), shape);
    if (name === "proj.position") return cellMarks(shape);
    if (name.endsWith("fc1.weight")) return draw(name, mlp_width * width, width ** -0.5);
    if (name.endsWith("fc1.bias")) return draw(name, mlp_width, 0.1);
    if (name.endsWith("fc2.weight")) return draw(name, width * mlp_width, mlp_width ** -0.5);
    if (name.endsWith("_proj.weight")) return draw(name, width * width, width ** -0.5);
    return draw(name, width, 0.1);
  };
}

/** The projector writes the content channels and no others, and their sum is zero for every picture. */
function contentRows(projector: Float32Array, { width, vector_width }: ClipTowerShape): Float32Array {
  const from = channel.content_first, to = contentEnd(vector_width);
  projector.fill(0, 0, from * width).fill(0, to * width);
  for (let column = 0; column < width; column++) {
    let sum = 0;
    for (let row = from; row < to; row++) sum += projector[row * width + column];
    for (let row = from; row < to; row++) projector[row * width + column] -= sum / (to - from);
  }
  return projector;
}

/** Tells the cells of the picture apart: one channel each. */
function cellMarks(shape: ClipTowerShape): Float32Array {
  const count = vectorsPerFrame(shape);
  const marks = new Float32Array(count * shape.vector_width);
  for (let cell = 0; cell < count; cell++) {
    const vector = marks.subarray(cell * shape.vector_width);
    vector[channel.cell_first + cell] = cell_mark;
    vector[channel.balance] -= cell_mark;
  }
  return marks;
}
