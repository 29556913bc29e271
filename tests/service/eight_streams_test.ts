// Eight streams at two ticks a second on the built-in bundle: no backlog, and captions are fresh.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { sampleClip } from "./clip.ts";
import { until } from "./gander_process.ts";
import { openWhole } from "./whole_service.ts";

const streams = 8;
const watch_ms = 20_000;

describe("eight streams", () => {
  it("run side by side without backlog, captions younger than 1.5 s at the 95th percentile", async () => {
    await using whole = await openWhole({ bundle: "builtin", fsync: "full" });
    const { service } = whole.gander;
    const clip = await sampleClip();
    for (let number = 0; number < streams; number++) {
      await service.add({
        id: `s${number}`,
        name: `stream ${number}`,
        source: number % 2 === 0
          ? { kind: "pull", url: clip, loop: true }
          : { kind: "pull", url: "testsrc:testsrc2?size=640x360&rate=25" },
        // Every frame is fed and the model speaks as often as it likes: the most work there is.
        gates: { change: false, novelty: false },
        speak_threshold: 0.2,
      });
    }
    await until(() => service.list().every(({ stats }) => stats.ticks > 0), "every stream sees");
    const first = service.list().map(({ stats }) => stats.ticks);
    await new Promise((resolve) => setTimeout(resolve, watch_ms));
    const views = service.list();
    const ages = views.map(({ stats }) => stats.caption_age_p95_ms ?? 0);
    const steps = views.map(({ stats }) => stats.step_p95_ms ?? 0);
    const line = `eight streams: caption age p95 ${Math.max(...ages).toFixed(0)} ms, tick p95 ${
      Math.max(...steps).toFixed(0)
    } ms, captions ${views.reduce((sum, { stats }) => sum + stats.captions, 0)}\n`;
    Deno.stdout.writeSync(new TextEncoder().encode(line));
    for (const [number, { stats, status }] of views.entries()) {
      expect(status).toBe("live");
      expect(stats.ticks - first[number]!).toBeGreaterThanOrEqual((watch_ms / 1000) * 2 * 0.95);
      expect(stats.captions).toBeGreaterThan(0);
      // No backlog: a frame that had to make room for a newer one would be counted here.
      expect(stats.drops.mailbox).toBeLessThan(stats.frames_offered * 0.02);
      expect(stats.caption_age_p95_ms).toBeLessThan(1_500);
    }
  });
});
