// The server around the routes: health, metrics, documentation, closing, a port that is taken.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { encodePush } from "../../src/wire/mod.ts";
import { call, Client, openHouse, post, rawCall, readEvents, until, watch } from "./http_house.ts";

describe("health", () => {
  it("tells a living process from one that can take work", async () => {
    await using house = await openHouse();
    expect((await call(house, "/healthz")).json).toEqual({ ok: true, version: "1.2.3" });
    expect((await call(house, "/readyz")).status).toBe(200);
    house.surface.ready = false;
    const reply = await call(house, "/readyz");
    expect([reply.status, reply.json.error.code]).toEqual([503, "not_ready"]);
    expect((await call(house, "/healthz")).status).toBe(200);
  });
});

describe("metrics", () => {
  it("show every stream's numbers, sockets by close code, memory and build", async () => {
    await using house = await openHouse();
    house.surface.put("cam1");
    house.surface.put("push1", "push");
    house.surface.say("cam1", "one");
    const client = await watch(house);
    client.ws.send("{");
    await client.closed;
    const strange = await watch(house);
    strange.ws.close(4_999);
    await strange.closed;
    const viewer = await watch(house);
    viewer.send({ type: "sub", stream: "cam1" });
    await until(() => house.surface.viewers("cam1") === 1, "the viewer");
    const reply = await call(house, "/metrics");
    expect(reply.headers.get("content-type")).toContain("text/plain");
    for (
      const line of [
        'gander_ticks_total{stream="cam1"} 7',
        'gander_captions_total{stream="cam1"} 1',
        'gander_captions_total{stream="push1"} 0',
        'gander_drops_total{stream="cam1",reason="mailbox"} 3',
        'gander_drops_total{stream="cam1",reason="failed"} 4',
        'gander_drops_total{stream="cam1",reason="empty"} 2',
        'gander_tick_p95_ms{stream="cam1"} 30',
        'gander_caption_age_p50_ms{stream="cam1"} 120',
        'gander_caption_age_p95_ms{stream="cam1"} 340',
        'gander_state_bytes{stream="cam1"} 4096',
        'gander_viewers{stream="cam1"} 1',
        'gander_source_up{stream="cam1"} 1',
        'gander_sockets_open{kind="watch"} 1',
        'gander_sockets_closed_total{kind="watch",code="4400"} 1',
        'gander_sockets_closed_total{kind="watch",code="other"} 1',
        'gander_build_info{version="1.2.3",model="fake",device="none",model_hash="00ff"} 1',
        "gander_ready 1",
      ]
    ) expect(reply.text).toContain(`${line}\n`);
    expect(Number(reply.text.match(/gander_process_resident_bytes (\d+)/)?.[1])).toBeGreaterThan(1e7);
    await house.surface.remove("cam1");
    expect((await call(house, "/metrics")).text).not.toContain('stream="cam1"');
    await viewer.leave();
  });
});

// deno-lint-ignore no-explicit-any -- a document of any shape is walked
type Document = any;

describe("documentation", () => {
  it("is a sound OpenAPI document that names every route", async () => {
    await using house = await openHouse();
    const doc: Document = (await call(house, "/openapi.json")).json;
    expect(doc.openapi).toBe("3.1.0");
    expect(doc.info).toMatchObject({ title: "Gander", version: "1.2.3" });
    const bodyless = ["pause", "resume", "snapshots"];
    let route_count = 0;
    for (const [path, methods] of Object.entries<Document>(doc.paths)) {
      for (const [method, route] of Object.entries<Document>(methods)) {
        const name = `${method} ${path}`;
        route_count++;
        expect([name, route.summary?.length > 3, route.tags?.length]).toEqual([name, true, 1]);
        const statuses = Object.keys(route.responses);
        expect([name, statuses.some((status) => status.startsWith("2"))]).toEqual([name, true]);
        expect([name, statuses.includes("403")]).toEqual([name, true]);
        for (const [status, response] of Object.entries<Document>(route.responses)) {
          expect([name, status, response.description.length > 3]).toEqual([name, status, true]);
          if (status === "204") continue;
          const contents = Object.values<Document>(response.content);
          expect([name, status, contents.length > 0]).toEqual([name, status, true]);
          for (const { schema } of contents) {
            expect([name, status, typeof schema]).toEqual([name, status, "object"]);
          }
        }
        const in_path = [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
        const declared = (route.parameters ?? []).filter((parameter: Document) => parameter.in === "path");
        expect([name, declared.map((parameter: Document) => parameter.name)]).toEqual([name, in_path]);
        for (const parameter of route.parameters ?? []) expect(typeof parameter.schema).toBe("object");
        const wants_body = ["post", "patch"].includes(method) && !bodyless.includes(path.split("/").at(-1)!);
        expect([name, route.requestBody !== undefined]).toEqual([name, wants_body]);
        if (wants_body) expect(route.requestBody.content["application/json"].schema).toBeDefined();
      }
    }
    expect(route_count).toBeGreaterThanOrEqual(26);
    for (const [, target] of JSON.stringify(doc).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const found = target.split("/").reduce((node: Document, key) => node?.[key], doc);
      expect([target, typeof found]).toEqual([target, "object"]);
    }
  });

  it("has a page that asks no other host for anything", async () => {
    await using house = await openHouse();
    const page = await call(house, "/docs");
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const script = await call(house, "/docs/page.js");
    expect(script.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    const style = await call(house, "/docs/page.css");
    for (const { text, status } of [page, script, style]) {
      expect(status).toBe(200);
      expect(text).not.toMatch(/https?:\/\//);
    }
    // Inline code would be stopped by the policy of the same answer.
    expect(page.text).not.toMatch(/<script>|<style>| style=| on\w+=/);
  });
});

describe("closing", () => {
  it("says goaway and 1012 to everyone, ends events and finishes requests", async () => {
    await using house = await openHouse();
    house.surface.put("cam1");
    house.surface.put("push1", "push");
    const viewer = await watch(house);
    const publisher = new Client(`${house.url}/ws/publish?stream=push1`);
    await publisher.opened;
    publisher.send({ type: "publish", format: "jpeg" });
    await publisher.next("credit");
    const events = readEvents(await fetch(`${house.url}/api/v1/streams/cam1/captions/events`), 9);
    const asking = post(house, "/api/v1/streams/cam1/ask", { question: "who?" });
    await until(
      () => house.surface.questions.length === 1 && house.surface.listener_count === 2,
      "all are there",
    );
    const closing = house.server.close("update", 2_000);
    house.surface.questions[0].done("a goose");
    expect((await asking).json.answer).toBe("a goose");
    expect(await viewer.next("goaway")).toEqual({ type: "goaway", deadline_ms: 2_000, reason: "update" });
    expect(await viewer.closed).toEqual({ code: 1012, reason: "update" });
    expect(await publisher.next("goaway")).toEqual({ type: "goaway", reason: "update" });
    expect(await publisher.closed).toEqual({ code: 1012, reason: "update" });
    expect((await events).at(-1)).toMatchObject({ event: "goaway" });
    await closing;
    expect(house.surface.listener_count).toBe(0);
    expect(house.surface.publishers.size).toBe(0);
    await expect(fetch(`${house.url}/healthz`)).rejects.toThrow();
  });

  it("cuts those who do not leave by the deadline", async () => {
    await using house = await openHouse();
    house.surface.put("cam1");
    const viewer = await watch(house);
    viewer.ws.pause();
    const asking = post(house, "/api/v1/streams/cam1/ask", { question: "who?" }).catch(() => "cut");
    await until(() => house.surface.questions.length === 1, "the question");
    const begin_ms = performance.now();
    await house.server.close("update", 300);
    expect(performance.now() - begin_ms).toBeLessThan(2_000);
    expect(await asking).toBe("cut");
    expect(house.surface.questions[0].request.signal?.aborted).toBe(true);
    viewer.ws.resume();
    await viewer.closed;
  });

  it("is not ready while it drains, takes no new socket, and closes once", async () => {
    await using house = await openHouse();
    house.surface.put("cam1");
    const asking = post(house, "/api/v1/streams/cam1/ask", { question: "who?" });
    await until(() => house.surface.questions.length === 1, "the question");
    // Requests that have begun are not idle: their connections outlive the call to close.
    const begin = async (line: string) => {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port: house.server.port });
      await connection.write(new TextEncoder().encode(`GET ${line} HTTP/1.1\r\n`));
      return async (rest: string) => {
        await connection.write(new TextEncoder().encode(`Host: ${house.host}\r\n${rest}\r\n`));
        const buffer = new Uint8Array(4_096);
        const text = new TextDecoder().decode(buffer.subarray(0, await connection.read(buffer) ?? 0));
        connection.close();
        return text;
      };
    };
    const [ready, socket] = [await begin("/readyz"), await begin("/ws/watch")];
    await new Promise((resolve) => setTimeout(resolve, 30));
    const closing = Promise.all([house.server.close("a", 2_000), house.server.close("b", 1)]);
    expect(await ready("")).toContain("503");
    const key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    const refused = await socket(`Connection: Upgrade\r\nUpgrade: websocket\r\n${key}`);
    expect(refused).toContain("503");
    expect(refused).toContain("not_ready");
    house.surface.questions[0].done("done");
    expect((await asking).status).toBe(200);
    await closing;
  });

  it("leaves nothing behind after many short visits", async () => {
    await using house = await openHouse();
    house.surface.put("cam1");
    house.surface.put("push1", "push");
    for (let n = 0; n < 60; n++) {
      const client = new Client(`${house.url}/ws/${n % 2 ? "watch" : "publish?stream=push1"}`);
      await client.opened;
      if (n % 2) client.send({ type: "sub", stream: "cam1" });
      else {
        client.send({ type: "publish", format: "jpeg" });
        client.ws.send(encodePush(
          { codec: "jpeg", key_frame: true, width_px: 1, height_px: 1, t_media_us: 0n, sequence: n },
          new Uint8Array(9),
        ));
      }
      if (n % 3) client.ws.terminate();
      else client.ws.close();
      await client.closed;
      if (n % 2 === 0) await until(() => house.surface.publishers.size === 0, "the publisher is gone");
    }
    await until(() => house.surface.viewers("cam1") === 0, "all viewers are gone");
    const { text } = await call(house, "/metrics");
    expect(text).toContain('gander_sockets_open{kind="watch"} 0');
    expect(text).toContain('gander_sockets_open{kind="publish"} 0');
  });
});

describe("listening", () => {
  it("says what to do when the port or the address cannot be had", async () => {
    await using house = await openHouse();
    const { port } = house.server;
    await expect(openHouse({ port })).rejects.toThrow(
      `another program listens on 127.0.0.1:${port}; stop it or choose`,
    );
    await expect(openHouse({ host: "192.0.2.1", token: "0123456789abcdef" })).rejects.toThrow(
      "no address 192.0.2.1",
    );
    await expect(openHouse({ host: "0.0.0.0" })).rejects.toThrow("set a token");
  });

  it("drops connections that never become a request", async () => {
    await using house = await openHouse({ sockets: {} });
    const { text } = await rawCall(house, "GET / HTTP/1.1\r\nX-Long: " + "y".repeat(40_000), 2_000);
    expect(text).not.toContain("200 OK");
  });

  it("works on the other loopback too", async () => {
    await using house = await openHouse({ host: "::1" });
    expect(house.url).toBe(`http://[::1]:${house.server.port}`);
    expect((await call(house, "/healthz")).status).toBe(200);
    const client = await watch(house, { origin: house.url });
    await client.leave();
  });
});
