// The fork law: a question can never change what a stream remembers or says.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import fc from "fast-check";
import { ManualClock, settle } from "./manual_clock.ts";
import { captionsOf, makeHouse, stateOf } from "./pipeline_fixture.ts";
import { hold } from "./pipeline_law.ts";
import { restingPictureAt, ScriptedSource } from "./pipeline_sources.ts";
import type { Answered, Moment } from "../../src/pipeline/surface.ts";

interface Question {
  frame: number;
  at: Moment;
  cancelled: boolean;
}

const frames = 60;

/** Narrates a recording and asks on the way; returns everything the narration left behind. */
async function narrate(questions: readonly Question[]) {
  const clock = new ManualClock();
  const answers: Promise<Answered | undefined>[] = [];
  const ask = ({ at, cancelled }: Question, number: number) => {
    const left = new AbortController();
    const asked = service.ask("cam", { question: `What was that? (${number})`, at, signal: left.signal });
    answers.push(asked.catch((error) => void expect(error.code).toBe("moment_unknown")));
    if (cancelled) leaving.push(left);
  };
  let leaving: AbortController[] = [];
  const source = new ScriptedSource({
    clock,
    frames,
    picture: restingPictureAt,
    onFrame: (index) => {
      for (const left of leaving) left.abort();
      leaving = [];
      questions.forEach((question, number) => question.frame === index && ask(question, number));
    },
  });
  const house = makeHouse({ clock, pulls: { cam: () => source } });
  const { service } = house;
  await service.open();
  await service.add({ id: "cam", name: "Cam", source: { kind: "pull", url: "cam" }, pace: "lossless" });
  await settle();
  const answered = await Promise.all(answers);
  const narration = {
    captions: captionsOf(house),
    events: house.events.filter((event) => event.type.startsWith("caption.")),
    state: await stateOf(house),
    status: house.service.get("cam").status,
  };
  expect(house.engine.states_open).toBe(1);
  await house.service.close();
  expect(house.engine.states_open).toBe(0);
  return { narration, answered: answered.filter((answer) => answer !== undefined) };
}

const moment: fc.Arbitrary<Moment> = fc.oneof(
  fc.constant<Moment>({ kind: "now" }),
  fc.integer({ min: 0, max: frames }).map((tick): Moment => ({ kind: "tick", tick })),
  fc.integer({ min: 0, max: frames * 500 }).map((t_media_ms): Moment => ({ kind: "media", t_media_ms })),
  fc.integer({ min: 0, max: frames * 500 }).map((ms): Moment => ({
    kind: "wall",
    t_wall_ms: 1_600_000_000_000 + ms,
  })),
);
const question = fc.record({
  frame: fc.integer({ min: 0, max: frames - 1 }),
  at: moment,
  cancelled: fc.boolean(),
});

describe("fork law", () => {
  it("50 questions at one moment leave the narration as it is without them, byte for byte", async () => {
    const { narration: alone } = await narrate([]);
    expect(alone.captions.length).toBeGreaterThan(5);
    expect(alone.status).toBe("ended");
    const at = (number: number): Moment =>
      number % 2 === 0 ? { kind: "now" } : { kind: "tick", tick: 1 + number % 20 };
    const fifty = Array.from(
      { length: 50 },
      (_, number) => ({ frame: 30, at: at(number), cancelled: false }),
    );
    const { narration, answered } = await narrate(fifty);
    expect(narration).toEqual(alone);
    expect(answered.length).toBe(50);
    expect(answered.every(({ status }) => status === "done")).toBe(true);
    // A few may end with their first word; a fork that was never run would be silent always.
    expect(answered.filter(({ answer }) => answer !== "").length).toBeGreaterThan(25);
  });

  it("so do questions at any moments, about any moments, cancelled or not", async () => {
    const { narration: alone } = await narrate([]);
    await hold(30, fc.array(question, { minLength: 1, maxLength: 60 }), async (questions) => {
      expect((await narrate(questions)).narration).toEqual(alone);
    });
  });

  it("the same question of the same memory has the same answer", async () => {
    const asked = { frame: 20, at: { kind: "now" as const }, cancelled: false };
    const [once, again] = [await narrate([asked]), await narrate([asked])];
    expect(once.answered.map(({ answer, tick }) => ({ answer, tick }))).toEqual(
      again.answered.map(({ answer, tick }) => ({ answer, tick })),
    );
  });
});
