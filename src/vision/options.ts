// What a vision is opened with and what it tells about itself. Types, and the sight that options mean. Must not know
// workers or bundles.
import type { BatchTrial } from "./batch_trial.ts";
import type { Provider } from "./messages.ts";
import type { Sight } from "./views.ts";

/** A sight left out means frames and pictures of the graph's one input, stretched by the bicubic filter. */
export interface VisionOptions extends Partial<Sight> {
  model_path: string;
  /** Size of the frames for `encode`. */
  width_px: number;
  height_px: number;
  /** K of one tile; left out: what the tower gives. */
  vectors_per_frame?: number;
  /** D. */
  vector_width: number;
  /** Threads of the session. */
  threads: number;
  /** Tried in this order; default cuda, webgpu, cpu. */
  providers?: readonly Provider[];
  /** Frames of one run at most, where batching pays. Default 8. */
  batch_max?: number;
  /** Frames that may wait. Default 256. */
  queue_max?: number;
  /** A run of one view of one tile that takes longer counts as a crash. Default 120 000. */
  run_ms_max?: number;
  /** One line for the log. */
  log: (line: string) => void;
  /** For tests: another worker. */
  spawn?: () => Worker;
  /** For tests: another wait before a lost worker is opened anew. Ends at once when the signal aborts. */
  sleep?: (duration_ms: number, signal: AbortSignal) => Promise<void>;
}

export interface VisionStats {
  /** Frames and pictures. */
  frames: number;
  runs: number;
  /** Frames of the largest run so far. */
  batch_frames_largest: number;
  /** Frames that wait now. */
  waiting: number;
  /** Session time, all runs together; divide by `runs` or `frames`. */
  run_ms_total: number;
  /** Whether batching pays on this machine, and the measurement behind it. */
  batching: BatchTrial;
  /** Times the worker was opened anew. */
  reopened: number;
}

/** Without inputs: one of the frame's size, under the name that the model gives it. */
export function sightOf(options: VisionOptions, graph_input = "rgb"): Sight {
  const { fit = "stretch", filter = "bicubic", views = "whole", tiling = null, inputs = [] } = options;
  const { width_px, height_px } = options;
  const named = inputs.length > 0 ? inputs : [{ name: graph_input, width_px, height_px }];
  return { fit, filter, views, tiling, inputs: named };
}
