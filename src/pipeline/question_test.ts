import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { ManualClock, settle } from "../../tests/flow/manual_clock.ts";
import { FakeEngine } from "./fake_engine.ts";
import { makeFakeLanguage, makeFakePictures } from "./fake_model.ts";
import { limits } from "./limits.ts";
import type { EngineState } from "./ports.ts";
import { Pump } from "./pump.ts";
import { answerQuestion, checkQuestion, type QuestionInput } from "./question.ts";

/** Each step of the engine takes a second, so that an answer can be cut off in the middle. */
class SlowEngine extends FakeEngine {
  constructor(readonly clock: ManualClock, readonly step_ms: number) {
    super();
  }

  override async run(): Promise<void> {
    await this.clock.sleep(this.step_ms);
    await super.run();
  }
}

function begin(step_ms = 1_000) {
  const clock = new ManualClock();
  const engine = new SlowEngine(clock, step_ms);
  const policy = { kind: "stream" } as const;
  const language = makeFakeLanguage({ stop_tokens: [] });
  const deps = { language, policy, pump: new Pump(engine, clock), clock };
  const fork = engine.open();
  const ask = (input: Partial<QuestionInput> = {}, state: EngineState = fork) =>
    answerQuestion(state, { question: "What is there?", ...input }, deps);
  return { clock, engine, deps, fork, ask };
}

describe("checkQuestion", () => {
  it("trims, and refuses what is empty or too long", () => {
    expect(checkQuestion({ question: "  who? " })).toBe("who?");
    const longest = "x".repeat(limits.question_chars_max);
    expect(checkQuestion({ question: longest })).toBe(longest);
    for (const question of ["", " \n", `${longest}x`]) {
      expect(() => checkQuestion({ question })).toThrow(
        expect.objectContaining({ code: "question_invalid" }),
      );
    }
  });
});

describe("answerQuestion", () => {
  it("asks in the words of the policy: as in a chat where the model was trained on chats", async () => {
    const asked: string[] = [];
    const { clock, deps, engine } = begin();
    const writer = (whose: string) => ({
      question: (text: string) => {
        asked.push(`${whose}: ${text}`);
        return [5];
      },
    });
    const language = { ...deps.language, ...writer("stream") };
    const pictures = { ...makeFakePictures(), ...writer("chat") };
    const settings = { instruction: "x", language: "en", cadence_s: 1, every_s: 1, change_min: 0 };
    const refresh = { kind: "refresh", pictures, settings, own_language: "en", frames: 1 } as const;
    for (const policy of [refresh, { kind: "stream" } as const]) {
      const answering = answerQuestion(engine.open(), { question: "Who?" }, { ...deps, language, policy });
      await clock.advance(60_000);
      await answering;
    }
    expect(asked).toEqual(["chat: Who?", "stream: Who?"]);
  });

  it("answers, tells the text as it grows, and gives the state back", async () => {
    const { clock, engine, ask } = begin();
    const heard: string[] = [];
    const answering = ask({ onText: (text) => heard.push(text) });
    await clock.advance(60_000);
    const { text, status } = await answering;
    expect(status).toBe("done");
    expect(text.split(" ").length).toBe(16);
    expect(heard.at(-1)).toBe(text);
    expect([engine.states_open, clock.sleeping_count]).toEqual([0, 0]);
  });

  it("says the same for the same memory and question", async () => {
    const { clock, engine, ask } = begin();
    const answers = [engine.open(), engine.open()].map((state) => ask({}, state));
    await clock.advance(120_000);
    const [left, right] = await Promise.all(answers);
    expect(left).toEqual(right);
  });

  it("is cut off at the deadline with what was said so far", async () => {
    const { clock, engine, ask } = begin();
    const answering = ask({ deadline_ms: 6_500 });
    await clock.advance(7_000);
    const { text, status } = await answering;
    expect(status).toBe("deadline");
    expect(text.split(" ").length).toBeGreaterThan(1);
    expect(text.split(" ").length).toBeLessThan(16);
    expect([engine.states_open, clock.sleeping_count]).toEqual([0, 0]);
  });

  it("nobody may ask for longer than the longest deadline", async () => {
    const { clock, ask } = begin(10_000);
    const answering = ask({ deadline_ms: 1e9 });
    await clock.advance(limits.question_deadline_ms_max + 10_000);
    expect((await answering).status).toBe("deadline");
  });

  it("is cancelled by its asker, before and while it is answered", async () => {
    for (const wait_ms of [0, 3_500]) {
      const { clock, engine, ask } = begin();
      const left = new AbortController();
      if (wait_ms === 0) left.abort();
      const answering = ask({ signal: left.signal });
      await clock.advance(wait_ms);
      left.abort();
      await clock.advance(1_000);
      expect((await answering).status).toBe("cancelled");
      expect([engine.states_open, clock.sleeping_count]).toEqual([0, 0]);
    }
  });

  it("what cut it off first is why: a deadline that passes afterwards changes nothing", async () => {
    const { clock, ask } = begin();
    const left = new AbortController();
    const answering = ask({ signal: left.signal, deadline_ms: 3_700 });
    await clock.advance(3_500);
    left.abort();
    await clock.advance(500);
    expect((await answering).status).toBe("cancelled");
  });

  it("gives the state back when the engine fails or the question is refused", async () => {
    const { clock, engine, ask } = begin();
    engine.fail_next = new Error("device lost");
    const answering = ask();
    const lost = expect(answering).rejects.toThrow("device lost");
    await clock.advance(1_000);
    await lost;
    await expect(ask({ question: " " }, engine.open())).rejects.toThrow("empty");
    await settle();
    expect([engine.states_open, clock.sleeping_count]).toEqual([0, 0]);
  });
});
