import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { ManualClock } from "../../tests/flow/manual_clock.ts";
import {
  assistant,
  file,
  language,
  makeChatHouse,
  user,
  vector,
} from "../../tests/flow/pipeline_chat_house.ts";
import { FakeEngine } from "./fake_engine.ts";
import { limits } from "./limits.ts";
import type { EngineState } from "./ports.ts";
import { Pump } from "./pump.ts";
import type { DescribeRequest } from "./surface.ts";

/** What the engine says after being fed these by hand. */
async function sayByHand(feed: (state: EngineState) => void, tokens_max: number): Promise<string> {
  const engine = new FakeEngine(1);
  using state = engine.open();
  state.setSampler(language.answer_sampler);
  feed(state);
  state.putDecode({ tokens_max, seed: 0n });
  const decoder = language.decoder();
  let text = "";
  await new Pump(engine, new ManualClock()).drain(state, (tokens) => {
    for (const { id } of tokens) text += decoder.push(id);
  });
  return text.trim();
}

const bytesOf = (text: string) => language.encode(text);

describe("a picture chat", () => {
  it("feeds turns and pictures in their order, each once, to a fresh state", async () => {
    const { chat, engine, decoded } = makeChatHouse();
    const request: DescribeRequest = {
      turns: [user("one", 1), assistant("two"), user("three", 0)],
      pictures: [file(9, 8, 7), file(4, 5, 6, 1)],
    };
    const described = await chat.describe(request);
    const expected = await sayByHand((state) => {
      state.putVectors(vector(4, 4, 4, 5, 6));
      state.putTokens([...bytesOf("one"), ...bytesOf("two")]);
      state.putVectors(vector(9, 3, 9, 8, 7));
      state.putTokens(bytesOf("three"));
    }, 40);
    expect(described).toEqual({
      text: expected,
      ended: "length",
      positions: 13,
      tokens: 40,
      pictures: [
        { name: "9,8,7.png", width_px: 9, height_px: 3, vectors: 1 },
        { name: "4,5,6,1.png", width_px: 4, height_px: 4, vectors: 1 },
      ],
    });
    expect(decoded.map(([first]) => first)).toEqual([4, 9]);
    expect(engine.states_open).toBe(0);
    expect(await chat.describe(request)).toEqual(described);
  });

  it("gives a span its grid, where layers see it in another order", async () => {
    const grid = { scan: "bidirection", rows: 1, columns: 1 } as const;
    const { chat } = makeChatHouse({ pictures: { grid } });
    const { text } = await chat.describe({ turns: [user("a", 0)], pictures: [file(1, 2, 3)] });
    const expected = await sayByHand((state) => {
      state.putSpan(vector(1, 3, 1, 2, 3), grid);
      state.putTokens(bytesOf("a"));
    }, 40);
    expect(text).toBe(expected);
  });

  it("lets the text grow, and stops at a text that the request names, before it is shown", async () => {
    const { chat } = makeChatHouse();
    const whole = (await chat.describe({ turns: [user("a")], pictures: [] })).text;
    const words = whole.split(" ");
    const stop = `${words[2]} ${words[3]}`;
    const heard: string[] = [];
    const described = await chat.describe({
      turns: [user("a")],
      pictures: [],
      stop_texts: ["not this", stop],
      onText: (text) => heard.push(text),
    });
    const first = whole.slice(0, whole.indexOf(stop)).trim();
    expect(described).toMatchObject({ text: first, ended: "stop" });
    expect(heard.at(-1)).toBe(first);
    for (const text of heard) expect(first.startsWith(text)).toBe(true);
  });

  it("takes the request's bound on tokens, but not beyond its own", async () => {
    const { chat } = makeChatHouse();
    const ask = (tokens_max: number) => chat.describe({ turns: [user("a")], pictures: [], tokens_max });
    expect(await ask(3)).toMatchObject({ tokens: 3, ended: "length" });
    expect((await ask(1e9)).tokens).toBe(limits.picture_tokens_max);
  });

  it("takes the request's sampler over the bundle's", async () => {
    const { chat } = makeChatHouse();
    const ask = (temperature: number, seed: bigint) =>
      chat.describe({ turns: [user("a")], pictures: [], sampler: { temperature }, seed }).then(({ text }) =>
        text
      );
    expect(await ask(1, 1n)).not.toBe(await ask(1, 2n));
    expect(await ask(1, 1n)).toBe(await ask(1, 1n));
    expect(await ask(0, 1n)).toBe(await ask(0, 2n));
  });

  it("feeds a prompt larger than the inbox of the engine", async () => {
    const many = Array.from({ length: 70_000 }, (_, index) => 2 + index % 60);
    const { chat } = makeChatHouse({ pictures: { parts: () => [{ tokens: many }] } });
    expect(await chat.describe({ turns: [user("a")], pictures: [], tokens_max: 1 })).toMatchObject({
      positions: 70_000,
      tokens: 1,
    });
  });
});

describe("official padding", () => {
  it("feeds everything anew for every word, padded in front to a multiple", async () => {
    const { chat, engine } = makeChatHouse({ pictures: { official_padding: { token: 7, multiple: 16 } } });
    const described = await chat.describe({
      turns: [user("a", 0)],
      pictures: [file(1, 2, 3)],
      official_padding: true,
      tokens_max: 20,
      sampler: { temperature: 5 },
    });
    const said: number[] = [];
    const decoder = language.decoder();
    let text = "";
    for (let count = 0; count < 20; count++) {
      const engine = new FakeEngine(1);
      using state = engine.open();
      state.setSampler(language.answer_sampler);
      state.putTokens(Array((32 - 2 - count) % 16).fill(7));
      state.putVectors(vector(1, 3, 1, 2, 3));
      state.putTokens([...bytesOf("a"), ...said]);
      state.putDecode({ tokens_max: 1, seed: 0n });
      await new Pump(engine, new ManualClock()).drain(state, ([token]) => void said.push(token!.id));
      text += decoder.push(said.at(-1)!);
    }
    expect(described).toMatchObject({ text: text.trim(), tokens: 20, positions: 2, ended: "length" });
    expect(engine.states_open).toBe(0);
  });

  it("is refused where the bundle names none", async () => {
    const { chat } = makeChatHouse();
    const asking = chat.describe({ turns: [user("a")], pictures: [], official_padding: true });
    await expect(asking).rejects.toMatchObject({ code: "request_invalid" });
  });
});
