// Numbers of a fake stream: every one different from the others, so that none can stand in another's place.
import type { StreamStats } from "../../src/pipeline/surface.ts";

export const no_stats: StreamStats = {
  ticks: 7,
  frames_offered: 10,
  frames_fed: 6,
  captions: 0,
  p_speak: 0.5,
  speak_threshold: 0.4,
  caption_age_p50_ms: 120,
  caption_age_p95_ms: 340,
  step_p50_ms: 20,
  step_p95_ms: 30,
  state_bytes: 4096,
  memory_age_ms: 3_500,
  snapshots: 0,
  questions_active: 0,
  viewers: 0,
  drops: { mailbox: 3, still: 1, failed: 4, novelty: 0, empty: 2, refused: 0 },
};
