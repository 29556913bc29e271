// The law of picture chats: a chat, like a question, changes nothing a stream says, and takes no more of an engine's run
// than all questions together may.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { limits } from "../../src/pipeline/limits.ts";
import { makeFakePictures } from "../../src/pipeline/fake_model.ts";
import { countStates } from "../../src/pipeline/policy.ts";
import type { Described } from "../../src/pipeline/surface.ts";
import { ManualClock, settle } from "./manual_clock.ts";
import { captionsOf, makeHouse, SlowEngine, stateOf, wordsOf } from "./pipeline_fixture.ts";
import { ScriptedSource } from "./pipeline_sources.ts";

/** Positions of one state, and of all forks together, in one run. */
const chunk_positions = 16;
const chat_count = limits.questions_active_max;

class CountingEngine extends SlowEngine {
  /** Positions of each run. */
  readonly taken: number[] = [];

  override async run(): Promise<void> {
    const before = this.positions;
    await super.run();
    this.taken.push(this.positions - before);
  }
}

function openHouse(source: (clock: ManualClock) => ScriptedSource) {
  const clock = new ManualClock();
  const engine = new CountingEngine(clock, 0, countStates("stream", 1));
  const picture = { rgb: new Uint8Array(3).fill(7), width_px: 1, height_px: 1 };
  const chat = { pictures: makeFakePictures(), decoder: { decode: () => Promise.resolve(picture) } };
  const house = makeHouse({ clock, engine, chat, streams_max: 1, pulls: { cam: () => source(clock) } });
  return { ...house, engine };
}

type House = ReturnType<typeof openHouse>;

function describePicture({ service }: House, number: number): Promise<Described> {
  return service.describe({
    turns: [{ role: "user", text: `What is it? ${number} `.padEnd(400, "x"), images: [0] }],
    pictures: [{ name: "a.png", bytes: new Uint8Array(1) }],
  });
}

/** Narrates a recording with chats that begin on the way; what it left behind, and what was answered. */
async function narrate(chats: number) {
  const answers: Promise<Described>[] = [];
  const house = openHouse((clock) =>
    new ScriptedSource({
      clock,
      frames: 60,
      onFrame: (index) => {
        if (index !== 10) return;
        for (let number = 0; number < chats; number++) answers.push(describePicture(house, number));
      },
    })
  );
  await house.service.open();
  await house.service.add({
    id: "cam",
    name: "Cam",
    source: { kind: "pull", url: "cam" },
    pace: "lossless",
  });
  await settle();
  const described = await Promise.all(answers);
  const narration = { captions: wordsOf(captionsOf(house)), state: await stateOf(house) };
  expect(house.engine.states_open).toBe(1);
  await house.service.close();
  expect(house.engine.states_open).toBe(0);
  return { narration, described, taken: house.engine.taken };
}

describe("picture chats beside a narration", () => {
  it("leave it as it is without them, and share one chunk of each run", async () => {
    const alone = await narrate(0);
    expect(alone.narration.captions.length).toBeGreaterThan(5);
    const { narration, described, taken } = await narrate(chat_count);
    expect(narration).toEqual(alone.narration);
    expect(described.length).toBe(chat_count);
    expect(Math.max(...alone.taken)).toBeLessThanOrEqual(chunk_positions);
    const most = Math.max(...taken);
    expect(most).toBeGreaterThan(chunk_positions); // both at once, or nothing was tried
    expect(most).toBeLessThanOrEqual(2 * chunk_positions);
  });

  it("cost a tick no run: what is put beside them takes as many as alone", async () => {
    async function countRuns(chats: number): Promise<number> {
      const house = openHouse((clock) => new ScriptedSource({ clock, frames: 0 }));
      const { engine, clock } = house;
      engine.step_ms = 1;
      await house.service.open();
      const answers = Array.from({ length: chats }, (_, number) => describePicture(house, number));
      await settle(); // a run is under way, if there is a chat
      using state = engine.open();
      state.putTokens(Array(100).fill(3));
      const turning = house.pump.drain(state);
      while (state.pending > 0) await clock.advance(1);
      const runs = engine.taken.length;
      await clock.advance(10_000);
      await Promise.all([turning, ...answers]);
      await house.service.close();
      return runs;
    }
    expect(await countRuns(chat_count)).toBe(await countRuns(0));
  });

  it("answers as it does alone, from a zero state each", async () => {
    const { described } = await narrate(3);
    const house = openHouse((clock) => new ScriptedSource({ clock, frames: 0 }));
    await house.service.open();
    for (const [number, answer] of described.entries()) {
      expect(await describePicture(house, number)).toEqual(answer);
    }
    expect(house.engine.states_open).toBe(0);
    await house.service.close();
  });
});
