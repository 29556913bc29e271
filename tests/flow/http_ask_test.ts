// Questions, answers, snapshots and pictures over HTTP.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import {
  answer_list_schema,
  answer_schema,
  snapshot_list_schema,
  snapshot_schema,
} from "../../src/wire/mod.ts";
import { call, expectError, openCam, post, readEvents, until } from "./http_house.ts";

describe("questions", () => {
  it("are answered as one JSON object, about any moment", async () => {
    await using house = await openCam(3);
    const moments = {
      "now": { kind: "now" },
      "tick:12": { kind: "tick", tick: 12 },
      "media:90000": { kind: "media", t_media_ms: 90_000 },
      "2026-11-23T14:00:10+00:00": { kind: "wall", t_wall_ms: Date.UTC(2026, 10, 23, 14, 0, 10) },
    };
    for (const [index, [at, moment]] of Object.entries(moments).entries()) {
      const asking = post(house, "/api/v1/streams/cam1/ask", { question: " who? ", at, deadline_ms: 500 });
      await until(() => house.surface.questions.length === index + 1, "the question");
      const { request, done } = house.surface.questions[index];
      expect(request).toMatchObject({ question: "who?", at: moment, deadline_ms: 500 });
      done("a goose");
      const answer = answer_schema.parse((await asking).json);
      expect(answer).toMatchObject({ answer: "a goose", status: "done", t_wall: "2026-11-23T14:00:03.000Z" });
      expect(answer.evidence.map(({ seq }) => seq)).toEqual([2, 3]);
    }
    const kept = answer_list_schema.parse((await call(house, "/api/v1/streams/cam1/answers?limit=3")).json);
    expect(kept.answers).toHaveLength(3);
    expectError(await call(house, "/api/v1/streams/cam1/answers?limit=0"), 400, "bad_request", "limit");
    const bad = await post(house, "/api/v1/streams/cam1/ask", { question: "", at: "later", deadline_ms: 1 });
    expectError(bad, 400, "bad_request", "question:", "at:", "deadline_ms:");
  });

  it("are answered as events while the answer is said", async () => {
    await using house = await openCam(1);
    const asking = fetch(`${house.url}/api/v1/streams/cam1/ask`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ question: "who?", stream: true }),
    });
    await until(() => house.surface.questions.length === 1, "the question");
    const [{ say, done }] = house.surface.questions;
    say("a ");
    const response = await asking;
    const reading = readEvents(response, 3);
    await new Promise((resolve) => setTimeout(resolve, 20));
    say("goose");
    await new Promise((resolve) => setTimeout(resolve, 20));
    done("a goose");
    const events = await reading;
    expect(events.map(({ event }) => event)).toEqual(["answer.delta", "answer.delta", "answer.done"]);
    expect(events.slice(0, 2).map(({ data }) => JSON.parse(data).text)).toEqual(["a ", "a goose"]);
    expect(answer_schema.parse(JSON.parse(events[2].data).answer).answer).toBe("a goose");
  });

  it("fail as HTTP before the first word and as an event after it", async () => {
    await using house = await openCam(1);
    for (const words of [[], ["a "]]) {
      const asking = fetch(`${house.url}/api/v1/streams/cam1/ask`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ question: "who?", stream: true }),
      });
      await until(() => house.surface.questions.length === 1, "the question");
      const { say, fail } = house.surface.questions.pop()!;
      words.forEach(say);
      if (words.length > 0) await asking;
      fail(new Error("stack and secret"));
      const response = await asking;
      if (words.length > 0) {
        const events = await readEvents(response, 2);
        expect(events[1].event).toBe("answer.failed");
        expect(JSON.parse(events[1].data).error.code).toBe("internal");
      } else {
        expect(response.status).toBe(500);
        expect(await response.text()).not.toContain("secret");
      }
    }
  });

  it("end when the asker leaves", async () => {
    await using house = await openCam(1);
    for (const stream of [false, true]) {
      const leaving = new AbortController();
      const asking = fetch(`${house.url}/api/v1/streams/cam1/ask`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ question: "who?", stream }),
        signal: leaving.signal,
      }).catch(() => undefined);
      await until(() => house.surface.questions.length === 1, "the question");
      const { request } = house.surface.questions.pop()!;
      leaving.abort();
      await asking;
      await until(() => request.signal!.aborted, "the question's end");
    }
  });
});

describe("snapshots and pictures", () => {
  it("are taken, listed and downloaded", async () => {
    await using house = await openCam(4);
    const taken = await post(house, "/api/v1/streams/cam1/snapshots");
    expect(taken.status).toBe(201);
    const snapshot = snapshot_schema.parse(taken.json);
    expect(snapshot).toEqual({
      stream: "cam1",
      tick: 100,
      seq: 4,
      t_media_ms: 50_000,
      t_wall: "2026-11-23T14:00:50.000Z",
      model_hash: "00ff",
    });
    const list = snapshot_list_schema.parse((await call(house, "/api/v1/streams/cam1/snapshots")).json);
    expect(list.snapshots).toEqual([snapshot]);
    const file = await fetch(`${house.url}/api/v1/streams/cam1/snapshots/100`);
    expect(file.headers.get("content-type")).toBe("application/octet-stream");
    expect(file.headers.get("content-disposition")).toBe('attachment; filename="cam1-100.state"');
    expect([...await file.bytes()]).toEqual([1, 2, 3, 100]);
    expectError(await call(house, "/api/v1/streams/cam1/snapshots/7"), 404, "snapshot_unknown", "7");
    expectError(await call(house, "/api/v1/streams/cam1/snapshots/x"), 400, "bad_request", "tick");
  });

  it("show the newest picture, and 404 before the first", async () => {
    await using house = await openCam();
    expectError(await call(house, "/api/v1/streams/cam1/snapshot.jpg"), 404, "picture_unknown");
    house.surface.show("cam1", new Uint8Array([0xff, 0xd8, 0xff]));
    const picture = await fetch(`${house.url}/api/v1/streams/cam1/snapshot.jpg`);
    expect(picture.headers.get("content-type")).toBe("image/jpeg");
    expect(picture.headers.get("cache-control")).toBe("no-store");
    expect([...await picture.bytes()]).toEqual([0xff, 0xd8, 0xff]);
  });
});
