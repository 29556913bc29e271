// An innocent stream beside the one that is being mistreated: did it notice?
import type { Gander } from "../../src/cli/commands.ts";
import { until } from "./gander_process.ts";

const rate_hz = 4;

export interface Witness {
  /** Watches for `watch_ms` more and says what it noticed: undefined when nothing. */
  testify(watch_ms?: number): Promise<string | undefined>;
}

/** A live test pattern, fed every tick. */
export async function callWitness(gander: Gander): Promise<Witness> {
  const { service } = gander;
  await service.add({
    id: "witness",
    name: "witness",
    source: { kind: "pull", url: "testsrc:testsrc2?size=160x120&rate=10" },
    tick_rate_hz: rate_hz,
    gates: { change: false, novelty: true },
  });
  await until(() => service.get("witness").stats.ticks >= 4, "the witness sees");
  const look = () => ({ at_ms: performance.now(), view: service.get("witness") });
  let last = look();
  return {
    async testify(watch_ms = 1_000) {
      await new Promise((resolve) => setTimeout(resolve, watch_ms));
      const now = look();
      const seconds = (now.at_ms - last.at_ms) / 1000;
      const ticks = now.view.stats.ticks - last.view.stats.ticks;
      const lost = now.view.stats.drops.mailbox - last.view.stats.drops.mailbox;
      const before = last;
      last = now;
      if (now.view.status !== "live") return `its status is ${now.view.status}: ${now.view.reason}`;
      if (now.view.since_ms !== before.view.since_ms) return "its source was opened again";
      // Two ticks may lie on either side of the two looks; more are missing because something was held up.
      if (ticks + lost < seconds * rate_hz - 2) return `${ticks} ticks in ${seconds.toFixed(1)} s`;
      if (lost > 0.2 * seconds * rate_hz) return `${lost} of ${ticks + lost} frames came too fast for it`;
      return undefined;
    },
  };
}
