// A finished stream model and its tower become a bundle: the projector goes behind the tower's slots into one graph.
// Must not know runs or flags.
import { buildObjectTower } from "../../vision/onnx/object_tower.ts";
import type { TowerWeights } from "../../vision/onnx/object_graph.ts";
import type { NamedTensor } from "../ports.ts";
import { writeStreamBundle } from "./bundle.ts";
import { classTokens } from "./tower_features.ts";

export interface FinishedStream {
  parameters: ReadonlyMap<string, NamedTensor>;
  tower: TowerWeights;
  side_px: number;
  name: string;
  origin: string;
  speak_threshold: number;
}

const limits_note =
  "It knows 64 things drawn as emoji, flat on painted backgrounds, at most four at a time, and the words of the synthetic " +
  "world. It knows nothing of camera pictures: people, rooms and text are not seen, or taken for one of its things.";

/** Replaces a bundle that is there. */
export async function makeStreamBundle(dir: string, stream: FinishedStream): Promise<void> {
  const { parameters, tower, side_px, name, origin, speak_threshold } = stream;
  const size = { width_px: side_px, height_px: side_px };
  const bytes = buildObjectTower(
    (tensor) => tensor.startsWith("proj.") ? parameters.get(tensor) : tower(tensor),
    { ...size, class_tokens: classTokens(), weights: "fp16" },
  );
  await writeStreamBundle(dir, {
    ...{ name, origin, parameters, speak_threshold, limits_note },
    description:
      "Trained by Gander on its synthetic world: it narrates what emoji do, and answers questions about it.",
    licence: "Apache-2.0",
    vision: { bytes, ...size },
  }, true);
}
