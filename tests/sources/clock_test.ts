// The sources of the service live by the service's clock: a test that runs days in a second runs them, too.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import type { Clock } from "../../src/clock.ts";
import type { Log } from "../../src/log.ts";
import { createSources } from "../../src/sources.ts";
import { lab_policy } from "./watch.ts";

describe("createSources", () => {
  it("hands its clock to the sources it opens", async () => {
    const stop = new AbortController();
    const waits_ms: number[] = [];
    const clock: Clock = {
      now_ms: () => 86_400_000,
      monotonic_ms: () => 42_000,
      sleep: (duration_ms, signal) => {
        waits_ms.push(duration_ms);
        if (waits_ms.length >= 3) stop.abort();
        return signal?.aborted ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, 0));
      },
    };
    const quiet = () => {};
    const log = { debug: quiet, info: quiet, warn: quiet, error: quiet } as unknown as Log;
    const sources = createSources({ policy: lab_policy, log, clock });
    const events = { onFrame: quiet, onPreview: quiet, onStatus: quiet };
    const request = { width_px: 32, height_px: 24, rate_hz: 2, pace: "live", start_at_ms: 0 } as const;
    // Nothing listens there: it waits longer each time, by this clock. With the system's the test would take seconds.
    const begun_ms = performance.now();
    await sources.openPull({ kind: "pull", url: "http://127.0.0.1:1/x" }).run(request, events, stop.signal);
    expect(waits_ms.length).toBeGreaterThanOrEqual(3);
    expect(performance.now() - begun_ms).toBeLessThan(900);
    const leaving = new AbortController();
    const before = waits_ms.length;
    const pushed = sources.openPush().run(request, events, leaving.signal);
    await Promise.resolve();
    expect(waits_ms.length).toBeGreaterThan(before);
    leaving.abort();
    await pushed;
  });
});
