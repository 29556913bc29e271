// How long to wait before the next try of a lost socket. Pure; knows neither sockets nor timers.

export const backoff_base_ms = 500;
export const backoff_max_ms = 15_000;

/**
 * Full jitter over the upper half: half of the exponential delay is certain, the other half random, so that a
 * thousand viewers of a restarted server do not come back in the same instant. `attempt` counts from 0.
 */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const ceiling_ms = Math.min(backoff_max_ms, backoff_base_ms * 2 ** Math.min(attempt, 16));
  return Math.round(ceiling_ms / 2 + random() * ceiling_ms / 2);
}
