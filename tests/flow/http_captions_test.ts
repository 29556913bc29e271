// Captions over HTTP: queries, files, and live events that resume.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { caption_list_schema } from "../../src/wire/mod.ts";
import { call, expectError, openCam, openHouse, readEvents, until } from "./http_house.ts";

describe("captions", () => {
  it("are found by number, time, words and order", async () => {
    await using house = await openCam(30);
    const seqs = async (query: string) => {
      const { captions, last_seq } = caption_list_schema.parse(
        (await call(house, `/api/v1/streams/cam1/captions?${query}`)).json,
      );
      expect(last_seq).toBe(30);
      return captions.map(({ seq }) => seq);
    };
    expect(await seqs("")).toHaveLength(30);
    expect(await seqs("after_seq=27")).toEqual([28, 29, 30]);
    expect(await seqs("limit=2")).toEqual([1, 2]);
    expect(await seqs("limit=2&order=newest")).toEqual([30, 29]);
    expect(await seqs("q=caption 7")).toEqual([7]);
    expect(await seqs("from=2026-11-23T14:00:05Z&to=2026-11-23T15:00:06%2B01:00")).toEqual([5, 6]);
    expectError(
      await call(house, "/api/v1/streams/cam1/captions?limit=0&from=today&after_seq=x"),
      400,
      "bad_request",
      "limit:",
      "from:",
      "after_seq:",
    );
  });

  it("are exported as WebVTT, SubRip and JSON Lines, to the letter", async () => {
    await using house = await openCam();
    house.surface.say("cam1", "A goose.", 0);
    house.surface.say("cam1", "Two <b>geese</b> & a --> dog.\n\n\nBarks.", 1_500);
    house.surface.say("cam1", "Silence.", 3_661_042);
    const vtt = await call(house, "/api/v1/streams/cam1/captions.vtt");
    expect(vtt.headers.get("content-type")).toBe("text/vtt; charset=utf-8");
    expect(vtt.headers.get("content-disposition")).toBe('attachment; filename="cam1.vtt"');
    expect(vtt.text).toBe(
      `WEBVTT

1
00:00:00.000 --> 00:00:01.500
A goose.

2
00:00:01.500 --> 00:00:05.500
Two &lt;b&gt;geese&lt;/b&gt; &amp; a --&gt; dog.
Barks.

3
01:01:01.042 --> 01:01:05.042
Silence.

`,
    );
    const srt = await call(house, "/api/v1/streams/cam1/captions.srt?after_seq=2");
    expect(srt.text).toBe("3\n01:01:01,042 --> 01:01:05,042\nSilence.\n\n");
    const jsonl = await call(house, "/api/v1/streams/cam1/captions.jsonl");
    const lines = jsonl.text.trimEnd().split("\n").map((line) => JSON.parse(line));
    expect(lines.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(lines[1].text).toBe("Two <b>geese</b> & a --> dog.\n\n\nBarks.");
    expect(lines[0].t_wall).toBe("2026-11-23T14:00:00.000Z");
  });

  it("are exported whole, page after page", async () => {
    await using house = await openCam(1_750);
    const { text } = await call(house, "/api/v1/streams/cam1/captions.jsonl");
    const seqs = text.trimEnd().split("\n").map((line) => JSON.parse(line).seq);
    expect(seqs).toEqual(Array.from({ length: 1_750 }, (_, n) => n + 1));
    const empty = await call(house, "/api/v1/streams/cam1/captions.vtt?q=nothing");
    expect(empty.text).toBe("WEBVTT\n\n");
  });
});

describe("live captions as events", () => {
  const at = "/api/v1/streams/cam1/captions";

  it("resume after Last-Event-ID from the log and go on live, without gap or duplicate", async () => {
    await using house = await openCam(450);
    const response = await fetch(`${house.url}${at}/events`, { headers: { "last-event-id": "3" } });
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    const reading = readEvents(response, 497);
    for (let n = 0; n < 50; n++) {
      house.surface.say("cam1", `live ${n}`);
      if (n % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const events = await reading;
    expect(events.map(({ id }) => Number(id))).toEqual(Array.from({ length: 497 }, (_, n) => n + 4));
    expect(events[0].event).toBe("caption");
    expect(JSON.parse(events[0].data)).toMatchObject({ seq: 4, text: "caption 4" });
    await until(() => house.surface.listener_count === 1, "the reader's listener is gone");
  });

  it("begin with what comes next when no number is given, and answer Accept on the same path", async () => {
    await using house = await openCam(5);
    const response = await fetch(`${house.url}${at}`, { headers: { accept: "text/event-stream" } });
    const reading = readEvents(response, 1);
    await until(() => house.surface.listener_count === 2, "the reader");
    house.surface.say("cam1", "next");
    expect((await reading).map(({ id }) => id)).toEqual(["6"]);
  });

  it("take the number from the address the first time, and from the header on reconnecting", async () => {
    await using house = await openCam(5);
    const first = await readEvents(await fetch(`${house.url}${at}/events?after_seq=3`), 2);
    expect(first.map(({ id }) => id)).toEqual(["4", "5"]);
    house.surface.say("cam1", "six");
    const again = await fetch(`${house.url}${at}/events?after_seq=3`, { headers: { "last-event-id": "5" } });
    expect((await readEvents(again, 1)).map(({ id }) => id)).toEqual(["6"]);
    expectError(
      await call(house, `${at}/events`, { headers: { "last-event-id": "six" } }),
      400,
      "bad_request",
      "six",
    );
  });

  it("stay alive by comments, and say goodbye when the stream goes", async () => {
    const event_times = { keep_alive_ms: 20, write_ms_max: 1_000 };
    await using house = await openHouse({ event_times });
    house.surface.put("cam1");
    const response = await fetch(`${house.url}${at}/events`);
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes(": still here\n\n: still here\n\n")) text += (await reader.read()).value;
    await house.surface.remove("cam1");
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
    expect(text).toContain('event: goaway\ndata: {"reason":"the stream was removed"}');
  });

  it("cut off a reader that reads nothing, and give its seat back", async () => {
    const event_times = { keep_alive_ms: 10_000, write_ms_max: 300 };
    await using house = await openHouse({ event_times, viewers_max: 1 });
    house.surface.put("cam1");
    for (let n = 0; n < 8_000; n++) house.surface.say("cam1", "word ".repeat(400));
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: house.server.port });
    const head = `GET ${at}/events?after_seq=0 HTTP/1.1\r\nHost: ${house.host}\r\n\r\n`;
    await connection.write(new TextEncoder().encode(head));
    await until(() => house.surface.listener_count === 2, "the reader");
    expectError(await call(house, `${at}/events`), 503, "viewers_full");
    await until(() => house.log.some(({ event }) => event === "events.slow"), "the cut");
    await until(() => house.surface.listener_count === 1, "the listener is gone");
    expect((await readEvents(await fetch(`${house.url}${at}/events?after_seq=7999`), 1))[0].id).toBe("8000");
    connection.close();
  });
});
