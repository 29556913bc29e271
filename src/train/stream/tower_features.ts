// What a trained object tower makes of the world's scenes: frames are painted tick by tick and seen through the graph,
// before the projector, as the running service would. Must not know rows, lines or the trainer.
import { join } from "node:path";
import { openVision } from "../../vision/vision.ts";
import { Renderer } from "../../world/renderer.ts";
import type { Script } from "../../world/script.ts";
import { openSprites } from "../../world/sprite_store.ts";
import { buildObjectTower } from "../../vision/onnx/object_tower.ts";
import type { TowerWeights } from "../../vision/onnx/object_graph.ts";
import { slots_per_frame } from "../../vision/slots.ts";
import { things } from "../../world/vocabulary.ts";
import { rate_hz } from "./clip.ts";
import type { TowerFeatures } from "./rows.ts";
import { slot_width, tick_floats } from "./simulate.ts";
import { worldVocabulary } from "./vocabulary.ts";

/** Below what the vision lets wait. */
const frames_waiting_max = 64;

export interface TowerEyes extends AsyncDisposable {
  look: TowerFeatures;
}

/** Words of each class's name, as towers of the world are trained with. */
export function classTokens(): number[][] {
  const { encode } = worldVocabulary();
  return things.map(({ name }) => encode(` ${name}`));
}

/** `work_dir`: where the graph is put while it is open. Throws VisionError, RangeError for weights that do not fit. */
export async function openTowerEyes(
  weights: TowerWeights,
  { work_dir, art_dir, side_px }: { work_dir: string; art_dir: string; side_px: number },
): Promise<TowerEyes> {
  const size = { width_px: side_px, height_px: side_px };
  await Deno.mkdir(work_dir, { recursive: true });
  const model_path = join(work_dir, "tower.onnx");
  const graph = buildObjectTower(weights, { ...size, class_tokens: classTokens(), weights: "fp16" });
  await Deno.writeFile(model_path, graph);
  const vision = await openVision({
    ...{ model_path, ...size, views: "before_and_now", vector_width: slot_width },
    ...{ vectors_per_frame: slots_per_frame, threads: 1, log: () => {} },
  });
  const spriteOf = openSprites(art_dir);
  return {
    async look(script: Script, ticks: number): Promise<Float32Array> {
      const renderer = new Renderer(script, spriteOf, size);
      const frames = Array.from({ length: ticks }, (_, tick) => renderer.frame(tick / rate_hz));
      const out = new Float32Array(ticks * tick_floats);
      for (let first = 0; first < ticks; first += frames_waiting_max) {
        await Promise.all(
          frames.slice(first, first + frames_waiting_max).map(async (frame, index) => {
            const tick = first + index;
            out.set(await vision.encode(frame, frames[tick - 1]), tick * tick_floats);
          }),
        );
      }
      return out;
    },
    [Symbol.asyncDispose]: () => vision.close(),
  };
}
