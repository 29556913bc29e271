// Certificates that must be trusted, and are: by name and by address, in our own requests, in the gate and in the
// decoder. The authority is one that only the victim process trusts.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { openSource } from "../../streams/mod.ts";
import { selfSigned, signed } from "./certificates.ts";
import { type Clips, makeClips } from "./clips.ts";
import { startHttpLab } from "./http_lab.ts";
import { no_openssl } from "./machine.ts";
import { lab_policy, watch } from "./watch.ts";

async function disposableClips(...names: string[]): Promise<Clips & AsyncDisposable> {
  const clips = await makeClips(...names);
  return { ...clips, [Symbol.asyncDispose]: () => clips.remove() };
}

describe("a trusted certificate", () => {
  it.unless(no_openssl, "is good for its own names only", async () => {
    await using clips = await disposableClips("vod.m3u8");
    const { authority, ...tls } = await signed(clips);
    await using lab = startHttpLab(clips.directory, { tls });
    const to = (host: string, path: string) => `https://${host}:${lab.port}${path}`;
    const script = new URL("./trusted_victim.ts", import.meta.url).pathname;
    const probe = async (env: Record<string, string>, ...urls: string[]) => {
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-lock", script, ...urls],
        env,
        stderr: "null",
      }).output();
      return JSON.parse(new TextDecoder().decode(stdout));
    };
    expect(
      await probe(
        { NODE_EXTRA_CA_CERTS: authority },
        to("cam.example", "/clip.mp4"),
        to("cam.example", "/vod.m3u8"),
        to("127.0.0.1", "/clip.mp4"),
        to("other.example", "/clip.mp4"),
      ),
    ).toEqual({
      "cam.example/clip.mp4": "a picture came",
      "cam.example/vod.m3u8": "a picture came",
      "127.0.0.1/clip.mp4": "a picture came",
      "other.example/clip.mp4": expect.stringContaining("not trusted (it is for another name)"),
    });
    expect(await probe({}, to("cam.example", "/clip.mp4"))).toEqual({
      "cam.example/clip.mp4": expect.stringContaining("not trusted (self-signed, or signed by nobody"),
    });
  });

  it.unless(no_openssl, "what a plain source leads to must have a trusted certificate, too", async () => {
    await using clips = await disposableClips("clip.ts");
    const tls = await selfSigned(clips);
    await using secure = startHttpLab(clips.directory, { tls });
    await using lab = startHttpLab(clips.directory);
    const policy = { ...lab_policy, verify_tls: "always" } as const;
    for (
      const path of ["list.mp4", "redirect"].map((kind) =>
        `/${kind}?to=${encodeURIComponent(secure.url("/clip.ts"))}`
      )
    ) {
      const seen = await watch(openSource({ url: lab.url(path) }, policy));
      expect(seen.statuses.at(-1)).toMatchObject({
        status: "denied",
        reason: expect.stringContaining("its certificate is not trusted (self-signed"),
      });
    }
    expect(secure.requests).toEqual([]);
  });
});
