import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import fc from "fast-check";
import { ManualClock } from "../../tests/flow/manual_clock.ts";
import { hold } from "../../tests/flow/pipeline_law.ts";
import { fake_stop_token, fake_width, FakeEngine } from "./fake_engine.ts";
import { makeFakeLanguage, makeFakePictures } from "./fake_model.ts";
import type { TickInput } from "./memory.ts";
import type { Language, PictureLanguage, PromptPart, TickRecord, Turn } from "./ports.ts";
import { Pump } from "./pump.ts";
import { RefreshMemory } from "./refresh_memory.ts";

const settings = {
  ...{ instruction: "What happens?{summary}", language: "en" },
  ...{ cadence_s: 1, every_s: 30, change_min: 0 },
};

interface Options {
  frames?: number;
  language?: Partial<Language>;
  pictures?: Partial<PictureLanguage>;
}

function makeMemory(
  { frames = 1, language: words, pictures: seen }: Options = {},
  engine = new FakeEngine(),
) {
  const pump = new Pump(engine, new ManualClock());
  const language = makeFakeLanguage(words);
  const turns: Turn[] = [];
  const fake = makeFakePictures(seen);
  const parts = (asked: readonly Turn[]): PromptPart[] => {
    turns.push(...asked);
    return fake.parts(asked);
  };
  const deps = { language, pump, settings, own_language: "en", frames, width: fake_width };
  const memory = new RefreshMemory([engine.open(), engine.open()], { ...deps, pictures: { ...fake, parts } });
  return { engine, pump, language, memory, turns };
}

const picture = (level: number) => new Float32Array(2 * fake_width).fill(level);

function input(tick: number, level: number, change: Partial<TickInput> = {}): TickInput {
  const times = { tick, t_media_ms: tick * 500 };
  return { stream: "cam", ...times, vectors: picture(level), speak_threshold: 1, said: () => [], ...change };
}

async function live(memory: RefreshMemory, put: TickInput): Promise<TickRecord> {
  const { prompt, tokens, vectors } = await memory.tick(put);
  memory.keep();
  const { tick, t_media_ms } = put;
  return { tick, t_media_ms, t_wall_ms: 0, prompt, tokens, vectors, thumbnail: new Uint8Array() };
}

describe("RefreshMemory", () => {
  it("does not depend on what was before: the same picture, summary and tick give the same state", async () => {
    const { memory } = makeMemory();
    await memory.begin();
    const first = await live(memory, input(7, 0.5));
    const blob = memory.exportBlob();
    await live(memory, input(8, 0.25));
    expect(memory.exportBlob()).not.toEqual(blob);
    expect(await live(memory, input(7, 0.5))).toEqual(first);
    expect(memory.exportBlob()).toEqual(blob);
  });

  it("asks with the instruction and a summary of what was said", async () => {
    const { memory, turns } = makeMemory();
    await live(memory, input(1, 0.5));
    await live(memory, input(2, 0.5, { said: () => ["A dog runs", "A cat sleeps."] }));
    expect(turns.map(({ text }) => text)).toEqual([
      "What happens?",
      "What happens? Seen before: A dog runs. A cat sleeps.",
    ]);
    expect(turns[1]).toMatchObject({ role: "user", images: [0] });
  });

  it("shows the newest pictures, as many as it may, oldest first", async () => {
    const { memory, turns } = makeMemory({ frames: 3 });
    const levels = [0.125, 0.25, 0.375, 0.5];
    const fed = [];
    for (const [index, level] of levels.entries()) {
      fed.push((await live(memory, input(index + 1, level))).vectors);
    }
    expect(turns.map(({ images }) => images.length)).toEqual([1, 2, 3, 3]);
    const shown = (vectors: Float32Array) => [...vectors].filter((_, at) => at % (2 * fake_width) === 0);
    expect(fed.map(shown)).toEqual([[0.125], [0.125, 0.25], [0.125, 0.25, 0.375], [0.25, 0.375, 0.5]]);
    const few = makeMemory({ frames: 3, pictures: { images_max: 1 } });
    for (const level of levels) await live(few.memory, input(1, level));
    expect(few.turns.map(({ images }) => images.length)).toEqual([1, 1, 1, 1]);
  });

  it("feeds a picture in the order that its model was taught", async () => {
    const scanned = { grid: { scan: "snake", rows: 1, columns: 2 } } as const;
    const [rows, snake] = [makeMemory(), makeMemory({ pictures: scanned })];
    await live(rows.memory, input(1, 0.5));
    await live(snake.memory, input(1, 0.5));
    expect(snake.memory.exportBlob()).not.toEqual(rows.memory.exportBlob());
  });

  it("is greedy whatever the sampler of the bundle, and has no P(speak)", async () => {
    const dice = { temperature: 2, top_p: 1, presence_penalty: 0, count_penalty: 0 };
    const { memory } = makeMemory({ language: { caption_sampler: dice } });
    const { tokens, p_speak } = await memory.tick(input(1, 0.5));
    expect((await memory.tick(input(2, 0.5))).tokens).toEqual(tokens);
    expect(p_speak).toBeNull();
  });

  it("closes its line as the chat of the model does, cut off or ended by itself", async () => {
    const pictures = { closing: (ended: boolean) => ended ? [9] : [7, 8, 9] };
    const long = { caption_tokens_max: 3, stop_tokens: [] };
    const { memory } = makeMemory({ language: long, pictures });
    const { tokens, text } = await memory.tick(input(1, 0.5));
    expect([...tokens.slice(3)]).toEqual([7, 8, 9]);
    expect(text.split(" ").length).toBe(3);
    const ended = makeMemory({
      language: { ...long, caption_tokens_max: 200, stop_tokens: [fake_stop_token] },
      pictures,
    });
    expect([...(await ended.memory.tick(input(1, 0.5))).tokens.slice(-2)]).toEqual([fake_stop_token, 9]);
  });

  it("stays what it was until the tick is kept: forks and copies are of the tick before", async () => {
    const { memory, engine } = makeMemory();
    await memory.begin();
    await live(memory, input(1, 0.5));
    const before = memory.exportBlob();
    const ticking = memory.tick(input(2, 0.25));
    using fork = memory.fork();
    expect(fork.exportBlob()).toEqual(before);
    await ticking;
    expect(memory.exportBlob()).toEqual(before);
    memory.keep();
    expect(memory.exportBlob()).not.toEqual(before);
    fork.close();
    memory.close();
    expect(engine.states_open).toBe(0);
  });

  it("a tick that fails or is aborted changes nothing, now or later", async () => {
    const { memory, engine } = makeMemory({ frames: 2 });
    const undisturbed = makeMemory({ frames: 2 });
    for (const one of [memory, undisturbed.memory]) await live(one, input(1, 0.5));
    const before = memory.exportBlob();
    engine.fail_next = new Error("device lost");
    await expect(memory.tick(input(2, 0.75))).rejects.toThrow("device lost");
    const run = engine.run.bind(engine);
    for (let steps = 0; steps < 6; steps++) {
      const left = new AbortController();
      let count = 0;
      engine.run = async () => {
        if (count++ === steps) left.abort(new Error("stopped"));
        await run();
      };
      await expect(memory.tick(input(2, 0.75, { signal: left.signal }))).rejects.toThrow("stopped");
      // The step under way ends, and then it is over.
      expect(count).toBeLessThanOrEqual(steps + 1);
      engine.run = run;
    }
    expect(memory.exportBlob()).toEqual(before);
    for (const one of [memory, undisturbed.memory]) await live(one, input(2, 0.25));
    expect(memory.exportBlob()).toEqual(undisturbed.memory.exportBlob());
  });

  it("comes back from any snapshot and the records behind it, pictures of before included", async () => {
    const levels = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 8 });
    await hold(
      60,
      fc.tuple(levels, fc.nat(7), fc.integer({ min: 1, max: 4 })),
      async ([all, cut, frames]) => {
        const { memory } = makeMemory({ frames });
        await memory.begin();
        const snapshots = [memory.exportBlob()];
        const records: TickRecord[] = [];
        for (const [index, level] of all.entries()) {
          records.push(await live(memory, input(index + 1, level)));
          snapshots.push(memory.exportBlob());
        }
        const tick = Math.min(cut, all.length);
        const other = makeMemory({ frames });
        await other.memory.begin();
        other.memory.importBlob(snapshots[tick]!);
        await other.memory.replay(records.filter((record) => record.tick >= tick), tick);
        expect(other.memory.exportBlob()).toEqual(memory.exportBlob());
        for (const one of [memory, other.memory]) await live(one, input(99, 0.5));
        expect(other.memory.exportBlob()).toEqual(memory.exportBlob());
      },
    );
  });

  it("does not take ticks of policy stream for its own", async () => {
    const { memory } = makeMemory();
    await memory.begin();
    const before = memory.exportBlob();
    const foreign = {
      tick: 5,
      t_media_ms: 0,
      t_wall_ms: 0,
      thumbnail: new Uint8Array(),
      vectors: picture(1),
    };
    await memory.replay([{ ...foreign, tokens: Uint32Array.of(3), prompt: new Uint32Array() }], 0);
    expect(memory.exportBlob()).toEqual(before);
  });
});
