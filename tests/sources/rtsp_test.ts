// Cameras: a real RTSP server over TCP and UDP, and dead, silent and redirecting ones.
import { expect } from "@std/expect";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { openSource, probeSource } from "../../streams/mod.ts";
import { type Clips, makeClips } from "./clips.ts";
import { selfSigned } from "./certificates.ts";
import { no_ffmpeg, no_openssl, no_rtsp_server, system_python } from "./machine.ts";
import { lab_policy, prints, times, watch } from "./watch.ts";

interface Camera extends AsyncDisposable {
  port: number;
  kill(): void;
}

async function startCamera(movie: string, port = 0, ...auth: string[]): Promise<Camera> {
  const script = new URL("./rtsp_server.py", import.meta.url).pathname;
  const args = [script, String(port), movie, ...auth];
  const child = new Deno.Command(system_python, { args, stdout: "piped", stderr: "null" }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  for (;;) {
    const { done, value } = await reader.read();
    said += value ?? "";
    if (done || said.includes("\n")) break;
  }
  const ready = /ready (\d+)/.exec(said);
  if (!ready) throw new Error("the RTSP server did not start");
  const kill = () => {
    try {
      child.kill("SIGKILL");
    } catch { /* it is dead already */ }
  };
  return {
    port: Number(ready[1]),
    kill,
    async [Symbol.asyncDispose]() {
      kill();
      await reader.cancel();
      await child.status;
    },
  };
}

/** Answers the first request of every connection with fixed text. */
function startScript(answer: (request: string) => string | undefined) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  const requests: string[] = [];
  const work = (async () => {
    for await (const connection of listener) {
      open.add(connection);
      (async () => {
        const buffer = new Uint8Array(4_096);
        for (;;) {
          const count = await connection.read(buffer);
          if (count === null) return;
          const request = new TextDecoder().decode(buffer.subarray(0, count));
          requests.push(request.split("\r\n")[0]);
          const text = answer(request)?.replace("CSEQ", /CSeq: (\d+)/.exec(request)?.[1] ?? "1");
          if (text) await connection.write(new TextEncoder().encode(text));
        }
      })().catch(() => {}).finally(() => {
        open.delete(connection);
        try {
          connection.close();
        } catch { /* closed below */ }
      });
    }
  })();
  return {
    port: listener.addr.port,
    requests,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of open) connection.close();
      await work;
    },
  };
}

describe("a camera over RTSP", () => {
  let clips: Clips;
  beforeAll(async () => {
    if (!no_rtsp_server) clips = await makeClips();
  });
  afterAll(() => clips?.remove());

  for (const transport of ["tcp", "udp"] as const) {
    it.unless(no_rtsp_server, `pictures over ${transport}`, async () => {
      await using camera = await startCamera(clips.path("clip.mp4"));
      const source = openSource({ url: `rtsp://127.0.0.1:${camera.port}/cam`, transport }, lab_policy);
      const seen = await watch(source, { until: ({ frames }) => frames.length >= 8 });
      expect(seen.names).toEqual(["connecting", "live"]);
      expect(new Set(await prints(seen.frames)).size).toBeGreaterThan(5);
      expect(times(seen.frames)[0]).toBe(0);
      expect(times(seen.frames)[7]).toBeGreaterThan(1_200);
      expect(seen.previews.length).toBeGreaterThan(3);
    });
  }

  it.unless(no_rtsp_server, "a probe tells what it found", async () => {
    await using camera = await startCamera(clips.path("clip.mp4"));
    const found = await probeSource({ url: `rtsp://127.0.0.1:${camera.port}/cam` }, lab_policy);
    expect(found).toMatchObject({ ok: true, width: 320, height: 180, codec: "h264" });
    const missing = await probeSource({ url: `rtsp://127.0.0.1:${camera.port}/no` }, lab_policy);
    expect(missing).toEqual({
      ok: false,
      reason: `Cannot open source "rtsp://127.0.0.1:${camera.port}/…": the server knows no such stream (404)`,
    });
  });

  it.unless(no_rtsp_server, "user and password", async () => {
    await using locked = await startCamera(clips.path("clip.mp4"), 0, "eve", "s3cret-word");
    const url = (user: string) => `rtsp://${user}127.0.0.1:${locked.port}/cam`;
    expect(await probeSource({ url: url("eve:s3cret-word@") }, lab_policy)).toMatchObject({ ok: true });
    const denied = await watch(openSource({ url: url("eve:wr0ng-word@") }, lab_policy));
    expect(denied.names).toEqual(["connecting", "denied"]);
    expect(denied.statuses[1].reason).toContain("not accepted");
    expect(JSON.stringify(denied.statuses)).not.toContain("wr0ng");
  });

  it.unless(
    no_rtsp_server,
    "killed and started again: reconnecting, then live, and media time goes on",
    async () => {
      const first = await startCamera(clips.path("clip.mp4"));
      let second: Promise<Camera> | undefined;
      const source = openSource({ url: `rtsp://127.0.0.1:${first.port}/cam` }, lab_policy, {
        retry_first_ms: 300,
      });
      const seen = await watch(source, {
        until: ({ names, frames }) => {
          if (frames.length === 3) first.kill();
          if (names.at(-1) === "reconnecting") second ??= startCamera(clips.path("clip.mp4"), first.port);
          return names.filter((name) => name === "live").length === 2;
        },
      });
      await first[Symbol.asyncDispose]();
      await (await second)?.[Symbol.asyncDispose]();
      expect(seen.names.slice(0, 3)).toEqual(["connecting", "live", "reconnecting"]);
      expect(seen.names.at(-1)).toBe("live");
      const all = times(seen.frames);
      expect(all).toEqual(all.toSorted((a, b) => a - b));
    },
  );
});

describe("a camera that is not well", () => {
  it.unless(no_ffmpeg, "dead: refused, tried again after a growing wait", async () => {
    const source = openSource({ url: "rtsp://127.0.0.1:1/cam" }, lab_policy, {
      random: () => 0.5,
      retry_first_ms: 200,
    });
    const seen = await watch(source, { until: ({ names }) => names.length >= 4 });
    expect(seen.statuses.slice(1).map(({ reason }) => reason)).toEqual(
      ["0.1", "0.2", "0.4"].map((wait) =>
        `Cannot open source "rtsp://127.0.0.1:1/…": connection refused; next try in ${wait} s`
      ),
    );
  });

  it.unless(no_ffmpeg, "a black hole: given up when no picture came in time", async () => {
    await using hole = startScript(() => undefined);
    const source = openSource({ url: `rtsp://127.0.0.1:${hole.port}/cam` }, lab_policy, {
      first_frame_ms: 600,
    });
    const seen = await watch(source, { until: ({ names }) => names.includes("reconnecting") });
    expect(seen.statuses.at(-1)!.reason).toContain("no picture came in time");
  });

  it.unless(no_ffmpeg, "a redirect is cut before the decoder sees it", async () => {
    await using inside = startScript(() => undefined);
    const answer = `RTSP/1.0 302 Found\r\nCSeq: CSEQ\r\nLocation: rtsp://127.0.0.1:${inside.port}/x\r\n\r\n`;
    await using outside = startScript(() => answer);
    const seen = await watch(openSource({ url: `rtsp://127.0.0.1:${outside.port}/cam` }, lab_policy));
    expect(seen.statuses.at(-1)).toMatchObject({
      status: "denied",
      reason: expect.stringContaining("redirects"),
    });
    expect(outside.requests.length).toBeGreaterThan(0);
    expect(inside.requests).toEqual([]);
  });

  it.unless(no_openssl, "over TLS: hears no password before its certificate is trusted", async () => {
    const clips = await makeClips();
    const listener = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...await selfSigned(clips) });
    const heard: string[] = [];
    const work = (async () => {
      for (;;) {
        try {
          using connection = await listener.accept();
          const buffer = new Uint8Array(4_096);
          const count = await connection.read(buffer);
          heard.push(new TextDecoder().decode(buffer.subarray(0, count ?? 0)));
        } catch (error) {
          if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return;
        }
      }
    })();
    try {
      const url = `rtsps://eve:s3cret-word@127.0.0.1:${listener.addr.port}/cam`;
      const strict = await watch(openSource({ url }, { ...lab_policy, verify_tls: "always" }));
      expect(strict.statuses.at(-1)).toMatchObject({
        status: "denied",
        reason: expect.stringContaining("its certificate is not trusted (self-signed"),
      });
      expect(heard.join("")).toBe("");
      await watch(openSource({ url }, lab_policy), { until: ({ names }) => names.includes("reconnecting") });
      expect(heard.join("")).toContain("RTSP/1.0");
    } finally {
      listener.close();
      await work;
      await clips.remove();
    }
  });

  it.unless(no_ffmpeg, "cannot be asked to wait", async () => {
    const seen = await watch(openSource({ url: "rtsp://127.0.0.1:1/cam" }, lab_policy), { pace: "lossless" });
    expect(seen.names).toEqual(["denied"]);
  });
});
