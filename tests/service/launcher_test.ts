// The launcher: a second run needs no network and adds less than a second.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { version } from "../../src/version.ts";
import { root } from "./gander_process.ts";

async function run(command: string, args: string[], cwd = "/") {
  const started_ms = performance.now();
  const { code, stdout, stderr } = await new Deno.Command(command, { args, cwd, stdin: "null" }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr), ms: performance.now() - started_ms };
}

const can_unshare = Deno.uid() === 0;

describe("./gander", () => {
  it("runs from any folder, through a link, and says its version", async () => {
    const link = `${Deno.makeTempDirSync()}/g`;
    Deno.symlinkSync(`${root}gander`, link);
    const { code, out } = await run(link, ["--version"]);
    expect([code, out]).toEqual([0, `${version}\n`]);
  });

  it.unless(
    can_unshare ? undefined : "needs root to take the network away",
    "needs no network the second time",
    async () => {
      const { code, out, err } = await run("unshare", ["-n", `${root}gander`, "--version"]);
      expect([code, out, err]).toEqual([0, `${version}\n`, ""]);
    },
  );

  it("adds less than a second to the command itself", async () => {
    const direct = { ms: [] as number[] };
    const launched = { ms: [] as number[] };
    for (let pair = 0; pair < 5; pair++) {
      direct.ms.push(
        (await run(Deno.execPath(), [
          "run",
          "-A",
          "--cached-only",
          "--no-check",
          `${root}src/main.ts`,
          "--version",
        ])).ms,
      );
      launched.ms.push((await run(`${root}gander`, ["--version"])).ms);
    }
    const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
    expect(median(launched.ms) - median(direct.ms)).toBeLessThan(1_000);
  });

  it("passes on the exit status and keeps standard output for results", async () => {
    const { code, out, err } = await run(`${root}gander`, ["watch"]);
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err).toMatch(/^gander: watch takes one SOURCE$/m);
  });
});
