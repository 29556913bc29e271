// The permissions a service needs for its sources: this list, and no more. The victim script is run with exactly it.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { guard_path } from "../../streams/mod.ts";
import { ffmpeg } from "./clips.ts";
import { no_ffmpeg } from "./machine.ts";

describe("permissions", () => {
  it.unless(
    no_ffmpeg,
    "run the guard, read, write to the temporary directory, net, env: enough for a source",
    async () => {
      const directory = await Deno.makeTempDir({ prefix: "gander-allow-" });
      try {
        await ffmpeg(
          "-f",
          "lavfi",
          "-i",
          "testsrc2=size=64x48:rate=5:duration=2",
          "-c:v",
          "mjpeg",
          `${directory}/a.mkv`,
        );
        const run = async (env: Record<string, string>, ...allow: string[]) => {
          const script = new URL("./permission_victim.ts", import.meta.url).pathname;
          const { stdout } = await new Deno.Command(Deno.execPath(), {
            args: ["run", "--no-lock", "--no-prompt", ...allow, script, `${directory}/a.mkv`],
            env: { TMPDIR: directory, ...env },
            stderr: "null",
          }).output();
          return new TextDecoder().decode(stdout).trim();
        };
        const enough = [
          `--allow-run=${guard_path}`,
          "--allow-read",
          `--allow-write=${directory}`,
          "--allow-net",
          "--allow-env",
        ];
        expect(await run({}, ...enough)).toBe("connecting live ended, 4 frames, previews: a.mkv is over");
        const without = /reconnecting, 0 frames.*ffmpeg cannot be started on this machine/;
        expect(await run({}, ...enough.slice(1))).toMatch(without);
        expect(await run({ GANDER_FFMPEG: "/nowhere/ffmpeg" }, ...enough)).toMatch(without);
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    },
  );
});
