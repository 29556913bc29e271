// REST of streams, and what holds for every route: bodies, methods, headers, failures.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import {
  model_view_schema,
  probe_schema,
  stream_list_schema,
  stream_view_schema,
  wire_limits,
} from "../../src/wire/mod.ts";
import { call, expectError, openCam, openHouse, post, rawCall, until } from "./http_house.ts";

const push = { kind: "push" } as const;

describe("streams", () => {
  it("are listed, added, shown, changed, paused, resumed and removed", async () => {
    await using house = await openCam();
    const added = await post(house, "/api/v1/streams", {
      id: "door",
      name: "Door",
      source: push,
      tick_rate_hz: 1,
    });
    expect(added.status).toBe(201);
    expect(added.headers.get("location")).toBe("/api/v1/streams/door");
    expect(stream_view_schema.parse(added.json)).toMatchObject({ id: "door", name: "Door" });
    const list = stream_list_schema.parse((await call(house, "/api/v1/streams")).json);
    expect(list.streams.map(({ id }) => id)).toEqual(["cam1", "door"]);
    const changed = await call(house, "/api/v1/streams/door", {
      method: "PATCH",
      json: { name: "Back door", gates: { novelty: false } },
    });
    expect(changed.json).toMatchObject({ name: "Back door", gates: { change: true, novelty: false } });
    expect((await post(house, "/api/v1/streams/door/pause")).json.paused).toBe(true);
    expect((await post(house, "/api/v1/streams/door/resume")).json.paused).toBe(false);
    expect(stream_view_schema.parse((await call(house, "/api/v1/streams/door")).json).id).toBe("door");
    const removed = await call(house, "/api/v1/streams/door", { method: "DELETE" });
    expect([removed.status, removed.text]).toEqual([204, ""]);
    expectError(await call(house, "/api/v1/streams/door"), 404, "stream_unknown", "door");
  });

  it("answer 404 for a stream that is not there, on every path", async () => {
    await using house = await openHouse();
    const at = "/api/v1/streams/gone";
    const replies = await Promise.all([
      call(house, at),
      call(house, at, { method: "PATCH", json: { name: "x" } }),
      call(house, at, { method: "DELETE" }),
      ...["pause", "resume", "snapshots"].map((verb) => post(house, `${at}/${verb}`)),
      post(house, `${at}/ask`, { question: "who?" }),
      post(house, `${at}/ask`, { question: "who?", stream: true }),
      ...["captions", "captions.vtt", "captions.srt", "captions.jsonl", "captions/events"].map((path) =>
        call(house, `${at}/${path}`)
      ),
      ...["answers", "snapshots", "snapshots/1", "snapshot.jpg"].map((path) => call(house, `${at}/${path}`)),
    ]);
    for (const reply of replies) expectError(reply, 404, "stream_unknown", "gone");
  });

  it("take what a model of single pictures is told, and refuse what it cannot be told", async () => {
    await using house = await openCam();
    const change = (refresh: unknown) =>
      call(house, "/api/v1/streams/cam1", { method: "PATCH", json: { refresh } });
    const refresh = {
      instruction: "Who?{summary}",
      language: "pt-BR",
      cadence_s: 0.5,
      every_s: 60,
      change_min: 0,
    };
    expect(stream_view_schema.parse((await change(refresh)).json).refresh).toEqual(refresh);
    expect((await change({ cadence_s: 5 })).status).toBe(200);
    for (
      const [wrong, name] of [
        [{ cadence_s: 0 }, "refresh.cadence_s"],
        [{ every_s: 1e9 }, "refresh.every_s"],
        [{ instruction: "" }, "refresh.instruction"],
        [{ language: "German, please" }, "refresh.language"],
        [{ change_min: 2 }, "refresh.change_min"],
        [{ frames: 3 }, "frames"],
      ] as const
    ) expectError(await change(wrong), 400, "bad_request", name);
  });

  it("say every problem of a bad request in one message", async () => {
    await using house = await openCam();
    const reply = await post(house, "/api/v1/streams", {
      id: "UPPER",
      name: "",
      source: { kind: "pull" },
      tick_rate_hz: 99,
      colour: "red",
    });
    expectError(reply, 400, "bad_request", "id:", "name:", "source.url:", "tick_rate_hz:", "colour");
    expectError(await post(house, "/api/v1/streams", []), 400, "bad_request", "body:");
    expectError(await call(house, "/api/v1/streams/UPPER"), 400, "bad_request", "id:");
    const twice = { id: "cam1", name: "x", source: push };
    expectError(await post(house, "/api/v1/streams", twice), 409, "stream_exists", "cam1");
    house.surface.streams_max = 1;
    const full = await post(house, "/api/v1/streams", { name: "x", source: push });
    expectError(full, 429, "streams_full");
    expect(full.headers.get("retry-after")).toBe("1");
  });

  it("can be probed without being added", async () => {
    await using house = await openCam();
    const source = { kind: "pull", url: "rtsp://camera/1", transport: "tcp" };
    const reply = await post(house, "/api/v1/probe", source);
    expect(probe_schema.parse(reply.json).ok).toBe(true);
    expect(house.surface.probed).toEqual([source]);
    const { url_chars_max } = wire_limits;
    const longest = { kind: "pull", url: `http://camera/${"x".repeat(url_chars_max - 14)}` };
    expect((await post(house, "/api/v1/probe", longest)).status).toBe(200);
    for (const url of ["", `${longest.url}x`]) {
      expectError(await post(house, "/api/v1/probe", { kind: "pull", url }), 400, "bad_request", "url");
    }
  });

  it("are probed no longer than somebody waits for the answer", async () => {
    await using house = await openCam();
    house.surface.probe_waits = true;
    const asker = new AbortController();
    const init = { method: "POST", json: { kind: "pull", url: "rtsp://camera/1" }, signal: asker.signal };
    const asked = call(house, "/api/v1/probe", init).catch((error) => error.name);
    await until(() => house.surface.probe_signal !== undefined, "the probe");
    asker.abort();
    expect(await asked).toBe("AbortError");
    await until(() => house.surface.probe_signal!.aborted, "its end");
  });

  it("are watched by a model that says what it is", async () => {
    await using house = await openCam();
    expect(model_view_schema.parse((await call(house, "/api/v1/model")).json).fake).toBe(true);
  });
});

describe("bodies and routes", () => {
  it("reads JSON and nothing else, whatever it is called", async () => {
    await using house = await openCam();
    const add = (type: string | undefined, body: string) =>
      call(house, "/api/v1/streams", {
        method: "POST",
        body: new TextEncoder().encode(body),
        headers: type === undefined ? {} : { "content-type": type },
      });
    const good = JSON.stringify({ name: "x", source: push });
    for (
      const type of [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
      ]
    ) {
      expectError(await add(type, good), 415, "unsupported_media_type");
    }
    expectError(await add(undefined, good), 415, "unsupported_media_type");
    expectError(await add("application/json-seq", good), 415, "unsupported_media_type");
    expectError(await add("application/json", "{name:"), 400, "bad_request", "JSON");
    expectError(await add("application/json", ""), 400, "bad_request");
    expect((await add("application/json; charset=utf-8", good)).status).toBe(201);
    const form = { "content-type": "text/plain" };
    expectError(
      await call(house, "/api/v1/streams/cam1/pause", { method: "POST", headers: form }),
      415,
      "unsupported_media_type",
    );
  });

  it("reads 64 KiB at most, announced or not", async () => {
    await using house = await openCam();
    const long = JSON.stringify({ name: "x".repeat(70_000), source: push });
    expectError(await post(house, "/api/v1/streams", JSON.parse(long)), 413, "too_large");
    const bytes = new TextEncoder().encode(long);
    const chunked = await fetch(`${house.url}/api/v1/streams`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: ReadableStream.from([bytes.subarray(0, 40_000), bytes.subarray(40_000)]),
    });
    expect(chunked.status).toBe(413);
    await chunked.body?.cancel();
  });

  it("answers unknown routes with 404 and known ones by the wrong method with 405", async () => {
    await using house = await openCam();
    expectError(await call(house, "/api/v1/nothing"), 404, "not_found", "/api/v1/nothing");
    expectError(await call(house, "/api/v2/streams"), 404, "not_found");
    expectError(await post(house, "/nowhere", {}), 404, "not_found");
    for (
      const [method, path, allow] of [
        ["DELETE", "/api/v1/streams", "GET, POST"],
        ["PUT", "/api/v1/streams/cam1", "GET, PATCH, DELETE"],
        ["GET", "/api/v1/streams/cam1/pause", "POST"],
        ["POST", "/healthz", "GET"],
      ]
    ) {
      const reply = await call(house, path, { method });
      expectError(reply, 405, "method_not_allowed", method);
      expect(reply.headers.get("allow")).toBe(allow);
    }
  });

  it("keeps what failed inside to the log", async () => {
    await using house = await openCam();
    house.surface.list = () => {
      throw new Error("password hunter2 in /srv/keys");
    };
    const reply = await call(house, "/api/v1/streams");
    expectError(reply, 500, "internal");
    expect(reply.text).not.toMatch(/hunter2|srv|stack/);
    const line = house.log.find(({ event }) => event === "http.failed")!;
    expect(String(line.fields.error)).toContain("hunter2");
  });

  it("carries security headers on every answer, good or bad", async () => {
    await using house = await openCam();
    for (const path of ["/", "/healthz", "/api/v1/streams", "/api/v1/streams/gone", "/docs", "/nope"]) {
      const { headers } = await call(house, path);
      const csp = headers.get("content-security-policy")!;
      expect(csp).toContain("default-src 'self'");
      expect(csp).toContain("frame-ancestors 'none'");
      expect(csp).not.toContain("unsafe");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("access-control-allow-origin")).toBeNull();
      expect(headers.get("permissions-policy")).toContain("camera=(self)");
    }
    expect((await call(house, "/")).headers.get("content-security-policy")).toContain(`ws://${house.host}`);
  });

  it("answers what is hardly HTTP with 400 or silence, and goes on", async () => {
    await using house = await openCam();
    const close = "Connection: close\r\n\r\n";
    const at = (line: string, host = house.host) =>
      rawCall(house, `${line} HTTP/1.1\r\nHost: ${host}\r\n${close}`);
    expect((await at("GET /api/v1/streams", "a b")).status).toBe(400);
    expect((await at("GET /..%2f..%2fetc/passwd")).status).toBe(404);
    expect((await rawCall(house, "nonsense\r\n\r\n")).status).not.toBe(200);
    expect((await call(house, "/healthz")).status).toBe(200);
  });
});
