// Recordings on disk and test patterns: exact frames, exact times, the same bytes every time.
import { expect } from "@std/expect";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { makeSampleClip, openSource } from "../../streams/mod.ts";
import { clip_seconds, type Clips, ffmpeg, makeClips } from "./clips.ts";
import { no_ffmpeg } from "./machine.ts";
import { lab_policy, prints, times, watch } from "./watch.ts";

const lossless = { pace: "lossless", rate_hz: 3 } as const;

describe("a recording", () => {
  let clips: Clips;
  const open = (name: string, loop = false) => openSource({ url: clips.path(name), loop }, lab_policy);
  beforeAll(async () => {
    if (!no_ffmpeg) clips = await makeClips("clip.ts", "clip.mkv");
  });
  afterAll(() => clips?.remove());

  for (const name of ["clip.mp4", "clip.ts", "clip.mkv"]) {
    it.unless(no_ffmpeg, `${name}: lossless gives every frame of the grid, twice the same`, async () => {
      const first = await watch(open(name), lossless);
      const second = await watch(open(name), lossless);
      expect(first.names).toEqual(["connecting", "live", "ended"]);
      expect(times(first.frames)).toEqual(Array.from({ length: clip_seconds * 3 }, (_, n) => n * 1_000 / 3));
      expect(await prints(second.frames)).toEqual(await prints(first.frames));
      expect(new Set(await prints(first.frames)).size).toBe(first.frames.length);
      for (const { rgb, width_px, height_px } of first.frames) {
        expect(rgb.byteLength).toBe(width_px * height_px * 3);
      }
    });

    it.unless(no_ffmpeg, `${name}: started later it gives the tail of the whole`, async () => {
      const whole = await watch(open(name), lossless);
      for (const skip of [1, 8, 13]) {
        const tail = await watch(open(name), { ...lossless, start_at_ms: skip * 1_000 / 3 });
        expect(times(tail.frames)).toEqual(times(whole.frames).slice(skip));
        expect(await prints(tail.frames)).toEqual((await prints(whole.frames)).slice(skip));
      }
    });
  }

  it.unless(no_ffmpeg, "lossless waits for whoever takes the frames", async () => {
    let open_count = 0, open_max = 0;
    const seen = await watch(open("clip.mp4"), {
      ...lossless,
      rate_hz: 25,
      async onFrame() {
        open_max = Math.max(open_max, ++open_count);
        await new Promise((resolve) => setTimeout(resolve, 4));
        open_count--;
      },
    });
    expect(open_max).toBe(1);
    expect(seen.frames.length).toBe(clip_seconds * 25);
  });

  it.unless(no_ffmpeg, "a slow consumer of lossless frames is not taken for a stall", async () => {
    const source = openSource({ url: clips.path("clip.mp4") }, lab_policy, { stall_ms: 300 });
    const seen = await watch(source, {
      ...lossless,
      rate_hz: 1,
      onFrame: async (_frame, { frames }) => {
        if (frames.length === 2) await new Promise((resolve) => setTimeout(resolve, 900));
      },
    });
    expect(seen.names).toEqual(["connecting", "live", "ended"]);
    expect(seen.frames.length).toBe(clip_seconds);
  });

  it.unless(no_ffmpeg, "a loop goes on in media time, also when started in a later lap", async () => {
    const until = ({ frames }: { frames: unknown[] }) => frames.length >= clip_seconds * 3 * 2 + 5;
    const laps = await watch(open("clip.mp4", true), { ...lossless, until });
    const lap = await prints(laps.frames.slice(0, clip_seconds * 3));
    expect(times(laps.frames)).toEqual(laps.frames.map((_, n) => n * 1_000 / 3));
    expect(await prints(laps.frames.slice(lap.length, 2 * lap.length))).toEqual(lap);
    const later = await watch(open("clip.mp4", true), {
      ...lossless,
      start_at_ms: (2 * lap.length + 4) * 1_000 / 3,
      until: ({ frames }) => frames.length >= 5,
    });
    expect(await prints(later.frames.slice(0, 5))).toEqual(lap.slice(4, 9));
    expect(later.frames[0].t_media_ms).toBe((2 * lap.length + 4) * 1_000 / 3);
  });

  it.unless(no_ffmpeg, "a loop of one picture keeps time", async () => {
    await ffmpeg("-i", clips.path("clip.mp4"), "-frames:v", "1", clips.path("one.jpg"));
    const seen = await watch(open("one.jpg", true), { timeout_ms: 1_500 });
    expect(times(seen.frames)).toEqual(seen.frames.map((_, n) => n * 250));
    expect(seen.frames.length).toBeGreaterThan(1);
    expect(seen.frames.length).toBeLessThanOrEqual(7);
  });

  it.unless(no_ffmpeg, "an abort does not wait for whoever holds a frame", async () => {
    const held = Promise.withResolvers<void>();
    const seen = await watch(open("clip.mp4"), {
      ...lossless,
      timeout_ms: 1_000,
      onFrame: (_frame, { frames }) => frames.length === 2 ? held.promise : undefined,
    });
    expect(seen.frames.length).toBe(2);
    held.resolve();
  });

  it.unless(no_ffmpeg, "live shows it in real time, with previews, and counts everything", async () => {
    const source = open("clip.mp4");
    const begun_ms = performance.now();
    const seen = await watch(source, { until: ({ frames }) => frames.length >= 9 });
    const took_ms = performance.now() - begun_ms;
    expect(took_ms).toBeGreaterThan(1_700);
    expect(times(seen.frames)).toEqual([0, 250, 500, 750, 1_000, 1_250, 1_500, 1_750, 2_000]);
    expect(source.counts.frames).toBe(seen.frames.length);
    expect(seen.previews.length).toBeGreaterThanOrEqual(6);
    for (const jpeg of seen.previews) {
      expect([...jpeg.subarray(0, 3), ...jpeg.subarray(-2)]).toEqual([255, 216, 255, 255, 217]);
    }
  });

  it.unless(no_ffmpeg, "live started later goes on from there", async () => {
    const seen = await watch(open("clip.mp4"), { start_at_ms: 4_500 });
    expect(times(seen.frames)).toEqual([4_500, 4_750, 5_000, 5_250, 5_500, 5_750]);
    expect(seen.names.at(-1)).toBe("ended");
  });

  it.unless(no_ffmpeg, "started behind its end it is over", async () => {
    for (const name of ["clip.mp4", "clip.mkv"]) {
      const seen = await watch(open(name), { ...lossless, start_at_ms: 60_000 });
      expect(seen.names).toEqual(["connecting", "ended"]);
    }
  });

  it.unless(no_ffmpeg, "abort in the middle settles everything", async () => {
    const seen = await watch(open("clip.mp4"), { until: ({ frames }) => frames.length >= 2 });
    expect(seen.names).toEqual(["connecting", "live"]);
  });

  it.unless(no_ffmpeg, "cut off in the middle it gives what is there and says so", async () => {
    const bytes = await clips.bytes("clip.mp4");
    await Deno.writeFile(clips.path("cut.mp4"), bytes.slice(0, Math.floor(bytes.byteLength * 0.6)));
    const seen = await watch(open("cut.mp4"), lossless);
    expect(seen.frames.length).toBeGreaterThan(4);
    expect(seen.statuses.at(-1)).toMatchObject({
      status: "ended",
      reason: expect.stringContaining("damaged or cut off"),
    });
  });

  it.unless(no_ffmpeg, "without its index it is refused with a sentence", async () => {
    await ffmpeg("-i", clips.path("clip.mp4"), "-c", "copy", clips.path("late.mp4"));
    const bytes = await Deno.readFile(clips.path("late.mp4"));
    await Deno.writeFile(clips.path("cut2.mp4"), bytes.slice(0, Math.floor(bytes.byteLength * 0.6)));
    const seen = await watch(open("cut2.mp4"), lossless);
    expect(seen.statuses.at(-1)).toMatchObject({
      status: "denied",
      reason: expect.stringContaining("incomplete"),
    });
  });

  it.unless(
    no_ffmpeg,
    "a playlist, a page and an empty file are refused before anything decodes them",
    async () => {
      const files = {
        "list.mp4": ["#EXTM3U\n#EXTINF:2,\nfile:///etc/hostname\n", "playlist on disk"],
        "page.mp4": ["<!doctype html><p>hello", "web page"],
        "empty.mp4": ["", "empty"],
      };
      for (const [name, [text, words]] of Object.entries(files)) {
        await Deno.writeTextFile(clips.path(name), text);
        const source = open(name);
        const seen = await watch(source, lossless);
        expect(seen.statuses.at(-1)).toMatchObject({
          status: "denied",
          reason: expect.stringContaining(words),
        });
        expect(source.counts.starts).toBe(0);
      }
    },
  );

  it.unless(no_ffmpeg, "only below the allowed directories, links followed first", async () => {
    const policy = { ...lab_policy, allow_files: [clips.directory] };
    expect((await watch(openSource({ url: clips.path("clip.mp4") }, policy), lossless)).names.at(-1)).toBe(
      "ended",
    );
    await Deno.symlink("/etc/hostname", clips.path("link.mp4"));
    for (const url of [clips.path("link.mp4"), `${clips.directory}/../../etc/hostname`, "/dev/zero"]) {
      const seen = await watch(openSource({ url }, policy), lossless);
      expect(seen.statuses.at(-1)).toMatchObject({
        status: "denied",
        reason: expect.stringContaining("outside"),
      });
    }
    const pipe = await watch(openSource({ url: "/dev/zero" }, lab_policy), lossless);
    expect(pipe.statuses.at(-1)).toMatchObject({
      status: "denied",
      reason: expect.stringContaining("regular file"),
    });
  });
});

describe("the sample clip", () => {
  it.unless(no_ffmpeg, "is made in seconds, small, and plays", async () => {
    const directory = await Deno.makeTempDir({ prefix: "gander-sample-" });
    try {
      const path = `${directory}/sample.mp4`;
      await makeSampleClip(path);
      expect((await Deno.stat(path)).size).toBeLessThan(4_000_000);
      const seen = await watch(openSource({ url: path }, lab_policy), { pace: "lossless", rate_hz: 2 });
      expect(seen.frames.length).toBe(90);
      const distinct = new Set(await prints(seen.frames)).size;
      expect(distinct).toBeGreaterThan(40);
      expect(distinct).toBeLessThan(85);
      await expect(makeSampleClip(`${directory}/no/such/place.mp4`)).rejects.toThrow("sample clip");
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
});

describe("a test pattern", () => {
  it.unless(no_ffmpeg, "is the same from any start, and runs in real time when live", async () => {
    const open = () => openSource({ url: "testsrc:?size=160x120&rate=10&name=testsrc2" }, lab_policy);
    const until = ({ frames }: { frames: unknown[] }) => frames.length >= 8;
    const whole = await watch(open(), { ...lossless, until });
    const tail = await watch(open(), {
      ...lossless,
      start_at_ms: 3_000 / 3,
      until: ({ frames }) => frames.length >= 4,
    });
    expect(await prints(tail.frames.slice(0, 4))).toEqual((await prints(whole.frames)).slice(3, 7));
    const live = await watch(open(), { until: ({ frames }) => frames.length >= 5, start_at_ms: 3_600_000 });
    expect(times(live.frames)).toEqual([3_600_000, 3_600_250, 3_600_500, 3_600_750, 3_601_000]);
  });
});
