// Whoever else is on this machine finds the ports of the gate and the relay. They are not for them.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { openHttpGate } from "../../streams/http_gate.ts";
import { openRtspRelay } from "../../streams/rtsp_relay.ts";
import type { NetworkLocation } from "../../streams/source_url.ts";
import { parseSource, redact } from "../../streams/source_url.ts";
import { lab_policy } from "./watch.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** Everything that comes back after these words. */
async function say(port: number, words: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(encode(words));
  let said = "";
  const buffer = new Uint8Array(4_096);
  for (;;) {
    const count = await connection.read(buffer).catch(() => null);
    if (count === null) return said;
    said += new TextDecoder().decode(buffer.subarray(0, count));
  }
}

/** Answers every connection with a line and closes it; counts them. */
function greeter() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const seen = { port: listener.addr.port, connections: 0 };
  const work = (async () => {
    for await (const connection of listener) {
      seen.connections++;
      const buffer = new Uint8Array(4_096);
      await connection.read(buffer);
      await connection.write(encode("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
      connection.close();
    }
  })();
  return Object.assign(seen, {
    async [Symbol.asyncDispose]() {
      listener.close();
      await work;
    },
  });
}

describe("the HTTP gate", () => {
  it("serves whoever knows its password, and asks everybody else for it", async () => {
    await using server = greeter();
    await using gate = openHttpGate(lab_policy, () => Promise.reject(new Error("no names here")));
    const { port, username, password } = new URL(gate.url);
    expect(password.length).toBeGreaterThan(30);
    const ask = (method: string, target: string, secret?: string) => {
      const proof = secret === undefined
        ? ""
        : `Proxy-Authorization: Basic ${btoa(`${username}:${secret}`)}\r\n`;
      return say(Number(port), `${method} ${target} HTTP/1.1\r\nHost: x\r\n${proof}\r\n`);
    };
    const url = `http://127.0.0.1:${server.port}/`;
    for (const secret of [undefined, "", "guess", password.slice(1), `${password} `]) {
      expect(await ask("GET", url, secret)).toMatch(/^HTTP\/1.1 407 .*Proxy-Authenticate: Basic /s);
      expect(await ask("CONNECT", `127.0.0.1:${server.port}`, secret)).toMatch(/^HTTP\/1.1 407 /);
    }
    expect(server.connections).toBe(0);
    expect(await ask("GET", url, password)).toMatch(/^HTTP\/1.1 200 .*hello$/s);
    expect(server.connections).toBe(1);
  });

  it("has another password every time, and none in a text for people", async () => {
    await using first = openHttpGate(lab_policy, () => Promise.resolve([]));
    await using second = openHttpGate(lab_policy, () => Promise.resolve([]));
    expect(new URL(first.url).password).not.toBe(new URL(second.url).password);
    expect(redact(`cannot reach ${first.url}`)).not.toContain(new URL(first.url).password);
  });
});

describe("the RTSP relay", () => {
  it("serves one connection and no second", async () => {
    await using server = greeter();
    const location = parseSource(`rtsp://127.0.0.1:${server.port}/cam`, lab_policy) as NetworkLocation;
    await using relay = await openRtspRelay(location, { address: "127.0.0.1", verify_tls: true });
    const port = Number(new URL(relay.url).port);
    using first = await Deno.connect({ hostname: "127.0.0.1", port });
    while (server.connections === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    for (let stranger = 0; stranger < 3; stranger++) {
      expect(await say(port, "OPTIONS * RTSP/1.0\r\n\r\n").catch(() => "")).toBe("");
    }
    expect(server.connections).toBe(1);
    await first.write(encode("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n"));
    expect(await first.read(new Uint8Array(100))).toBeGreaterThan(10);
    expect(relay.url).toContain(`:${port}/cam`); // still known, though nobody listens there
  });
});
