// Pushed sources with a real decoder: JPEG, H.264 and WebM from one side, frames on the other, and every way a publisher
// may go away, come back or misbehave.
import { expect } from "@std/expect";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { PushSource } from "../../streams/mod.ts";
import { type Clips, makeClips, resizedJpeg, splitAccessUnits, splitJpegs } from "./clips.ts";
import { no_ffmpeg } from "./machine.ts";
import { during, Publisher, sleep, until } from "./publisher.ts";
import { prints, times } from "./watch.ts";

describe("a pushed source", () => {
  let clips: Clips;
  let jpegs: Uint8Array<ArrayBuffer>[];
  let units: Uint8Array<ArrayBuffer>[];
  let webm: Uint8Array<ArrayBuffer>[];
  beforeAll(async () => {
    if (no_ffmpeg) return;
    clips = await makeClips("pictures.mjpeg", "live.h264", "live.webm");
    jpegs = splitJpegs(await clips.bytes("pictures.mjpeg"));
    units = splitAccessUnits(await clips.bytes("live.h264"));
    const whole = await clips.bytes("live.webm");
    // As a recorder hands it over: about ten pieces a second, the first a single byte when the machine is slow.
    const piece = Math.ceil(whole.byteLength / 30);
    const cuts = [0, 1, ...Array.from({ length: 30 }, (_, n) => (n + 1) * piece)];
    webm = cuts.slice(1).map((end, n) => whole.slice(cuts[n], end)).filter((bytes) => bytes.byteLength);
  });
  afterAll(() => clips?.remove());

  it.unless(
    no_ffmpeg,
    "JPEG: samples at the rate, keeps the publisher's time, shows its pictures",
    async () => {
      const source = new PushSource({ label: "cam1" });
      let publisher!: Publisher;
      const seen = await during(source, async (seen) => {
        await until(() => seen().names.length > 0);
        publisher = new Publisher(source);
        expect(await publisher.play("jpeg", jpegs, { period_ms: 40, in_step: true })).toEqual([]);
        await until(() => seen().frames.length >= 8);
      });
      expect(seen.names).toEqual(["connecting", "live"]);
      // 50 pictures in two seconds, four looked at per second; each keeps the time it was sent with.
      expect(times(seen.frames)).toEqual([0, 280, 520, 760, 1_000, 1_280, 1_520, 1_760]);
      expect(new Set(await prints(seen.frames)).size).toBe(8);
      expect(seen.previews.length).toBeGreaterThanOrEqual(6);
      expect(jpegs).toContainEqual(seen.previews[0]);
      expect(source.counts).toMatchObject({ frames: 8, starts: 1, dropped: {} });
      expect(publisher.granted - publisher.sent).toBe(4);
      expect(publisher.closed).toBeUndefined();
    },
  );

  it.unless(no_ffmpeg, "JPEG: the frame is the picture that was sent with its time", async () => {
    const source = new PushSource({ label: "cam1" });
    const seen = await during(source, async (seen) => {
      const publisher = new Publisher(source);
      await publisher.play("jpeg", jpegs.slice(0, 40), { period_ms: 40, in_step: true });
      await until(() => seen().frames.length >= 6);
    });
    for (const [index, frame] of seen.frames.entries()) {
      const single = new PushSource({ label: "one" });
      const jpeg = jpegs[Math.round(frame.t_media_ms / 40)];
      if (index % 3) continue;
      const check = await during(single, async (seen) => {
        const publisher = new Publisher(single);
        await until(() => publisher.session.credits() > 0);
        publisher.offer("jpeg", jpeg, 0);
        await until(() => seen().frames.length === 1);
      });
      expect(await prints(check.frames)).toEqual(await prints([frame]));
    }
  });

  for (const codec of ["h264", "webm"] as const) {
    it.unless(no_ffmpeg, `${codec}: pictures come while it is being sent`, async () => {
      const source = new PushSource({ label: "cam1" });
      let while_sending = 0;
      const seen = await during(source, async (seen) => {
        const publisher = new Publisher(source);
        const pieces = codec === "h264" ? units : webm;
        expect(await publisher.play(codec, pieces, { period_ms: 3_000 / pieces.length })).toEqual([]);
        while_sending = seen().frames.length;
        publisher.session.detach();
        await until(() => seen().names.at(-1) === "reconnecting");
      });
      expect(seen.names).toEqual(["connecting", "live", "reconnecting"]);
      expect(while_sending).toBeGreaterThan(6);
      expect(new Set(await prints(seen.frames)).size).toBeGreaterThan(5);
      const all = times(seen.frames);
      expect(all).toEqual(all.toSorted((a, b) => a - b));
      expect(all.at(-1)).toBeGreaterThan(2_000);
      expect(all.at(-1)).toBeLessThan(4_500);
      expect(seen.previews.length).toBeGreaterThan(5);
      expect(source.counts.starts).toBe(1);
    });
  }

  it.unless(no_ffmpeg, "a page reload: same stream, media time goes on, one decoder at a time", async () => {
    const source = new PushSource({ label: "cam1" });
    const seen = await during(source, async (seen) => {
      const first = new Publisher(source);
      await first.play("h264", units.slice(0, 40), { period_ms: 40 });
      first.session.detach();
      await until(() => seen().names.at(-1) === "reconnecting");
      await sleep(300);
      const second = new Publisher(source);
      const before = seen().frames.length;
      await second.play("jpeg", jpegs.slice(0, 30), { period_ms: 40, in_step: true });
      expect(seen().frames.length).toBeGreaterThan(before + 2);
      const third = new Publisher(source);
      expect(second.closed?.reason).toBe("another publisher took over");
      expect(second.offer("jpeg", jpegs[0], 0)).toEqual({ taken: false, dropped: "not_running" });
      await third.play("jpeg", jpegs.slice(0, 15), { period_ms: 40 });
    });
    expect(seen.names).toEqual(["connecting", "live", "reconnecting", "live"]);
    const all = times(seen.frames);
    expect(all).toEqual(all.toSorted((a, b) => a - b));
    expect(new Set(all).size).toBe(all.length);
    expect(all.at(-1)).toBeGreaterThan(3_000);
  });

  it.unless(no_ffmpeg, "silence is a stall, absence has its grace, then it is over", async () => {
    const source = new PushSource({ label: "cam1", silent_ms: 300, grace_ms: 400 });
    const seen = await during(source, async (seen) => {
      const publisher = new Publisher(source);
      await publisher.play("jpeg", jpegs.slice(0, 10), { period_ms: 40 });
      await until(() => seen().names.at(-1) === "stalled");
      await publisher.play("jpeg", jpegs.slice(0, 20), { period_ms: 40 });
      publisher.session.detach();
    }, { keep: true });
    expect(seen.names).toEqual(["connecting", "live", "stalled", "live", "reconnecting", "ended"]);
    expect(seen.statuses[2].reason).toBe("the publisher is silent");
    expect(seen.statuses[4].reason).toBe("waiting for the publisher to come back");
    const bye = await during(new PushSource({ label: "cam2" }), async () => {});
    expect(bye.names).toEqual(["connecting"]);
  });

  it.unless(no_ffmpeg, "a goodbye ends it at once", async () => {
    const source = new PushSource({ label: "cam1" });
    const seen = await during(source, async (seen) => {
      const publisher = new Publisher(source);
      await publisher.play("jpeg", jpegs.slice(0, 5), { period_ms: 40 });
      await until(() => seen().frames.length > 0);
      publisher.session.detach(true);
    }, { keep: true });
    expect(seen.names).toEqual(["connecting", "live", "ended"]);
  });

  it.unless(
    no_ffmpeg,
    "a goodbye is no end to a source that is to stay: the next publisher goes on",
    async () => {
      const source = new PushSource({ label: "cam1", goodbye_ends: false });
      const seen = await during(source, async (seen) => {
        for (const frames of [1, 2]) {
          const publisher = new Publisher(source);
          await publisher.play("jpeg", jpegs.slice(0, 5), { period_ms: 40 });
          await until(() => seen().frames.length >= frames && seen().names.at(-1) === "live");
          publisher.session.detach(true);
          await until(() => seen().names.at(-1) === "connecting");
        }
      });
      expect(seen.names).toEqual(["connecting", "live", "connecting", "live", "connecting"]);
      const all = times(seen.frames);
      expect(all).toEqual(all.toSorted((a, b) => a - b));
    },
  );

  it.unless(no_ffmpeg, "a bomb, a lie and a broken header close the connection, not the stream", async () => {
    const source = new PushSource({ label: "cam1" });
    const seen = await during(source, async (seen) => {
      const offers: [Uint8Array, string][] = [
        [resizedJpeg(jpegs[0], 16_000, 16_000), "too_large"],
        [resizedJpeg(jpegs[0], 4_096, 4_096), "too_large"],
        [new TextEncoder().encode("#EXTM3U\nfile:///etc/passwd"), "format"],
      ];
      for (const [payload, code] of offers) {
        const publisher = new Publisher(source);
        await until(() => publisher.session.credits() > 0);
        expect(publisher.offer("jpeg", payload, 0)).toMatchObject({ taken: false, error: { code } });
        expect(publisher.closed?.code).toBe(code);
      }
      const good = new Publisher(source);
      await good.play("jpeg", jpegs.slice(0, 10), { period_ms: 40 });
      await until(() => seen().frames.length > 0);
    });
    expect(seen.names.at(-1)).toBe("live");
    expect(source.counts.starts).toBe(1);
  });

  it.unless(no_ffmpeg, "pictures that do not decode are lost and counted, later ones are not", async () => {
    const source = new PushSource({ label: "cam1" });
    const seen = await during(source, async (seen) => {
      const publisher = new Publisher(source);
      const broken = jpegs[0].slice(0, 700);
      await publisher.play("jpeg", [broken], { period_ms: 40 });
      await sleep(200);
      await publisher.play("jpeg", jpegs.slice(0, 40), {
        period_ms: 100,
        stop: () => seen().frames.length >= 3,
      });
    });
    expect(seen.frames.length).toBeGreaterThanOrEqual(3);
    expect(seen.names.at(-1)).toBe("live");
  });

  it.unless(no_ffmpeg, "bytes that are no H.264 close the connection with a sentence", async () => {
    const source = new PushSource({ label: "cam1", first_frame_ms: 700 });
    let publisher!: Publisher;
    const seen = await during(source, async () => {
      publisher = new Publisher(source);
      const noise = Array.from({ length: 200 }, () => crypto.getRandomValues(new Uint8Array(900)));
      await publisher.play("webm", [new Uint8Array([0x1a, 0x45, 0xdf, 0xa3]), ...noise], { period_ms: 20 });
      await until(() => publisher.closed !== undefined);
    });
    expect(publisher.closed).toMatchObject({ code: "format", retry: "never" });
    expect(seen.frames).toEqual([]);
    expect(seen.names).toEqual(["connecting", "reconnecting"]);
  });

  it.unless(no_ffmpeg, "who ignores credits loses messages, and they are counted", async () => {
    const source = new PushSource({ label: "cam1" });
    let taken = 0, dropped = 0;
    await during(source, async () => {
      const publisher = new Publisher(source);
      await until(() => publisher.session.credits() > 0);
      for (const [index, unit] of [...units, ...units].entries()) {
        const verdict = publisher.offer("h264", unit, index * 40_000, index === 0);
        if (verdict.taken) taken++;
        else dropped++;
      }
      await sleep(50);
    });
    expect(taken).toBe(16);
    const counted = Object.values(source.counts.dropped).reduce((sum, count) => sum + count, 0);
    expect(counted).toBe(dropped);
    expect(source.counts.dropped.no_credit).toBeGreaterThan(0);
  });

  it.unless(no_ffmpeg, "a stream that is stopped and started anew goes on with its publisher", async () => {
    const source = new PushSource({ label: "cam1" });
    const publisher = new Publisher(source);
    for (const start_at_ms of [0, 5_000]) {
      const seen = await during(source, async (seen) => {
        expect(await publisher.play("jpeg", jpegs.slice(0, 20), { period_ms: 40 })).toEqual([]);
        await until(() => seen().frames.length >= 3);
      }, { start_at_ms });
      expect(seen.frames[0].t_media_ms).toBe(start_at_ms);
      expect(seen.names).toEqual(["connecting", "live"]);
      publisher.offer("jpeg", jpegs[0], 0);
    }
    expect(publisher.closed).toBeUndefined();
    expect(source.counts.dropped).toEqual({ not_running: 2 });
  });
});
