// /ws/watch with ordinary viewers: hello, replay and live as one sequence, questions, bad messages, closing.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { server_message_schema } from "../../src/wire/mod.ts";
import { parsePicture } from "../../src/wire/picture.ts";
import { Client, type House, openHouse, until, watch } from "./http_house.ts";

function captionSeqs(client: Client): number[] {
  return client.messages.filter(({ type }) => type === "caption.final").map(({ caption }) => caption.seq);
}

async function seen(client: Client, seq: number): Promise<void> {
  await until(() => captionSeqs(client).at(-1) === seq, `caption ${seq}`);
}

async function openWith(captions: number): Promise<House> {
  const house = await openHouse();
  house.surface.put("cam1");
  for (let n = 1; n <= captions; n++) house.surface.say("cam1", `caption ${n}`);
  return house;
}

describe("watch socket", () => {
  it("says hello first, with the model and all streams", async () => {
    await using house = await openWith(3);
    const client = await watch(house);
    expect(client.messages[0]).toMatchObject({
      type: "hello",
      v: 1,
      version: "1.2.3",
      model: { fake: true },
    });
    expect(client.messages[0].streams).toHaveLength(1);
    expect(client.messages[0].streams[0].last_seq).toBe(3);
    await client.leave();
  });

  it("replays the newest 50 to a viewer without a number, then live, without gap or duplicate", async () => {
    await using house = await openWith(130);
    const client = await watch(house);
    client.send({ type: "sub", stream: "cam1" });
    await seen(client, 130);
    house.surface.say("cam1", "live");
    await seen(client, 131);
    expect(captionSeqs(client)).toEqual(Array.from({ length: 51 }, (_, n) => 81 + n));
    await client.leave();
  });

  it("resumes after any number while captions keep coming", async () => {
    await using house = await openWith(1_000);
    const client = await watch(house);
    client.send({ type: "sub", stream: "cam1", after_seq: 17 });
    // Spoken while the pages of the replay are on their way.
    for (let n = 0; n < 200; n++) {
      house.surface.say("cam1", `meanwhile ${n}`);
      if (n % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await seen(client, 1_200);
    expect(captionSeqs(client)).toEqual(Array.from({ length: 1_183 }, (_, n) => 18 + n));
    await client.leave();
  });

  it("goes on with new captions when the number is from a longer past", async () => {
    await using house = await openWith(5);
    const client = await watch(house);
    client.send({ type: "sub", stream: "cam1", after_seq: 5_000 });
    client.send({ type: "ping" });
    await client.next("pong");
    house.surface.say("cam1", "new");
    await seen(client, 6);
    expect(captionSeqs(client)).toEqual([6]);
    await client.leave();
  });

  it("sends every message in the shape that the wire promises", async () => {
    await using house = await openWith(1);
    const { surface } = house;
    const client = await watch(house);
    client.send({ type: "sub", stream: "cam1", pictures: true });
    await seen(client, 1);
    surface.delta("cam1", "a per");
    surface.emit({ type: "stats", stream: "cam1", stats: surface.get("cam1").stats });
    surface.emit({ type: "drop.report", stream: "cam1", drops: surface.get("cam1").stats.drops });
    surface.emit({
      type: "stream.status",
      stream: "cam1",
      status: "stalled",
      reason: "no frame",
      since_ms: 1,
    });
    await surface.pause("cam1");
    surface.show("cam1", new Uint8Array([0xff, 0xd8, 9]));
    client.send({ type: "ask", id: "q", stream: "cam1", question: "who?", at: "now" });
    await until(() => surface.questions.length === 1, "the question");
    surface.questions[0].say("nobody");
    surface.questions[0].done("nobody");
    client.send({ type: "sub", stream: "nope" });
    await client.next("error");
    await surface.remove("cam1");
    await client.next("stream.removed");
    const types = new Set(client.messages.map((message) => server_message_schema.parse(message).type));
    expect([...types].sort()).toEqual([
      "answer.delta",
      "answer.done",
      "caption.delta",
      "caption.final",
      "drop.report",
      "error",
      "hello",
      "stats",
      "stream.changed",
      "stream.removed",
      "stream.status",
    ]);
    expect(parsePicture(client.picture)).toMatchObject({ stream: "cam1", t_media_ms: 1_000 });
    expect([...parsePicture(client.picture)!.jpeg]).toEqual([0xff, 0xd8, 9]);
    await client.leave();
  });

  it("sends captions and pictures only to those who asked for them, and counts viewers", async () => {
    await using house = await openWith(0);
    house.surface.put("cam2");
    const [reader, other] = [await watch(house), await watch(house)];
    reader.send({ type: "sub", stream: "cam1" });
    reader.send({ type: "ping" });
    await reader.next("pong");
    expect(house.surface.viewers("cam1")).toBe(1);
    house.surface.say("cam2", "not for you");
    house.surface.show("cam1", new Uint8Array(4));
    house.surface.say("cam1", "for you");
    await seen(reader, 1);
    reader.send({ type: "unsub", stream: "cam1" });
    reader.send({ type: "ping" });
    await reader.next("pong");
    house.surface.say("cam1", "no more");
    other.send({ type: "ping" });
    await other.next("pong");
    expect(captionSeqs(other)).toEqual([]);
    expect(captionSeqs(reader)).toEqual([1]);
    expect(reader.picture_count).toBe(0);
    expect(house.surface.viewers("cam1")).toBe(0);
    await Promise.all([reader.leave(), other.leave()]);
  });

  it("takes its viewers back when the socket goes", async () => {
    await using house = await openWith(0);
    const client = await watch(house);
    client.send({ type: "sub", stream: "cam1" });
    client.send({ type: "sub", stream: "cam1" });
    await until(() => house.surface.viewers("cam1") === 1, "the viewer");
    client.ws.terminate();
    await until(() => house.surface.viewers("cam1") === 0, "the farewell");
  });

  it("answers several questions at once, cancels one, and refuses the fifth", async () => {
    await using house = await openWith(2);
    const { surface } = house;
    const client = await watch(house);
    const ask = (id: string) =>
      client.send({ type: "ask", id, stream: "cam1", question: "what?", at: "tick:2" });
    for (const id of ["a", "b", "c", "d"]) ask(id);
    await until(() => surface.questions.length === 4, "four questions");
    expect(surface.questions[0].request.at).toEqual({ kind: "tick", tick: 2 });
    ask("e");
    expect(await client.next("answer.failed")).toMatchObject({ id: "e", error: { code: "questions_full" } });
    ask("a");
    expect(await client.next("answer.failed")).toMatchObject({ id: "a", error: { code: "request_invalid" } });
    surface.questions[1].say("two ");
    expect(await client.next("answer.delta")).toEqual({ type: "answer.delta", id: "b", text: "two " });
    surface.questions[1].done("two geese");
    expect(await client.next("answer.done")).toMatchObject({
      id: "b",
      answer: {
        answer: "two geese",
        status: "done",
        t_wall: "2026-11-23T14:00:02.000Z",
        evidence: [{ seq: 1 }, { seq: 2 }],
      },
    });
    client.send({ type: "cancel", id: "c" });
    expect(await client.next("answer.done")).toMatchObject({ id: "c", answer: { status: "cancelled" } });
    surface.questions[0].fail(new Error("secret path /srv/x"));
    const failed = await client.next("answer.failed");
    expect(failed).toMatchObject({ id: "a", error: { code: "internal" } });
    expect(JSON.stringify(failed)).not.toContain("secret");
    ask("f");
    await until(() => surface.questions.length === 5, "room again");
    await client.leave();
    await until(() => surface.questions[3].request.signal!.aborted, "questions end with the viewer");
  });

  const bad: [string, string | Uint8Array, string][] = [
    ["no JSON", "{", "not JSON"],
    ["an unknown type", '{"type":"dance"}', "type"],
    ["an unknown field", '{"type":"ping","x":1}', "x"],
    ["a bad stream name", '{"type":"sub","stream":"../etc"}', "stream"],
    ["a negative number", '{"type":"sub","stream":"cam1","after_seq":-1}', "after_seq"],
    ["an empty question", '{"type":"ask","id":"a","stream":"cam1","question":" "}', "question"],
    ["a bad moment", '{"type":"ask","id":"a","stream":"cam1","question":"q","at":"yesterday"}', "at"],
    ["binary", new Uint8Array([1, 2]), "text only"],
    ["null", "null", "not valid"],
  ];
  it("closes with 4400 and a reason on a malformed message", async () => {
    await using house = await openWith(1);
    for (const [name, message, words] of bad) {
      const client = await watch(house);
      client.ws.send(message);
      const { code, reason } = await client.closed;
      expect({ name, code }).toEqual({ name, code: 4400 });
      expect(reason).toContain(words);
    }
  });

  it("closes with 4429 when more than 20 messages per second come", async () => {
    await using house = await openWith(0);
    const client = await watch(house);
    for (let n = 0; n < 100; n++) client.send({ type: "ping" });
    expect((await client.closed).code).toBe(4429);
    expect(client.messages.filter(({ type }) => type === "pong").length).toBeLessThan(60);
  });

  it("closes with 1011 on a fault of its own, and the stream does not notice", async () => {
    await using house = await openWith(0);
    const client = await watch(house);
    client.send({ type: "sub", stream: "cam1" });
    await until(() => house.surface.viewers("cam1") === 1, "subscribed");
    const { model } = house.surface;
    const caption = { ...house.surface.say("cam1", "one"), seq: 2, text: 1n as unknown as string };
    house.surface.emit({ type: "caption.final", caption });
    expect((await client.closed).code).toBe(1011);
    Object.defineProperty(house.surface, "model", {
      get: () => {
        throw new Error("no model");
      },
      configurable: true,
    });
    const late = new Client(`${house.url}/ws/watch`);
    expect((await late.closed).code).toBe(1011);
    Object.defineProperty(house.surface, "model", { value: model });
    expect(house.log.filter(({ level }) => level === "error")).toHaveLength(2);
  });

  it("lets no more viewers in than there are seats", async () => {
    await using house = await openHouse({ viewers_max: 2 });
    const first = await watch(house);
    const second = await watch(house);
    const third = new Client(`${house.url}/ws/watch`);
    expect(await third.opened).toBe(false);
    await first.leave();
    await until(() => house.log.some(({ event }) => event === "upgrade.refused"), "the refusal");
    const fourth = await watch(house);
    await Promise.all([second.leave(), fourth.leave()]);
  });

  it("cuts a viewer that misses two pings, and keeps one that answers", async () => {
    await using house = await openHouse({ sockets: { ping_ms: 60 } });
    const [alive, dead] = [await watch(house), await watch(house)];
    dead.ws.pause();
    await until(() => house.log.length > 0, "log");
    await new Promise((resolve) => setTimeout(resolve, 400));
    dead.ws.resume();
    expect((await dead.closed).code).toBe(1006);
    expect(alive.ws.readyState).toBe(alive.ws.OPEN);
    await alive.leave();
  });
});
