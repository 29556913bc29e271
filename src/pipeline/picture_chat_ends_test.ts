import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { settle } from "../../tests/flow/manual_clock.ts";
import { file, makeChatHouse, user, vector } from "../../tests/flow/pipeline_chat_house.ts";
import { limits } from "./limits.ts";
import type { Picture } from "./ports.ts";

/** A tower that is busy with each picture until the test ends it. */
function heldTower() {
  const ends: (() => void)[] = [];
  const encodePicture = async () => {
    await new Promise<void>((resolve) => ends.push(resolve));
    return vector(1);
  };
  return { ends, encodePicture };
}

describe("what ends a picture chat early", () => {
  const turns = [user("a", 0)];

  it("is its deadline, while a picture is being decoded, too", async () => {
    const never = (_: Uint8Array, signal?: AbortSignal) =>
      new Promise<Picture>((_, reject) =>
        signal!.addEventListener("abort", () => reject(new Error("killed")))
      );
    const { chat, clock, engine } = makeChatHouse({ decode: never });
    const asking = chat.describe({ turns, pictures: [file(1, 2, 3)], deadline_ms: 5_000 });
    await clock.advance(5_001);
    expect(await asking).toMatchObject({ text: "", ended: "deadline", tokens: 0 });
    expect([engine.states_open, clock.sleeping_count]).toEqual([0, 0]);
  });

  it("is its deadline, while a picture is in the tower, too; its seat is free at once", async () => {
    const vision = heldTower();
    const { chat, clock, engine } = makeChatHouse({ vision, seats: 1 });
    const asking = chat.describe({ turns, pictures: [file(1, 2, 3)], deadline_ms: 5_000 });
    await settle();
    expect(vision.ends.length).toBe(1);
    await clock.advance(5_001);
    expect(await asking).toEqual({ text: "", ended: "deadline", pictures: [], positions: 0, tokens: 0 });
    expect([engine.states_open, clock.sleeping_count]).toEqual([0, 0]);
    expect(await chat.describe({ turns: [user("a")], pictures: [], tokens_max: 1 })).toMatchObject({
      tokens: 1,
    });
    vision.ends[0]!();
    await settle();
  });

  it("leaves a picture that is in the tower its place there; one that waits is forgotten", async () => {
    const vision = heldTower();
    const { chat, decoded } = makeChatHouse({ vision, seats: 9 });
    const ask = (signal?: AbortSignal) =>
      chat.describe({ turns, pictures: [file(1, 2, 3)], tokens_max: 1, signal });
    const inside_max = limits.pictures_decoding_max;
    const stop = new AbortController();
    const cut = Array.from({ length: inside_max + 1 }, () => ask(stop.signal));
    await settle();
    expect(decoded.length).toBe(inside_max);
    stop.abort();
    for (const { ended } of await Promise.all(cut)) expect(ended).toBe("cancelled");
    const behind = ask();
    await settle();
    expect(decoded.length).toBe(inside_max);
    vision.ends[0]!();
    await settle();
    expect([decoded.length, vision.ends.length]).toEqual([inside_max + 1, inside_max + 1]);
    for (const end of vision.ends) end();
    expect((await behind).tokens).toBe(1);
  });

  it("is the end of the service, which does not wait for the tower", async () => {
    const vision = heldTower();
    const { chat, engine } = makeChatHouse({ vision, seats: 9 });
    const asking = [1, 2, 3].map(() => chat.describe({ turns, pictures: [file(1, 2, 3)] }));
    await settle();
    await chat.close();
    expect((await Promise.all(asking)).map(({ ended }) => ended)).toEqual(Array(3).fill("cancelled"));
    expect(engine.states_open).toBe(0);
    await expect(chat.describe({ turns, pictures: [] })).rejects.toMatchObject({ code: "not_ready" });
    for (const end of vision.ends) end();
    await settle();
  });

  it("is the one who asked, with what was said so far", async () => {
    const { chat, clock, engine } = makeChatHouse();
    const stop = new AbortController();
    const heard: string[] = [];
    const described = await chat.describe({
      turns,
      pictures: [file(1, 2, 3)],
      signal: stop.signal,
      onText(text) {
        heard.push(text);
        if (heard.length === 3) stop.abort();
      },
    });
    expect(described).toMatchObject({ ended: "cancelled", tokens: 3 });
    expect(described.text.startsWith(heard[2]!)).toBe(true);
    expect([engine.states_open, clock.sleeping_count]).toEqual([0, 0]);
  });

  it("is a picture that cannot be read: its error", async () => {
    const { chat, engine } = makeChatHouse({
      decode: () => Promise.reject(new Error("Cannot read picture")),
    });
    await expect(chat.describe({ turns, pictures: [file(1)] })).rejects.toThrow("Cannot read picture");
    expect(engine.states_open).toBe(0);
  });
});

describe("what a picture chat refuses", () => {
  it("is more than there are seats; a seat is given back whatever happened", async () => {
    const gate = Promise.withResolvers<Picture>();
    const { chat, engine } = makeChatHouse({ seats: 2, decode: () => gate.promise });
    const ask = () => chat.describe({ turns: [user("a", 0)], pictures: [file(1)], tokens_max: 1 });
    const asking = [ask(), ask()];
    await expect(ask()).rejects.toMatchObject({ code: "questions_full", retry: "backoff" });
    gate.resolve({ rgb: new Uint8Array(3), width_px: 1, height_px: 1 });
    await Promise.all(asking);
    await ask();
    expect(engine.states_open).toBe(0);
  });

  it("is a conversation that is too long", async () => {
    const { chat } = makeChatHouse();
    const text = "a".repeat(limits.chat_chars_max);
    await expect(chat.describe({ turns: [user(text), user("b")], pictures: [] })).rejects.toMatchObject({
      code: "question_invalid",
    });
  });

  it("never decodes more pictures at once than may be", async () => {
    let now = 0, most = 0;
    const decode = async () => {
      most = Math.max(most, ++now);
      await settle();
      now--;
      return { rgb: new Uint8Array(3), width_px: 1, height_px: 1 };
    };
    const { chat } = makeChatHouse({ seats: 7, decode });
    const turns = [user("a", 0, 1)];
    await Promise.all(
      Array.from({ length: 7 }, () => chat.describe({ turns, pictures: [file(1), file(2)], tokens_max: 1 })),
    );
    expect(most).toBe(limits.pictures_decoding_max);
  });
});
