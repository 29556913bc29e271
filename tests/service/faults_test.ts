// Bad input at the whole service: each ends in the documented error, and a stream beside it does not notice.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { WebSocket } from "ws";
import { encodePush } from "../../src/wire/mod.ts";
import { sampleClip } from "./clip.ts";
import { until } from "./gander_process.ts";
import { openWhole } from "./whole_service.ts";
import { callWitness } from "./witness.ts";

/** A JPEG of one grey pixel row whose header claims any size: enough to be refused by. */
function jpegOfSize(width_px: number, height_px: number): Uint8Array {
  const frame = [
    0xff,
    0xc0,
    0,
    11,
    8,
    height_px >> 8,
    height_px & 255,
    width_px >> 8,
    width_px & 255,
    1,
    1,
    0x11,
    0,
  ];
  return Uint8Array.from([0xff, 0xd8, ...frame, 0xff, 0xd9]);
}

function openSocket(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  socket.on("error", () => {});
  return new Promise((resolve, reject) => {
    socket.on("open", () => resolve(socket));
    socket.on("close", (code: number) => reject(new Error(`closed with ${code}`)));
  });
}

function closeOf(socket: WebSocket): Promise<{ code: number; reason: string }> {
  return new Promise((resolve) => {
    socket.on(
      "close",
      (code: number, reason: Uint8Array) => resolve({ code, reason: new TextDecoder().decode(reason) }),
    );
  });
}

// ws keeps a timer for the closing handshake of a peer that was terminated; it ends by itself.
describe("faults", { sanitizeOps: false, sanitizeResources: false }, () => {
  it("bad sources, viewers and publishers end in their documented errors; another stream does not notice", async () => {
    await using whole = await openWhole();
    const { gander } = whole;
    const { service } = gander;
    const served = await gander.serve();
    const sockets_url = served.url.replace(/^http/, "ws").replace(/\/$/, "");
    const witness = await callWitness(gander);
    const clip = Deno.readFileSync(await sampleClip());

    const addAndWait = async (id: string, url: string, status: string[], ms = 30_000) => {
      await service.add({ id, name: id, source: { kind: "pull", url }, tick_rate_hz: 4 });
      await until(() => status.includes(service.get(id).status), `${id} becomes ${status}`, ms);
      const { reason } = service.get(id);
      await service.remove(id);
      return reason;
    };

    // Lying Content-Type, truncated film: served by our own small server.
    const files = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
      const { pathname } = new URL(request.url);
      const body = pathname === "/lie.mp4"
        ? new TextEncoder().encode("<!doctype html><title>not a film</title>".repeat(100))
        : clip.slice(0, Math.floor(clip.length / 3));
      return new Response(body, { headers: { "content-type": "video/mp4" } });
    });
    const base = `http://127.0.0.1:${files.addr.port}`;
    expect(await addAndWait("lie", `${base}/lie.mp4`, ["denied", "ended", "reconnecting"])).toMatch(
      /lie\.mp4|not|video/i,
    );
    expect(await witness.testify()).toBeUndefined();

    const cut = `${whole.data_dir}/cut.mp4`;
    Deno.writeFileSync(cut, clip.slice(0, Math.floor(clip.length / 3)));
    // What is there is seen, then the film is over: said as it is, and not tried again.
    expect(await addAndWait("cut", cut, ["ended"])).toMatch(/cut\.mp4/);
    expect(await witness.testify()).toBeUndefined();

    expect(await addAndWait("dead", "rtsp://127.0.0.1:9/cam", ["reconnecting"])).toMatch(
      /connection refused; next try in/,
    );
    expect(await witness.testify()).toBeUndefined();

    // A viewer that subscribes to everything and never reads.
    const deaf = await openSocket(`${sockets_url}/ws/watch`);
    deaf.send(JSON.stringify({ type: "sub", stream: "witness", pictures: true }));
    deaf.pause();
    expect(await witness.testify(3_000)).toBeUndefined();
    deaf.terminate();

    // A message of 400 MiB in fragments.
    const big = await openSocket(`${sockets_url}/ws/watch`);
    const big_closed = closeOf(big);
    const before_bytes = Deno.memoryUsage().rss;
    const fragment = new Uint8Array(1 << 20);
    for (let sent = 0; sent < 400 && big.readyState === WebSocket.OPEN; sent++) {
      await new Promise<void>((resolve) => big.send(fragment, { fin: false, binary: true }, () => resolve()));
      // Let the answer in.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    expect((await big_closed).code).toBe(1009);
    expect(Deno.memoryUsage().rss - before_bytes).toBeLessThan(150 << 20);
    expect(await witness.testify()).toBeUndefined();

    // A publisher that sends 16,000 x 16,000, and one that floods.
    await service.add({ id: "cam", name: "cam", source: { kind: "push" } });
    const publish = async () => {
      const socket = await openSocket(`${sockets_url}/ws/publish?stream=cam`);
      const credited = new Promise((resolve) => {
        socket.on(
          "message",
          (data: Uint8Array) => JSON.parse(String(data)).type === "credit" && resolve(undefined),
        );
      });
      socket.send(JSON.stringify({ type: "publish", format: "jpeg" }));
      await credited;
      return socket;
    };
    const header = {
      codec: "jpeg" as const,
      key_frame: true,
      width_px: 16_000,
      height_px: 16_000,
      t_media_us: 0n,
      sequence: 1,
    };
    const huge = await publish();
    const huge_closed = closeOf(huge);
    huge.send(encodePush(header, jpegOfSize(16_000, 16_000)));
    expect(await huge_closed).toEqual({ code: 1009, reason: expect.stringMatching(/16000/) });
    expect(await witness.testify()).toBeUndefined();

    const flood = await publish();
    const flood_closed = closeOf(flood);
    for (let sent = 0; sent < 5_000 && flood.readyState === WebSocket.OPEN; sent++) {
      flood.send(
        encodePush({ ...header, sequence: sent + 2, width_px: 16, height_px: 16 }, jpegOfSize(16, 16)),
      );
      if (sent % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    }
    expect(await flood_closed).toEqual({ code: 4429, reason: "publisher floods" });
    expect(await witness.testify()).toBeUndefined();

    await files.shutdown();
    await served.close("the test is over");
  });

  const is_root = Deno.uid() === 0;
  it.unless(
    is_root ? undefined : "needs root to mount a small disk",
    "a full disk holds captions back and loses none",
    async () => {
      const disk = Deno.makeTempDirSync({ prefix: "gander-disk-" });
      const run = async (...words: string[]) =>
        (await new Deno.Command(words[0]!, { args: words.slice(1) }).output()).code;
      const mounted = await run("mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk);
      expect(mounted).toBe(0);
      try {
        await using whole = await openWhole({ data_dir: `${disk}/data` });
        const { service } = whole.gander;
        await callWitness(whole.gander);
        // Fill what is left to the last byte.
        await run("dd", "if=/dev/zero", `of=${disk}/filler`, "bs=4096");
        await until(() => service.get("witness").status === "stalled", "the stream says that it waits");
        expect(service.get("witness").reason).toMatch(/captions wait: .*full/);
        const { ticks } = service.get("witness").stats;
        Deno.removeSync(`${disk}/filler`);
        await until(() => service.get("witness").stats.ticks > ticks + 4, "narration goes on");
        expect(service.get("witness").status).toBe("live");
        const captions = service.captions("witness", { limit: 1_000 });
        expect(captions.map(({ seq }) => seq)).toEqual(captions.map((_, index) => index + 1));
      } finally {
        await run("umount", "-l", disk);
        Deno.removeSync(disk, { recursive: true });
      }
    },
  );
});
