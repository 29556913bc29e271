// The programs that `gander bench engine` starts: rwkv_bench beside the library, built when it is not there, and those of
// a llama.cpp build. Must not know what their figures mean.
import { dirname, join } from "node:path";
import { GanderError } from "../errors.ts";

/** Builds what changed; returns the path of rwkv_bench. */
export async function buildBench(library_path: string, stop: AbortSignal): Promise<string> {
  const folder = dirname(library_path);
  await runProgram("sh", [join(dirname(folder), "build.sh"), "release", "--bench"], { stop });
  return join(folder, "rwkv_bench");
}

/** Standard output of a program that ended well. */
export async function runProgram(
  program: string,
  args: readonly string[],
  { stop, libraries }: { stop: AbortSignal; libraries?: string },
): Promise<string> {
  const name = program.slice(program.lastIndexOf("/") + 1);
  const env: Record<string, string> = {};
  if (libraries) {
    const before = Deno.env.get("LD_LIBRARY_PATH");
    env.LD_LIBRARY_PATH = before ? `${libraries}:${before}` : libraries;
  }
  let output;
  try {
    output = await new Deno.Command(program, { args: [...args], env, stdin: "null", signal: stop }).output();
  } catch (error) {
    throw new GanderError("bench_failed", `Cannot run ${name}: ${(error as Error).message}`);
  }
  stop.throwIfAborted();
  if (output.success) return new TextDecoder().decode(output.stdout);
  const said = new TextDecoder().decode(output.stderr).trim().split("\n").slice(-3).join("; ");
  const end = output.signal ? `was ended by ${output.signal}` : `ended with status ${output.code}`;
  throw new GanderError("bench_failed", `Cannot measure: ${name} ${end}${said ? `: ${said}` : ""}`);
}

/** Runs a job while `count` processes compute beside it. */
export async function besideHogs<T>(rwkv_bench: string, count: number, job: () => Promise<T>): Promise<T> {
  const hogs = new Deno.Command(rwkv_bench, {
    ...{ args: ["hogs", String(count)], stdin: "piped", stdout: "null", stderr: "null" } as const,
  }).spawn();
  try {
    return await job();
  } finally {
    await hogs.stdin.close(); // They end with their standard input.
    await hogs.status;
  }
}
