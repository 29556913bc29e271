// Whether several frames in one run are cheaper than one after the other: measured on this machine with this
// tower, because on two cores it usually is not. Must not know workers.

import { vision_limits } from "./limits.ts";

const {
  trial_frames,
  trial_rounds: rounds,
  trial_saving_min: saving_min,
  trial_single_ms_max: single_ms_max,
  trial_first_ms_max: first_ms_max,
} = vision_limits;

export interface BatchTrial {
  pays: boolean;
  /** Milliseconds for one frame alone, the quickest run of the trial. */
  single_ms: number;
  /** Milliseconds for one run of four frames; undefined when it was not tried. */
  batch_ms?: number;
  /** The finding as a sentence. */
  finding: string;
}

/** `run` does one inference of so many frames and answers its time. `batches`: the model takes them at all. */
export async function tryBatches(
  run: (frames: number) => Promise<number>,
  batches: boolean,
): Promise<BatchTrial> {
  // The first run allocates: unless it took very long, the second is the one that counts.
  let first_ms = await run(1);
  if (first_ms <= first_ms_max) first_ms = await run(1);
  if (!batches) return { pays: false, single_ms: first_ms, finding: "the model takes one frame at a time" };
  if (first_ms > single_ms_max) {
    return {
      pays: false,
      single_ms: first_ms,
      finding: `not tried: one frame takes ${first_ms.toFixed(0)} ms`,
    };
  }
  await run(trial_frames);
  let single_ms = first_ms;
  let batch_ms = Infinity;
  for (let round = 0; round < rounds; round++) {
    for (let index = 0; index < trial_frames; index++) single_ms = Math.min(single_ms, await run(1));
    batch_ms = Math.min(batch_ms, await run(trial_frames));
  }
  const pays = batch_ms < (1 - saving_min) * trial_frames * single_ms;
  const finding = `${trial_frames} frames take ${batch_ms.toFixed(1)} ms together, ` +
    `${(trial_frames * single_ms).toFixed(1)} ms one by one: ${pays ? "batched" : "not batched"}`;
  return { pays, single_ms, batch_ms, finding };
}
