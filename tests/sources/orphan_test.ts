// No decoder outlives whoever started it: not a service killed with SIGKILL in the middle of a stalled input, not with
// the kernel's help missing, not an aborted source.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { guard_path, openSource } from "../../streams/mod.ts";
import { no_ffmpeg, no_setpriv } from "./machine.ts";
import { lab_policy, watch } from "./watch.ts";

const victim_script = new URL("./orphan_victim.ts", import.meta.url).pathname;

/** Process ids of every ffmpeg whose arguments contain `text`. */
async function decodersWith(text: string): Promise<number[]> {
  const found: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const words = (await Deno.readTextFile(`/proc/${name}/cmdline`)).split("\0");
      const state = /\) (\w)/.exec(await Deno.readTextFile(`/proc/${name}/stat`))?.[1];
      const is_decoder = words[0].endsWith("ffmpeg") && words.includes("-protocol_whitelist") &&
        state !== "Z";
      if (is_decoder && words.some((word) => word.includes(text))) found.push(Number(name));
    } catch { /* it ended while we looked */ }
  }
  return found;
}

async function until(condition: () => Promise<boolean>, timeout_ms: number): Promise<boolean> {
  const deadline_ms = performance.now() + timeout_ms;
  while (performance.now() < deadline_ms) {
    if (await condition()) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return await condition();
}

/** A server that accepts, reads and never answers. */
function blackHole() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections: Deno.Conn[] = [];
  const work = (async () => {
    for await (const connection of listener) connections.push(connection);
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      for (const connection of connections) connection.close();
      listener.close();
      await work;
    },
  };
}

async function killVictim(path: string | undefined) {
  await using hole = blackHole();
  const mark = `cam-${crypto.randomUUID()}`;
  const directory = await Deno.makeTempDir({ prefix: "gander-victim-" });
  const url = `rtsp://127.0.0.1:${hole.port}/${mark}`;
  const victim = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", victim_script, url],
    // A killed service leaves the directory of a socket that nobody connected to; here it goes with the test.
    env: { TMPDIR: directory, ...path && { PATH: path } },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    const there = await until(async () => (await decodersWith(mark)).length === 1, 15_000);
    expect(there).toBe(true);
  } finally {
    victim.kill("SIGKILL");
    await victim.status;
  }
  const gone = await until(async () => (await decodersWith(mark)).length === 0, 3_000);
  for (const pid of await decodersWith(mark)) Deno.kill(pid, "SIGKILL");
  await Deno.remove(directory, { recursive: true });
  expect(gone).toBe(true);
}

/** A PATH on which setpriv cannot be found. */
async function pathWithoutSetpriv(): Promise<string> {
  const directory = await Deno.makeTempDir({ prefix: "gander-path-" });
  for (const name of ["sh", "env", "sleep", "ffmpeg"]) {
    const { stdout } = await new Deno.Command("sh", { args: ["-c", `command -v ${name}`] }).output();
    await Deno.symlink(new TextDecoder().decode(stdout).trim(), `${directory}/${name}`);
  }
  return directory;
}

/** The guard alone, with a program that waits for nothing: no pipe or socket that breaks does its work for it. */
async function killGuardsParent(path: string | undefined) {
  const seconds = `6${Math.floor(Math.random() * 1e6)}`;
  const script = `
    import { spawn } from "node:child_process";
    spawn(${JSON.stringify(guard_path)}, ["${seconds}"], { stdio: "ignore" });
    setInterval(() => {}, 1000);`;
  const sleepers = async () => {
    const { stdout } = await new Deno.Command("pgrep", { args: ["-x", "-f", `sleep ${seconds}`] }).output();
    return new TextDecoder().decode(stdout).trim().split("\n").filter((pid) => pid !== "").map(Number);
  };
  const victim = new Deno.Command(Deno.execPath(), {
    args: ["eval", script],
    env: { GANDER_FFMPEG: "sleep", ...path && { PATH: path } },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    expect(await until(async () => (await sleepers()).length === 1, 10_000)).toBe(true);
  } finally {
    victim.kill("SIGKILL");
    await victim.status;
  }
  const gone = await until(async () => (await sleepers()).length === 0, 3_000);
  for (const pid of await sleepers()) Deno.kill(pid, "SIGKILL");
  expect(gone).toBe(true);
}

describe("no decoder is left behind", () => {
  it.unless(
    no_setpriv,
    "after kill -9 of the service while the input is stalled",
    () => killVictim(undefined),
  );

  it.unless(no_setpriv, "even when nothing it reads or writes breaks", () => killGuardsParent(undefined));

  it.unless(no_ffmpeg, "nor where setpriv is missing", async () => {
    const path = await pathWithoutSetpriv();
    try {
      await killVictim(path);
      await killGuardsParent(path);
    } finally {
      await Deno.remove(path, { recursive: true });
    }
  });

  it.unless(no_ffmpeg, "nor after an abort while the input is stalled", async () => {
    await using hole = blackHole();
    const mark = `cam-${crypto.randomUUID()}`;
    const source = openSource({ url: `rtsp://127.0.0.1:${hole.port}/${mark}` }, lab_policy);
    const stop = new AbortController();
    const running = watch({
      replayable: false,
      run: (request, events) => source.run(request, events, stop.signal),
    });
    const there = await until(async () => (await decodersWith(mark)).length === 1, 10_000);
    expect(there).toBe(true);
    stop.abort();
    await running;
    expect(await decodersWith(mark)).toEqual([]);
  });

  it.unless(no_setpriv, "because its parent is the thread that lives as long as the process", async () => {
    // The kernel's signal comes when the spawning thread ends, so that thread must be the main one.
    const script = `
      import { spawn } from "node:child_process";
      const child = spawn("sleep", ["5"]);
      const main = Deno.readTextFileSync("/proc/self/task/" + Deno.pid + "/children").trim().split(" ");
      Deno.stdout.writeSync(new TextEncoder().encode(String(main.includes(String(child.pid)))));
      child.kill("SIGKILL");`;
    const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", script], stderr: "null" })
      .output();
    expect(new TextDecoder().decode(stdout)).toBe("true");
  });

  it.unless(no_ffmpeg, "and the guard passes no environment on", async () => {
    const fake = await Deno.makeTempFile({ prefix: "gander-env-" });
    try {
      await Deno.writeTextFile(fake, "#!/bin/sh\nenv\n");
      await Deno.chmod(fake, 0o755);
      const env = { GANDER_FFMPEG: fake, no_proxy: "*", SECRET: "hush" };
      const { stdout } = await new Deno.Command(guard_path, { env }).output();
      const names = new TextDecoder().decode(stdout).trim().split("\n").map((line) => line.split("=")[0]);
      expect(names.filter((name) => !["PATH", "LC_ALL", "PWD", "OLDPWD", "SHLVL", "_"].includes(name)))
        .toEqual([]);
    } finally {
      await Deno.remove(fake);
    }
  });
});
