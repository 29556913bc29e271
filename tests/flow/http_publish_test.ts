// /ws/publish: hello, credits, media, and every way it may end.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { GanderError } from "../../src/errors.ts";
import { encodePush, publish_reply_schema, type PushHeader } from "../../src/wire/mod.ts";
import type { FakePublisher } from "./http_fake_publisher.ts";
import { Client, type House, openHouse, until } from "./http_house.ts";

async function openPush(sockets = {}): Promise<House> {
  const house = await openHouse({ sockets });
  house.surface.put("push1", "push");
  house.surface.put("cam1");
  return house;
}

function connect(house: House, stream = "push1"): Client {
  return new Client(`${house.url}/ws/publish?stream=${stream}`);
}

function media(header: Partial<PushHeader> = {}, payload = new Uint8Array([0xff, 0xd8])): Uint8Array {
  const defaults = {
    codec: "jpeg",
    key_frame: true,
    width_px: 4,
    height_px: 4,
    t_media_us: 5n,
    sequence: 1,
  } as const;
  return encodePush({ ...defaults, ...header }, payload);
}

async function publish(house: House): Promise<{ client: Client; publisher: FakePublisher }> {
  const client = connect(house);
  await client.opened;
  client.send({ type: "publish", format: "jpeg" });
  await client.next("accepted");
  return { client, publisher: house.surface.publishers.get("push1")! };
}

describe("publish socket", () => {
  it("accepts, grants credits and hands media on as it came", async () => {
    await using house = await openPush();
    const { client, publisher } = await publish(house);
    expect(await client.next("credit")).toEqual({ type: "credit", messages: 2 });
    client.ws.send(media({ t_media_us: 123_456n, key_frame: false }, new Uint8Array([1, 2, 3])));
    await until(() => publisher.taken.length === 1, "the message");
    expect(publisher.taken[0].t_media_us).toBe(123_456);
    expect(publisher.taken[0].key_frame).toBe(false);
    expect([...publisher.taken[0].payload]).toEqual([1, 2, 3]);
    publisher.grant(3);
    expect(await client.next("credit")).toEqual({ type: "credit", messages: 3 });
    for (const message of client.messages) publish_reply_schema.parse(message);
    client.send({ type: "end" });
    expect(await client.closed).toEqual({ code: 1000, reason: "ended" });
    expect(publisher.left_for_good).toBe(true);
  });

  it("takes a picture of 2 MiB", async () => {
    await using house = await openPush();
    const { client, publisher } = await publish(house);
    client.ws.send(media({}, new Uint8Array(2 << 20)));
    await until(() => publisher.taken.length === 1, "the message");
    await client.leave();
    await until(() => publisher.left_for_good !== undefined, "the farewell");
    expect(publisher.left_for_good).toBe(false);
  });

  it("lets a page come back to its stream", async () => {
    await using house = await openPush();
    const first = await publish(house);
    await first.client.leave();
    await until(() => house.surface.publishers.size === 0, "the farewell");
    const second = await publish(house);
    await second.client.leave();
  });

  it("drops and counts what comes without credit, and closes a flood with 4429", async () => {
    await using house = await openPush();
    const { client, publisher } = await publish(house);
    for (let n = 0; n < 200; n++) client.ws.send(media());
    expect(await client.closed).toEqual({ code: 4429, reason: "publisher floods" });
    expect(publisher.taken).toHaveLength(2);
    expect(publisher.refused).toBe(64);
    expect(publisher.left_for_good).toBe(false);
  });

  it("forgives messages that crossed the credits, when pauses lie between", async () => {
    let now_ms = 0;
    const clock = {
      now_ms: () => now_ms,
      monotonic_ms: () => now_ms,
      sleep: (_: number, signal?: AbortSignal) =>
        new Promise<void>((resolve) => {
          if (signal?.aborted) resolve();
          else signal?.addEventListener("abort", () => resolve(), { once: true });
        }),
    };
    await using house = await openHouse({ clock });
    house.surface.put("push1", "push");
    const { client, publisher } = await publish(house);
    publisher.credit = 0;
    for (let n = 1; n <= 150; n++) {
      client.ws.send(media());
      if (n % 50 > 0) continue;
      await until(() => publisher.refused === n, `${n} refused`);
      now_ms += 1_500;
    }
    expect(client.ws.readyState).toBe(client.ws.OPEN);
    await client.leave();
  });

  const refusals: [string, string, (client: Client) => void, number, string][] = [
    ["an unknown stream", "nope", () => {}, 4404, "stream_unknown"],
    ["a name that is none", "..%2Fx", () => {}, 4404, "stream_unknown"],
    [
      "a stream that pulls",
      "cam1",
      (c) => c.send({ type: "publish", format: "jpeg" }),
      4400,
      "request_invalid",
    ],
    ["media before hello", "push1", (c) => c.ws.send(media()), 4400, "bad_request"],
    ["broken JSON", "push1", (c) => c.ws.send("{"), 4400, "bad_request"],
    ["an unknown format", "push1", (c) => c.send({ type: "publish", format: "gif" }), 4400, "bad_request"],
  ];
  it("refuses before it begins, with a message and a close code", async () => {
    await using house = await openPush();
    for (const [name, stream, act, code, error] of refusals) {
      const client = connect(house, stream);
      await client.opened;
      act(client);
      const refused = await client.next("refused");
      const closed = await client.closed;
      expect({ name, code: closed.code, error: refused.error.code }).toEqual({ name, code, error });
    }
  });

  const damages: [string, Uint8Array | string, string][] = [
    ["too short", new Uint8Array(31), "shorter than its header"],
    ["no magic", new Uint8Array(40), "GNDR"],
    ["a wrong length", media().subarray(0, 33), "promises"],
    ["another codec", media({ codec: "h264" }), "h264"],
    ["hello twice", JSON.stringify({ type: "publish", format: "jpeg" }), "already"],
    ["text nobody knows", "hello", "not valid"],
  ];
  it("refuses damaged media with 4400 and says what is wrong", async () => {
    await using house = await openPush();
    for (const [name, message, words] of damages) {
      const { client, publisher } = await publish(house);
      client.ws.send(message);
      const refused = await client.next("refused");
      expect({ name, message: refused.error.message }).toEqual({
        name,
        message: expect.stringContaining(words),
      });
      expect((await client.closed).code).toBe(4400);
      expect(publisher.left_for_good).toBe(false);
    }
  });

  it("ends when the stream finds that a message breaks the rules", async () => {
    await using house = await openPush();
    for (const [code, close] of [["format", 4400], ["too_large", 1009], ["limits", 4400]] as const) {
      const { client, publisher } = await publish(house);
      publisher.verdict = { taken: false, error: new GanderError(code, `Cannot take media: ${code}`) };
      client.ws.send(media());
      expect((await client.next("refused")).error.code).toBe(code);
      expect([code, (await client.closed).code]).toEqual([code, close]);
    }
  });

  it("forgives a few messages out of order, and not hundreds", async () => {
    await using house = await openPush();
    const { client, publisher } = await publish(house);
    publisher.verdict = { taken: false, dropped: "out_of_order" };
    for (let n = 0; n < 50; n++) client.ws.send(media());
    publisher.grant(1);
    const credits = () => client.messages.filter(({ type }) => type === "credit").length;
    await until(() => credits() === 2, "the second credit");
    expect(client.ws.readyState).toBe(client.ws.OPEN);
    for (let n = 0; n < 50; n++) client.ws.send(media());
    expect((await client.closed).code).toBe(4429);
  });

  it("closes one that sends faster than any camera, credits or not", async () => {
    await using house = await openPush();
    const { client, publisher } = await publish(house);
    publisher.grant(10_000);
    for (let n = 0; n < 2_000 && client.ws.readyState === client.ws.OPEN; n++) {
      client.ws.send(media({ sequence: n }));
    }
    expect(await client.closed).toEqual({ code: 4429, reason: "publisher floods" });
    expect(publisher.taken.length).toBeLessThan(1_000);
  });

  it("lets the newest publisher take over, and tells the earlier one why", async () => {
    await using house = await openPush();
    const first = await publish(house);
    const second = await publish(house);
    const refused = await first.client.next("refused");
    expect(refused.error).toMatchObject({ code: "replaced", retry: "never" });
    expect(refused.error.message).toContain("took over");
    expect((await first.client.closed).code).toBe(4409);
    second.client.ws.send(media());
    await until(() => second.publisher.taken.length === 1, "the second is heard");
    await second.client.leave();
  });

  it("closes one that says nothing with 4400", async () => {
    await using house = await openPush({ first_message_ms: 50 });
    const client = connect(house);
    const { code, reason } = await client.closed;
    expect(code).toBe(4400);
    expect(reason).toContain("no publish message");
    const { client: quick } = await publish(house);
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(quick.ws.readyState).toBe(quick.ws.OPEN);
    await quick.leave();
  });
});
