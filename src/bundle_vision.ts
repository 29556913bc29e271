// The vision of a bundle: its tower and, where there is one, the compressor behind it, opened with the settings that the
// manifest has. Wires; decides nothing.
import { openEngine } from "../ffi/mod.ts";
import { CompressedVision } from "./compressed_vision.ts";
import type { Bundle } from "./model/bundle.ts";
import { type OnnxVision, openVision, type VisionOptions } from "./vision/vision.ts";

export interface BundleVisionOptions extends Pick<VisionOptions, "threads" | "providers" | "log"> {
  /** Of the compressor, which runs on the native engine. */
  library_path: string;
  device?: "auto" | "echo" | "cpu" | "cuda";
  engine_threads: number;
}

export type BundleVision = OnnxVision | CompressedVision<OnnxVision>;

/** Undefined for a text-only bundle. Throws VisionError and NativeError; nothing is left open then. */
export async function openBundleVision(
  { manifest, vision_path, compressor_path }: Bundle,
  { library_path, device, engine_threads, threads, providers, log }: BundleVisionOptions,
): Promise<BundleVision | undefined> {
  const { vision, rwkv } = manifest;
  if (vision === null || vision_path === undefined) return undefined;
  const { width_px, height_px, fit, filter, inputs, views, tiling, compressor, vectors_per_frame } = vision;
  const tower = await openVision({
    model_path: vision_path,
    ...{ width_px, height_px, fit, filter, inputs, views, tiling },
    // Behind a compressor the manifest's number is not the tower's.
    vectors_per_frame: compressor === null ? vectors_per_frame : undefined,
    vector_width: rwkv.width,
    ...{ threads, providers, log },
  });
  if (compressor === null) return tower;
  try {
    const blocks = await openEngine({
      library_path,
      device,
      weights_path: compressor_path,
      states_max: 1,
      threads: engine_threads,
    });
    return new CompressedVision(tower, blocks, { vectors_per_frame, padding: compressor.padding });
  } catch (error) {
    await tower.close();
    throw error;
  }
}

/** The tower of a vision, for what a person wants to know of it. */
export function towerOf(vision: BundleVision): OnnxVision {
  return vision instanceof CompressedVision ? vision.tower : vision;
}
