// Sources over HTTP: films, transport streams, motion JPEG, HLS; and servers that lie, stall, redirect and attack.
import { expect } from "@std/expect";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { openSource, type OpenSourceOptions, probeSource, type PullSource } from "../../streams/mod.ts";
import { clip_seconds, type Clips, makeClips, resizedJpeg, splitJpegs } from "./clips.ts";
import { type HttpLab, startHttpLab } from "./http_lab.ts";
import { no_ffmpeg, no_openssl } from "./machine.ts";
import { selfSigned } from "./certificates.ts";
import { lab_policy, prints, type Seen, times, watch } from "./watch.ts";

type Open = (path: string, options?: OpenSourceOptions) => PullSource;

const last = (seen: Seen) => seen.statuses.at(-1)!;

/** Decoders with this text in their arguments. */
async function decodersOf(text: string): Promise<number[]> {
  const { stdout } = await new Deno.Command("pgrep", { args: ["-f", `^ffmpeg .*${text}`] }).output();
  return new TextDecoder().decode(stdout).trim().split("\n").filter((pid) => pid !== "").map(Number);
}

describe("over HTTP", () => {
  let clips: Clips;

  /** A case with a server of its own: one that outlives its case would be a leak to the sanitizers. */
  function served(name: string, body: (at: { lab: HttpLab; open: Open }) => Promise<void>) {
    it.unless(no_ffmpeg, name, async () => {
      await using lab = startHttpLab(clips.directory);
      const open: Open = (path, options) => {
        return openSource({ url: lab.url(path) }, lab_policy, { retry_first_ms: 200, ...options });
      };
      await body({ lab, open });
    });
  }

  beforeAll(async () => {
    if (!no_ffmpeg) clips = await makeClips("clip.ts", "pictures.mjpeg", "vod.m3u8");
  });
  afterAll(() => clips?.remove());

  served("a film, exactly as from disk", async ({ open }) => {
    const request = { pace: "lossless", rate_hz: 3 } as const;
    const seen = await watch(open("/clip.mp4"), request);
    const disk = await watch(openSource({ url: clips.path("clip.mp4") }, lab_policy), request);
    expect(seen.names).toEqual(["connecting", "live", "ended"]);
    expect(times(seen.frames)).toEqual(times(disk.frames));
    expect(await prints(seen.frames)).toEqual(await prints(disk.frames));
    const tail = await watch(open("/clip.mp4"), { ...request, start_at_ms: 4_000 });
    expect(await prints(tail.frames)).toEqual((await prints(disk.frames)).slice(12));
  });

  served("a film whose connection breaks goes on where it was, frame by frame", async ({ lab, open }) => {
    const request = { pace: "lossless", rate_hz: 5 } as const;
    const whole = await watch(open("/clip.mp4"), request);
    lab.broken.cuts_left = 1;
    const seen = await watch(open("/broken.mp4"), request);
    expect(seen.names).toEqual(["connecting", "live", "reconnecting", "live", "ended"]);
    expect(times(seen.frames)).toEqual(times(whole.frames));
    expect(await prints(seen.frames)).toEqual(await prints(whole.frames));
  });

  it.unless(no_openssl, "a film over HTTPS with a certificate of its own making", async () => {
    const tls = await selfSigned(clips);
    await using lab = startHttpLab(clips.directory, { tls });
    const seen = await watch(openSource({ url: lab.url("/clip.mp4") }, lab_policy), {
      pace: "lossless",
      rate_hz: 3,
    });
    expect(seen.names).toEqual(["connecting", "live", "ended"]);
    expect(seen.frames.length).toBe(clip_seconds * 3);
    for (const path of ["/clip.mp4", "/vod.m3u8"]) {
      const source = openSource({ url: lab.url(path) }, { ...lab_policy, verify_tls: "always" });
      const distrusted = await watch(source);
      expect(distrusted.names).toEqual(["connecting", "denied"]);
      expect(last(distrusted).reason).toContain(
        ": its certificate is not trusted (self-signed, or signed by",
      );
      expect(source.counts.starts).toBe(0);
    }
    const list = `/list.mp4?to=${encodeURIComponent("https://169.254.169.254/seg.ts")}`;
    const refused = await watch(openSource({ url: lab.url(list) }, lab_policy));
    expect(last(refused)).toMatchObject({
      status: "denied",
      reason: expect.stringContaining("leads elsewhere"),
    });
  });

  served("a decoder that is killed is started again, and media time goes on", async ({ lab, open }) => {
    const source = open("/mjpeg");
    const seen = await watch(source, {
      until: ({ names }) => names.filter((name) => name === "live").length === 2,
      onFrame: async (_frame, { frames }) => {
        if (frames.length !== 3) return;
        for (const pid of await decodersOf(`127.0.0.1:${lab.port}/mjpeg`)) Deno.kill(pid, "SIGKILL");
      },
    });
    expect(seen.names).toEqual(["connecting", "live", "reconnecting", "live"]);
    expect(seen.statuses[2].reason).toContain("the decoder was killed");
    expect(times(seen.frames)).toEqual(times(seen.frames).toSorted((a, b) => a - b));
  });

  served("a live transport stream, in the time of its arrival", async ({ open }) => {
    const seen = await watch(open("/live"), { until: ({ frames }) => frames.length >= 12 });
    expect(seen.names).toEqual(["connecting", "live"]);
    const gaps = times(seen.frames).slice(1).map((time, index) => time - seen.frames[index].t_media_ms);
    expect(seen.frames[0].t_media_ms).toBe(0);
    for (const gap of gaps) expect(gap).toBeGreaterThan(0);
    expect(seen.frames.at(-1)!.t_media_ms).toBeGreaterThan(1_800);
    expect(seen.frames.at(-1)!.t_media_ms).toBeLessThan(6_000);
    expect(seen.previews.length).toBeGreaterThan(5);
  });

  served("a live stream that ends is opened again, and media time goes on", async ({ open }) => {
    const seen = await watch(open("/live?slice_ms=20", { stall_ms: 3_000 }), {
      until: ({ frames, names }) =>
        names.filter((name) => name === "live").length === 2 && frames.length > 12,
    });
    expect(seen.names.slice(0, 4)).toEqual(["connecting", "live", "reconnecting", "live"]);
    const all = times(seen.frames);
    expect(all).toEqual(all.toSorted((a, b) => a - b));
    expect(all.at(-1)).toBeGreaterThan(2_500);
  });

  served("motion JPEG", async ({ open }) => {
    const seen = await watch(open("/mjpeg"), { until: ({ frames }) => frames.length >= 6 });
    expect(seen.names).toEqual(["connecting", "live"]);
    expect(new Set(await prints(seen.frames)).size).toBeGreaterThan(3);
  });

  served("HLS, closed: every frame, then the end", async ({ open }) => {
    const seen = await watch(open("/vod.m3u8"), { pace: "lossless", rate_hz: 3 });
    expect(seen.names).toEqual(["connecting", "live", "ended"]);
    expect(seen.frames.length).toBe(clip_seconds * 3);
    const master = await watch(open("/master.m3u8?to=vod.m3u8"), { pace: "lossless", rate_hz: 3 });
    expect(await prints(master.frames)).toEqual(await prints(seen.frames));
    expect(master.names).toEqual(seen.names);
    const elsewhere = await watch(open("/master.m3u8?to=http://169.254.169.254/x.m3u8"));
    expect(last(elsewhere).status).toBe("denied");
  });

  served("lossless wants a recording", async ({ open }) => {
    for (const path of ["/mjpeg", "/live", "/hls/live.m3u8", "/master.m3u8?to=hls/live.m3u8"]) {
      const seen = await watch(open(path), { pace: "lossless" });
      expect(last(seen)).toMatchObject({
        status: "denied",
        reason: expect.stringContaining("needs a recording"),
      });
    }
  });

  served("HLS, live: smoothly, not in bursts of a segment", async ({ open }) => {
    const seen = await watch(open("/hls/live.m3u8"), { until: ({ frames }) => frames.length >= 10 });
    expect(seen.names).toEqual(["connecting", "live"]);
    expect(times(seen.frames)).toEqual(seen.frames.map((_, n) => n * 250));
    const spread_ms = seen.frames.at(-1)!.arrived_at_ms - seen.frames[0].arrived_at_ms;
    expect(spread_ms).toBeGreaterThan(1_700);
  });

  served("a server that falls silent: stalled, reconnecting, live again", async ({ lab, open }) => {
    lab.flaky.silent_after_ms = 1_500;
    lab.flaky.served = -1;
    const source = open("/flaky", { stall_ms: 800 });
    const seen = await watch(source, {
      until: ({ names }) => names.filter((name) => name === "live").length === 2,
    });
    expect(seen.names).toEqual(["connecting", "live", "stalled", "reconnecting", "live"]);
    expect(source.counts.starts).toBe(2);
  });

  served("an answer that is no video is refused once and for ever", async ({ open }) => {
    const page = open("/lying.mp4");
    expect(last(await watch(page))).toMatchObject({
      status: "denied",
      reason: expect.stringContaining("web page"),
    });
    expect(page.counts.starts).toBe(0);
    const [small] = splitJpegs(await clips.bytes("pictures.mjpeg"));
    // Long enough to be taken for what its header says: the decoder wants a byte for 256 pixels at least.
    const bomb = new Uint8Array(1_100_000);
    bomb.set(resizedJpeg(small, 16_000, 16_000));
    await Deno.writeFile(clips.path("huge.jpg"), bomb);
    const huge = await watch(open("/huge.jpg"));
    expect(last(huge)).toMatchObject({
      status: "denied",
      reason: expect.stringContaining("resolution_rejected"),
    });
    expect(huge.frames).toEqual([]);
  });

  served("what is not there may come: it is tried again", async ({ open }) => {
    const seen = await watch(open("/nothing.mp4"), { until: ({ names }) => names.length >= 3 });
    expect(seen.names).toEqual(["connecting", "reconnecting", "reconnecting"]);
    expect(last(seen).reason).toContain("404");
  });

  served(
    "a playlist that calls itself a film cannot reach files or forbidden addresses",
    async ({ open }) => {
      const file = open(`/list.mp4?to=${encodeURIComponent(`file://${clips.path("clip.ts")}`)}`);
      const seen = await watch(file, { until: ({ names }) => names.includes("reconnecting") });
      expect(seen.frames).toEqual([]);
      for (
        const target of [
          "http://169.254.169.254/seg.ts",
          "https://169.254.169.254/seg.ts",
          "http://10.0.0.1/seg.ts",
        ]
      ) {
        const refused = await watch(open(`/list.mp4?to=${encodeURIComponent(target)}`));
        expect(last(refused)).toMatchObject({
          status: "denied",
          reason: expect.stringContaining("it leads elsewhere"),
        });
      }
    },
  );

  served("a redirect is followed where the policy allows, and nowhere else", async ({ lab, open }) => {
    const inside = await watch(open(`/redirect?to=${encodeURIComponent(lab.url("/clip.mp4"))}`), {
      until: ({ frames }) => frames.length > 0,
    });
    expect(inside.names).toEqual(["connecting", "live"]);
    for (
      const to of ["http://169.254.169.254/latest/", "http://[::ffff:169.254.1.1]/", "file:///etc/passwd"]
    ) {
      const source = open(`/redirect?to=${encodeURIComponent(to)}`);
      expect(last(await watch(source))).toMatchObject({
        status: "denied",
        reason: expect.stringContaining("redirects"),
      });
      expect(source.counts.starts).toBe(0);
    }
  });

  served("a name that leads to a forbidden address is refused", async ({ lab }) => {
    const resolve = () => Promise.resolve(["127.0.0.1", "169.254.169.254"]);
    const source = openSource({ url: `http://cam.example:${lab.port}/clip.mp4` }, lab_policy, { resolve });
    expect(last(await watch(source))).toMatchObject({
      status: "denied",
      reason: expect.stringContaining("metadata"),
    });
    const fine = openSource({ url: `http://cam.example:${lab.port}/clip.mp4` }, lab_policy, {
      resolve: () => Promise.resolve(["127.0.0.1"]),
    });
    expect((await watch(fine, { until: ({ frames }) => frames.length > 0 })).names).toEqual([
      "connecting",
      "live",
    ]);
  });

  served("user and password are used and never shown", async ({ lab }) => {
    const url = (user: string) => `http://${user}@127.0.0.1:${lab.port}/basic?token=hush-hush`;
    const good = await watch(openSource({ url: url("eve:s3cret-word") }, lab_policy), {
      until: ({ frames }) => frames.length > 0,
    });
    expect(good.names).toEqual(["connecting", "live"]);
    const bad = await watch(openSource({ url: url("eve:wr0ng-word") }, lab_policy));
    expect(last(bad).status).toBe("denied");
    const said = JSON.stringify([good.statuses, bad.statuses]);
    for (const secret of ["s3cret", "wr0ng", "hush", "eve"]) expect(said).not.toContain(secret);
    const digest = `http://eve:s3cret-word@127.0.0.1:${lab.port}/digest`;
    expect(await probeSource({ url: digest }, lab_policy)).toMatchObject({ ok: true });
  });

  served("a server that accepts and says nothing does not hold a probe", async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const url = `http://127.0.0.1:${listener.addr.port}/`;
    const begun_ms = performance.now();
    const probe = await probeSource({ url }, lab_policy, { timeout_ms: 700 });
    expect(probe.ok).toBe(false);
    expect(probe.reason).toContain("no answer in time");
    expect(performance.now() - begun_ms).toBeLessThan(2_500);
  });

  served("a probe tells what it found", async ({ lab }) => {
    const found = await probeSource({ url: lab.url("/clip.mp4") }, lab_policy);
    expect(found).toMatchObject({ ok: true, width: 320, height: 180, codec: "h264", fps: 25 });
    const refused = await probeSource({ url: "http://127.0.0.1:1/clip.mp4" }, lab_policy);
    expect(refused).toEqual({
      ok: false,
      reason: 'Cannot open source "http://127.0.0.1:1/…": connection refused',
    });
  });
});
