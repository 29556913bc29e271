// Viewers that do not read and messages that do not end: memory stays flat, the others notice nothing, and the socket
// is closed with the code that says why. Memory is measured in a server process of its own.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { Client, openHouse, until, watch, within } from "./http_house.ts";

const mib = 1 << 20;

/** The server of http_memory_server.ts, and its answers to commands. */
class MemoryServer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";
  port = 0;

  constructor() {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", new URL("./http_memory_server.ts", import.meta.url).pathname],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#reader = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }
  static async open(): Promise<MemoryServer> {
    const server = new MemoryServer();
    server.port = (await server.#answer()).port as number;
    return server;
  }
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }
  async ask(command: string): Promise<Record<string, unknown>> {
    await this.#writer.write(new TextEncoder().encode(`${command}\n`));
    return await this.#answer();
  }
  async #answer(): Promise<Record<string, unknown>> {
    while (!this.#text.includes("\n")) {
      const { value, done } = await within(this.#reader.read(), 20_000, "the server's answer");
      if (done) throw new Error("the server ended");
      this.#text += value;
    }
    const [line, ...rest] = this.#text.split("\n");
    this.#text = rest.join("\n");
    return JSON.parse(line);
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    await this.#reader.cancel();
    await this.#child.status;
  }
}

/** A bare client: a handshake by hand, then bytes as the test likes. `ws` would not send what must be refused. */
async function openRaw(port: number, path: string): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(
    new TextEncoder().encode(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    ),
  );
  return connection;
}

/** A masked frame with a zero mask: the payload goes as it is. */
function frame(opcode: number, fin: boolean, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(14 + payload.length);
  bytes[0] = (fin ? 0x80 : 0) | opcode;
  bytes[1] = 0x80 | 127;
  new DataView(bytes.buffer).setBigUint64(2, BigInt(payload.length));
  bytes.set(payload, 14);
  return bytes;
}

/** The code of the close frame at the end of what a raw client received. */
function closeCode(received: Uint8Array): number | undefined {
  for (let at = received.length - 4; at >= 0; at--) {
    if (received[at] === 0x88 && received[at + 1] <= 125) return received[at + 2] << 8 | received[at + 3];
  }
  return undefined;
}

function finalSeqs(client: Client): number[] {
  return client.messages.filter(({ type }) => type === "caption.final").map(({ caption }) => caption.seq);
}
function upTo(count: number, from = 1): number[] {
  return Array.from({ length: count }, (_, index) => from + index);
}

async function join(url: string): Promise<Client> {
  const client = new Client(`${url}/ws/watch`);
  await client.next("hello");
  return client;
}

describe("slow viewer", () => {
  it("is cut off with 4008 and flat memory while 512 MiB are offered; another misses no caption", async () => {
    await using server = await MemoryServer.open();
    const [reader, sleeper] = [await join(server.url), await join(server.url)];
    for (const client of [reader, sleeper]) {
      client.send({ type: "sub", stream: "cam1", pictures: true });
      client.send({ type: "ping" });
      await client.next("pong");
    }
    sleeper.ws.pause();
    const { spoken, growth_bytes } = await server.ask("flood") as { spoken: number; growth_bytes: number };
    expect(growth_bytes / mib).toBeLessThan(100);
    await until(() => finalSeqs(reader).length === spoken, "every caption for the one that reads");
    expect(finalSeqs(reader)).toEqual(upTo(spoken));
    expect((await server.ask("state")).closes).toEqual([4008]);
    sleeper.ws.resume();
    const { code, reason } = await sleeper.closed;
    // The kernel may have thrown the close frame away with the connection; the server counted it above.
    expect([4008, 1006]).toContain(code);
    if (code === 4008) expect(reason).toContain("too slow");
    // What the slow one did get has no hole: it resumes by number.
    const got = finalSeqs(sleeper);
    expect(got).toEqual(upTo(got.length));
    expect(got.length).toBeLessThan(spoken);
    const again = await join(server.url);
    again.send({ type: "sub", stream: "cam1", after_seq: got.length });
    await until(() => finalSeqs(again).at(-1) === spoken, "the rest");
    expect(finalSeqs(again)).toEqual(upTo(spoken - got.length, got.length + 1));
    await Promise.all([reader.leave(), again.leave()]);
  });

  it("is told 4008 and why, when it reads again in time", async () => {
    await using house = await openHouse({ sockets: { stall_ms: 300 } });
    house.surface.put("cam1");
    const client = await watch(house);
    client.send({ type: "sub", stream: "cam1", pictures: true });
    await until(() => house.surface.viewers("cam1") === 1, "subscribed");
    client.ws.pause();
    const picture = new Uint8Array(1 << 20);
    for (let n = 0; n < 40; n++) {
      house.surface.show("cam1", picture);
      house.surface.delta("cam1", "d".repeat(100_000));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await until(() => house.log.some(({ fields }) => fields.code === 4008), "the cut");
    client.ws.resume();
    expect(await client.closed).toEqual({ code: 4008, reason: expect.stringContaining("too slow") });
  });

  it("misses deltas and pictures after a pause, is told how many, and loses no caption", async () => {
    await using house = await openHouse({ sockets: { stall_ms: 60_000 } });
    const { surface } = house;
    surface.put("cam1");
    const client = await watch(house);
    client.send({ type: "sub", stream: "cam1", pictures: true });
    await until(() => surface.viewers("cam1") === 1, "subscribed");
    client.ws.pause();
    const picture = new Uint8Array(128 << 10);
    for (let n = 1; n <= 300; n++) {
      surface.show("cam1", picture);
      surface.delta("cam1", "d".repeat(10_000));
      surface.say("cam1", `${"c".repeat(8_000)} ${n}`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    client.ws.resume();
    const { skipped } = await client.next("viewer.skipped");
    await until(() => client.messages.some((message) => message.caption?.seq === 300), "the last caption");
    // Deltas of captions that came by replay are not offered at all.
    const deltas = client.messages.filter(({ type }) => type === "caption.delta").length;
    expect(skipped).toBeGreaterThanOrEqual(300 - client.picture_count);
    expect(skipped + deltas + client.picture_count).toBeLessThanOrEqual(600);
    expect(client.picture_count).toBeGreaterThan(0);
    expect(client.picture_count).toBeLessThan(200);
    expect(finalSeqs(client)).toEqual(upTo(300));
    await client.leave();
  });

  it("is not read a long log into memory", async () => {
    await using server = await MemoryServer.open();
    const before_bytes = (await server.ask("fill")).resident_bytes as number;
    const client = await join(server.url);
    client.ws.pause();
    client.send({ type: "sub", stream: "long", after_seq: 0 });
    await new Promise((resolve) => setTimeout(resolve, 400));
    const after_bytes = (await server.ask("state")).resident_bytes as number;
    expect((after_bytes - before_bytes) / mib).toBeLessThan(60);
    client.ws.resume();
    client.ws.terminate();
  });
});

describe("messages that are too long", () => {
  it("are closed with 1009 while 400 MiB come in fragments, and memory stays flat", async () => {
    await using server = await MemoryServer.open();
    for (
      const [path, fragment_bytes] of [["/ws/publish?stream=push1", mib], ["/ws/watch", 16 << 10]] as const
    ) {
      const connection = await openRaw(server.port, path);
      const received: number[] = [];
      const reading = (async () => {
        const chunk = new Uint8Array(4_096);
        try {
          for (let count; (count = await connection.read(chunk)) !== null;) {
            received.push(...chunk.subarray(0, count));
          }
        } catch {
          // The server cut the connection: what came before is what counts.
        }
      })();
      const before_bytes = (await server.ask("state")).resident_bytes as number;
      const payload = new Uint8Array(fragment_bytes);
      try {
        for (let sent_bytes = 0; sent_bytes < 400 * mib; sent_bytes += payload.length) {
          const bytes = frame(sent_bytes === 0 ? 2 : 0, false, payload);
          for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
        }
      } catch {
        // Refused by then: the server bounds what is sent.
      }
      await reading;
      connection.close();
      expect(closeCode(new Uint8Array(received))).toBe(1009);
      const after_bytes = (await server.ask("state")).resident_bytes as number;
      expect((after_bytes - before_bytes) / mib).toBeLessThan(40);
    }
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toContain('gander_sockets_closed_total{kind="publish",code="1009"} 1');
    expect(metrics).toContain('gander_sockets_closed_total{kind="watch",code="1009"} 1');
  });

  it("begin one byte above the bound", async () => {
    await using house = await openHouse();
    const client = await watch(house);
    client.ws.send("x".repeat(64 << 10));
    expect((await client.closed).code).toBe(4400);
    const other = await watch(house);
    other.ws.send("x".repeat((64 << 10) + 1));
    expect((await other.closed).code).toBe(1009);
  });

  it("and nonsense on the wire end one socket only", async () => {
    await using house = await openHouse({ sockets: { close_ms: 100 } });
    const connection = await openRaw(house.server.port, "/ws/watch");
    await connection.read(new Uint8Array(65_536));
    await connection.write(new Uint8Array(64).fill(0xff));
    await until(() => house.log.some(({ event }) => event === "socket.refused"), "the refusal");
    try {
      while (await connection.read(new Uint8Array(65_536)) !== null);
    } catch {
      // Reset is as good as closed.
    }
    connection.close();
    const client = await watch(house);
    await client.leave();
  });
});
