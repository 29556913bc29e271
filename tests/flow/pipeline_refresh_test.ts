// Policy "refresh": when the model is asked, what it is asked, what becomes a caption, and what a stream may set.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { makeFakeLanguage } from "../../src/pipeline/fake_model.ts";
import { limits } from "../../src/pipeline/limits.ts";
import type { RefreshSettings } from "../../src/pipeline/surface.ts";
import { ManualClock, settle } from "./manual_clock.ts";
import {
  captionsOf,
  type House,
  type HouseOptions,
  makeHouse,
  openCam,
  shutDown,
} from "./pipeline_fixture.ts";
import { grey, refreshPolicy, saying } from "./pipeline_refresh_house.ts";
import { pictureAt, ScriptedSource } from "./pipeline_sources.ts";

interface Film extends Pick<HouseOptions, "language"> {
  frames: number;
  picture?: (index: number) => Uint8Array;
  settings?: Partial<RefreshSettings>;
  gates?: { change: boolean; novelty: boolean };
}

/** A recording of two frames a second, played to its end. */
async function play({ frames, picture, settings, language, gates }: Film) {
  const clock = new ManualClock();
  const policy = refreshPolicy(settings);
  const source = () => new ScriptedSource({ clock, frames, picture });
  const house = await openCam(source, { clock, policy, language, gates });
  for (let waits = 0; waits < 20 && house.service.get("cam").status !== "ended"; waits++) await settle();
  const { stats } = house.service.get("cam");
  const { ticks, frames_offered, frames_fed, drops } = stats;
  expect(frames_offered).toBe(frames);
  expect(frames_fed + drops.still).toBe(frames);
  expect(ticks).toBe(policy.asked.length);
  return { ...house, policy, stats };
}

const rebuilt = ({ store }: House) => store.history.map(({ t_media_ms }) => t_media_ms / 1_000);

describe("policy refresh", () => {
  it("asks no more often than the cadence, whatever changes", async () => {
    const house = await play({ frames: 20 });
    expect(rebuilt(house)).toEqual([0, 2, 4, 6, 8]);
    await shutDown(house);
  });

  it("asks when the picture changed, and of a still one now and then", async () => {
    // Dark for 25 s, with a flicker that is no change; then light.
    const house = await play({ frames: 60, picture: (index) => grey(index < 50 ? 10 + index % 2 : 200) });
    expect(rebuilt(house)).toEqual([0, 10, 20, 25]);
    await shutDown(house);
  });

  it("asks at every cadence where the change gate is off", async () => {
    const gates = { change: false, novelty: true };
    const house = await play({ frames: 12, picture: () => grey(10), gates });
    expect(rebuilt(house)).toEqual([0, 2, 4]);
    await shutDown(house);
  });

  it("never says the last line again, however long it takes", async () => {
    const frames = 2 * (limits.novelty_window_ms / 1_000) * 3;
    const house = await play({ frames, language: saying(() => "a dog") });
    expect(captionsOf(house).map(({ text }) => text)).toEqual(["a dog"]);
    expect(house.stats.drops.novelty).toBe(house.stats.ticks - 1);
    await shutDown(house);
  });

  it("says it again once something else was said in between, at once where the novelty gate is off", async () => {
    const frames = 4 * 2 * (limits.novelty_window_ms / 1_000);
    const settings = { cadence_s: limits.novelty_window_ms / 1_000 + 1 };
    const turns = await play({
      frames,
      settings,
      language: saying((count) => count % 2 ? "a dog" : "two cats"),
    });
    expect(captionsOf(turns).map(({ text }) => text)).toEqual(["a dog", "two cats", "a dog", "two cats"]);
    await shutDown(turns);
    const gates = { change: true, novelty: false };
    const lines = ["a dog", "two cats", "a dog", "a dog", "two cats"];
    const house = await play({ frames: 20, gates, language: saying((count) => lines[count - 1]!) });
    expect(house.stats.ticks).toBe(lines.length);
    expect(captionsOf(house).map(({ text }) => text)).toEqual(["a dog", "two cats", "a dog", "two cats"]);
    await shutDown(house);
  });

  it("asks with a summary of the newest distinct captions, within its bound", async () => {
    const lines = ["a red dog runs", "two cats sleep", "nobody is there", "it begins to rain"];
    const language = saying((count) => lines[(count - 1) % lines.length]!);
    // Off, so that the log repeats itself: the summary must not.
    const gates = { change: true, novelty: false };
    const { policy, ...house } = await play({ frames: 200, language, gates });
    const texts = policy.asked.map(({ text }) => text);
    expect(texts.slice(0, 3)).toEqual([
      "What happens?",
      "What happens? Seen before: a red dog runs.",
      "What happens? Seen before: a red dog runs. two cats sleep.",
    ]);
    expect(texts[30]).toBe(
      "What happens? Seen before: nobody is there. it begins to rain. a red dog runs. two cats sleep.",
    );
    await shutDown(house);
    const long = await play({ frames: 40, language: saying((count) => `word${count} `.repeat(12)) });
    const { encode } = makeFakeLanguage();
    for (const { text } of long.policy.asked.slice(1)) {
      expect(encode(text.slice("What happens? Seen before:".length)).length)
        .toBeLessThanOrEqual(limits.summary_tokens_max);
      expect(text).toContain("word");
    }
    await shutDown(long);
  });

  it("reports what a model that is told to speak can honestly report", async () => {
    const { stats, ...house } = await play({ frames: 20 });
    expect(captionsOf(house).length).toBeGreaterThan(2);
    expect(captionsOf(house).every(({ p_speak }) => p_speak === 1)).toBe(true);
    expect([stats.p_speak, stats.speak_threshold]).toEqual([null, 0]);
    await shutDown(house);
  });

  it("answers from the picture and the words of the newest rebuild, then and afterwards", async () => {
    const clock = new ManualClock();
    const now: string[] = [];
    const question = "What is happening?";
    const source = new ScriptedSource({
      clock,
      frames: 24,
      onFrame: async (index) => {
        // Between two rebuilds: the newest one is what is asked.
        if (index % 4 !== 2) return;
        const { answer, tick } = await house.service.ask("cam", { question, at: { kind: "now" } });
        expect(tick).toBe(index - 1);
        now.push(answer);
      },
    });
    const house = makeHouse({ clock, pulls: { cam: () => source }, policy: refreshPolicy() });
    await house.service.open();
    await house.service.add({
      id: "cam",
      name: "Cam",
      source: { kind: "pull", url: "cam" },
      pace: "lossless",
    });
    for (let waits = 0; waits < 20 && house.service.get("cam").status !== "ended"; waits++) await settle();
    expect(now.length).toBe(6);
    expect(new Set(now).size).toBeGreaterThan(3);
    const later = [];
    // The snapshot of the first tick is the one of before it, in the same second.
    for (let tick = 5; tick <= 21; tick += 4) {
      later.push((await house.service.ask("cam", { question, at: { kind: "tick", tick } })).answer);
    }
    expect(later).toEqual(now.slice(1));
    await shutDown(house);
  });
});

describe("settings of policy refresh", () => {
  it("are those of the bundle, then those of the stream, and may be changed one by one", async () => {
    const clock = new ManualClock();
    const policy = refreshPolicy();
    const source = () => new ScriptedSource({ clock, replayable: false, picture: pictureAt });
    const house = makeHouse({ clock, policy, pulls: { cam: source } });
    const { service } = house;
    await service.open();
    const refresh = { cadence_s: 5, instruction: "Who is there?{summary}" };
    await service.add({ id: "cam", name: "Cam", source: { kind: "pull", url: "cam" }, refresh });
    expect(service.get("cam").refresh).toEqual({ ...policy.settings, ...refresh });
    await clock.advance(9_000);
    expect(rebuilt(house)).toEqual([0, 5]);
    expect(policy.asked[0]!.text).toBe("Who is there?");
    await service.change("cam", { refresh: { language: "de", cadence_s: 1 } });
    const asked_count = policy.asked.length;
    const now = { ...policy.settings, ...refresh, language: "de", cadence_s: 1 };
    expect(service.get("cam").refresh).toEqual(now);
    await clock.advance(3_000);
    expect(policy.asked.length).toBeGreaterThan(asked_count + 1);
    expect(policy.asked.at(-1)!.text).toMatch(/^Who is there\? Seen before: .* Answer in German\.$/);
    await shutDown(house);
    // What was set outlives the process; what was not is the bundle's of the day.
    const other = refreshPolicy({ every_s: 99 });
    const again = makeHouse({
      clock,
      policy: other,
      store: house.store.clone(clock),
      pulls: { cam: source },
    });
    await again.service.open();
    expect(again.service.get("cam").refresh).toEqual({ ...now, every_s: 99 });
    await shutDown(again);
  });

  it("are refused by a bundle that lives through its ticks, and not shown", async () => {
    const clock = new ManualClock();
    const house = await openCam(() => new ScriptedSource({ clock, frames: 4 }), { clock });
    const { service } = house;
    expect(service.get("cam").refresh).toBeNull();
    const source = { kind: "pull" as const, url: "cam" };
    const refused = { code: "request_invalid", message: expect.stringContaining('policy "refresh"') };
    await expect(service.change("cam", { refresh: { cadence_s: 1 } })).rejects.toMatchObject(refused);
    await expect(service.add({ name: "Two", source, refresh: {} })).rejects.toMatchObject(refused);
    expect(service.list().length).toBe(1);
    await shutDown(house);
  });

  it("of a stream that a bundle of the other policy left behind do no harm", async () => {
    const clock = new ManualClock();
    const source = () => new ScriptedSource({ clock, frames: 40, replayable: false });
    const house = makeHouse({ clock, policy: refreshPolicy(), pulls: { cam: source } });
    await house.service.open();
    const pull = { kind: "pull" as const, url: "cam" };
    await house.service.add({ id: "cam", name: "Cam", source: pull, refresh: { cadence_s: 1 } });
    await clock.advance(8_000);
    const said = captionsOf(house).length;
    expect(said).toBeGreaterThan(2);
    await shutDown(house);
    const options = { clock, store: house.store.clone(clock), pulls: { cam: source } };
    const streaming = makeHouse(options);
    await streaming.service.open();
    await clock.advance(8_000);
    const captions = captionsOf(streaming);
    expect(captions.length).toBeGreaterThan(said);
    expect(captions.map(({ seq }) => seq)).toEqual(captions.map((_, index) => index + 1));
    expect(streaming.service.get("cam")).toMatchObject({ refresh: null, status: "live" });
    await shutDown(streaming);
  });
});
