// The error of the vision room. Must not know HTTP or streams.
import { GanderError, type Retry } from "../errors.ts";

export type VisionCode =
  | "vision_model"
  | "vision_input"
  | "vision_output"
  | "vision_busy"
  | "vision_lost"
  | "vision_closed";

/** A lost worker is opened anew, and a full queue empties, by itself; the rest will not change by trying again. */
const retries: Record<VisionCode, Retry> = {
  vision_model: "never",
  vision_input: "never",
  vision_output: "never",
  vision_busy: "backoff",
  vision_lost: "backoff",
  vision_closed: "never",
};

/**
 * vision_model: the file cannot be loaded, or is no tower of the promised shape. vision_input: a frame of the
 * wrong size. vision_output: the tower answered NaN or infinity. vision_busy: too many frames wait.
 * vision_lost: the worker crashed or hangs; it comes back by itself. vision_closed: used after close().
 */
export class VisionError extends GanderError {
  override readonly name = "VisionError";
  constructor(override readonly code: VisionCode, message: string, options?: ErrorOptions) {
    super(code, message, retries[code], options);
  }
}
