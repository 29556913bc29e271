// A small HTTP server on loopback with the habits of cameras, film servers and attackers.
import { splitJpegs } from "./clips.ts";

export interface HttpLab extends AsyncDisposable {
  url(path: string): string;
  readonly port: number;
  /** Requests in order, as "GET /path". */
  readonly requests: string[];
  /** What /flaky does next: sends pictures, or falls silent without closing. */
  flaky: { silent_after_ms: number; served: number };
  /** How many requests of /broken.mp4 are cut off at 60 % from now on. */
  broken: { cuts_left: number };
}

export interface LabOptions {
  /** PEM: serves HTTPS. */
  tls?: { cert: string; key: string };
}

/** Sends pieces until the client goes away. */
function streaming(
  pieces: () => AsyncGenerator<Uint8Array<ArrayBuffer>>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const generator = pieces();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await generator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await generator.return(undefined);
    },
  });
}

/** Some bytes, then the connection breaks. */
function cutOff(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    start: (controller) => controller.enqueue(bytes),
    async pull(controller) {
      await Promise.resolve();
      controller.error(new Error("cut off on purpose"));
    },
  });
}

export function startHttpLab(directory: string, { tls }: LabOptions = {}): HttpLab {
  const requests: string[] = [];
  const flaky = { silent_after_ms: Infinity, served: 0 };
  const broken = { cuts_left: 0 };
  let closing = false;
  const naps = new Set<Promise<void>>();
  function sleep(duration_ms: number): Promise<void> {
    const nap = new Promise<void>((resolve) => setTimeout(resolve, duration_ms)).then(() =>
      void naps.delete(nap)
    );
    naps.add(nap);
    return nap;
  }
  const read = (name: string) => Deno.readFile(`${directory}/${name === "broken.mp4" ? "clip.mp4" : name}`);

  async function file(name: string, request: Request, type: string): Promise<Response> {
    const bytes = await read(name);
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get("range") ?? "");
    if (!range) return new Response(bytes, { headers: { "content-type": type, "accept-ranges": "bytes" } });
    const from = Number(range[1]), to = range[2] ? Number(range[2]) : bytes.byteLength - 1;
    const edge = Math.floor(bytes.byteLength * 0.6);
    const cut = name === "broken.mp4" && from < edge && broken.cuts_left-- > 0;
    return new Response(cut ? cutOff(bytes.slice(from, edge)) : bytes.slice(from, to + 1), {
      status: 206,
      headers: { "content-type": type, "content-range": `bytes ${from}-${to}/${bytes.byteLength}` },
    });
  }

  async function* jpegParts(silent_after_ms: number) {
    const jpegs = splitJpegs(await read("pictures.mjpeg"));
    const begun_ms = performance.now();
    for (let index = 0; !closing; index++) {
      if (performance.now() - begun_ms < silent_after_ms) {
        const jpeg = jpegs[index % jpegs.length];
        const head = `--cam\r\nContent-Type: image/jpeg\r\nContent-Length: ${jpeg.byteLength}\r\n\r\n`;
        yield new Uint8Array([...new TextEncoder().encode(head), ...jpeg, 13, 10]);
      }
      await sleep(50);
    }
  }

  /** The transport stream in 120 slices, by default at about its own speed, without a length, as a relay sends it. */
  async function* pacedTs(slice_ms: number) {
    const bytes = await read("clip.ts");
    const slice = Math.ceil(bytes.byteLength / 188 / 120) * 188;
    for (let at = 0; at < bytes.byteLength && !closing; at += slice) {
      yield bytes.slice(at, at + slice);
      await sleep(slice_ms);
    }
  }

  /** Three segments of two seconds; the window slides as time goes by. */
  function livePlaylist(since_ms: number): string {
    const first = Math.floor((performance.now() - since_ms) / 2_000);
    const lines = [
      "#EXTM3U",
      "#EXT-X-VERSION:3",
      "#EXT-X-TARGETDURATION:2",
      `#EXT-X-MEDIA-SEQUENCE:${first}`,
    ];
    for (let n = first; n < first + 3; n++) {
      lines.push("#EXT-X-DISCONTINUITY", "#EXTINF:2.0,", `seg${n % 3}.ts?n=${n}`);
    }
    return `${lines.join("\n")}\n`;
  }

  const begun_ms = performance.now();
  const video = { "content-type": "video/mp4" };
  const server = Deno.serve({
    ...{ hostname: "127.0.0.1", port: 0, ...tls },
    onListen() {},
    onError: () => new Response(null, { status: 500 }),
  }, async (request) => {
    const { pathname, searchParams } = new URL(request.url);
    requests.push(`${request.method} ${pathname}`);
    const parts = { "content-type": "multipart/x-mixed-replace; boundary=cam" };
    switch (pathname) {
      case "/mjpeg":
        return new Response(streaming(() => jpegParts(Infinity)), { headers: parts });
      case "/flaky":
        flaky.served++;
        return new Response(
          streaming(() => jpegParts(flaky.served === 1 ? flaky.silent_after_ms : Infinity)),
          {
            headers: parts,
          },
        );
      case "/live":
        return new Response(streaming(() => pacedTs(Number(searchParams.get("slice_ms") ?? 50))), {
          headers: { "content-type": "video/mp2t" },
        });
      case "/hls/live.m3u8":
        return new Response(livePlaylist(begun_ms), {
          headers: { "content-type": "application/vnd.apple.mpegurl" },
        });
      case "/master.m3u8":
        return new Response(`#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\n${searchParams.get("to")}\n`, {
          headers: video,
        });
      case "/lying.mp4":
        return new Response("<!DOCTYPE html><title>no film</title>", { headers: video });
      case "/list.mp4":
        return new Response(`#EXTM3U\n#EXTINF:2,\n${searchParams.get("to")}\n#EXT-X-ENDLIST\n`, {
          headers: video,
        });
      case "/redirect":
        return new Response(null, { status: 302, headers: { location: searchParams.get("to")! } });
      case "/digest": {
        const challenge = 'Digest realm="cam", nonce="n0nce", qop="auth", algorithm=MD5';
        if (request.headers.get("authorization")?.startsWith('Digest username="eve"')) {
          return await file("clip.mp4", request, "video/mp4");
        }
        return new Response(null, { status: 401, headers: { "www-authenticate": challenge } });
      }
      case "/basic": {
        if (request.headers.get("authorization") === `Basic ${btoa("eve:s3cret-word")}`) {
          return await file("clip.mp4", request, "video/mp4");
        }
        return new Response(null, { status: 401, headers: { "www-authenticate": 'Basic realm="cam"' } });
      }
      default: {
        const name = pathname.split("/").at(-1)!;
        try {
          return await file(name, request, "application/octet-stream");
        } catch {
          return new Response("no such thing", { status: 404 });
        }
      }
    }
  });
  const { port } = server.addr;
  return {
    url: (path) => `http${tls ? "s" : ""}://127.0.0.1:${port}${path}`,
    port,
    requests,
    flaky,
    broken,
    async [Symbol.asyncDispose]() {
      closing = true;
      await server.shutdown();
      await Promise.all(naps);
    },
  };
}
