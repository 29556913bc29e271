// Every bound of the synthetic world in one place, with its reason.
export const world_limits = {
  /** A day: longer runs are several scripts. */
  duration_s_max: 86_400,
  /** Objects of one script: hours at a few new ones a minute. */
  objects_max: 100_000,
  /** Keys of one object's path, or of the light. */
  keys_max: 100_000,
} as const;
