// A pipeline whose model was trained on single pictures: policy "refresh" on the fakes, with what it was asked written
// down, and scenes that a test paints.
import { makeFakePictures } from "../../src/pipeline/fake_model.ts";
import type { RefreshPolicy } from "../../src/pipeline/policy.ts";
import type { Turn } from "../../src/pipeline/ports.ts";
import type { RefreshSettings } from "../../src/pipeline/surface.ts";

export interface AskedPolicy extends RefreshPolicy {
  /** Every turn that was put to the model, oldest first. */
  asked: Turn[];
}

/** A caption every 2 s at most, when a fiftieth changed, every 10 s at least. */
export function refreshPolicy(change: Partial<RefreshSettings> = {}, frames = 1): AskedPolicy {
  const pictures = makeFakePictures();
  const asked: Turn[] = [];
  return {
    kind: "refresh",
    asked,
    pictures: {
      ...pictures,
      parts: (turns) => {
        asked.push(...turns);
        return pictures.parts(turns);
      },
    },
    settings: {
      ...{ instruction: "What happens?{summary}", language: "en" },
      ...{ cadence_s: 2, every_s: 10, change_min: 0.02 },
      ...change,
    },
    own_language: "en",
    frames,
  };
}

/** A picture of one grey, 0 to 255. */
export function grey(level: number): Uint8Array {
  return new Uint8Array(16 * 16 * 3).fill(level);
}

/** Everything the model says is `text(n)`, for the n-th caption it speaks. */
export function saying(text: (count: number) => string) {
  let count = 0;
  return {
    caption_tokens_max: 1,
    stop_tokens: [],
    decoder: () => {
      const words = text(++count);
      return { push: () => words, end: () => "" };
    },
  };
}
