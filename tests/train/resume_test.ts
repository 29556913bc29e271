// The law of resuming on the real trainer: a run that is killed without warning ends with the same bits as one that is not.
import { describe, it } from "@std/testing/bdd";
import { expect } from "@std/expect";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { no_trainer } from "./built.ts";
import { trainTiny } from "./tiny_stage.ts";

const program = fileURLToPath(new URL("./tiny_stage.ts", import.meta.url));
const last = "checkpoint-000000200.safetensors";

async function steps(dir: string): Promise<number> {
  const text = await Deno.readTextFile(join(dir, "log.jsonl")).catch(() => "");
  return text.split("\n").length - 1;
}

/** Trains in a process of its own, and kills it once the log has `kill_at` steps. */
async function trainAndKill(dir: string, kill_at: number): Promise<void> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--cached-only", program, dir],
    stderr: "inherit",
  }).spawn();
  while (await steps(dir) < kill_at) await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill("SIGKILL");
  expect((await child.status).signal).toBe("SIGKILL");
}

/** All but the training time, which is no bit of the run. */
async function lastCheckpoint(dir: string): Promise<{ header: string; data: Uint8Array }> {
  const file = await Deno.readFile(join(dir, last));
  const header_bytes = Number(new DataView(file.buffer).getBigUint64(0, true));
  const header = new TextDecoder().decode(file.subarray(8, 8 + header_bytes));
  const data = file.subarray(8 + header_bytes);
  return { header: header.replace(/"wall_s":"[^"]*"/, "").trimEnd(), data };
}

describe("a run on the trainer library", () => {
  it.unless(no_trainer, "killed twice and gone on, has the bits of one that was not", async () => {
    const dir = await Deno.makeTempDir({ prefix: "gander-resume-" });
    try {
      await trainTiny(join(dir, "whole"));
      const killed = join(dir, "killed");
      await trainAndKill(killed, 55);
      await trainAndKill(killed, 130);
      await trainTiny(killed);
      const [a, b] = [await lastCheckpoint(join(dir, "whole")), await lastCheckpoint(killed)];
      expect(b.header).toBe(a.header);
      expect(b.data.length).toBeGreaterThan(100_000);
      expect(b.data).toEqual(a.data);
      const log = (await Deno.readTextFile(join(killed, "log.jsonl"))).trimEnd().split("\n").map((l) =>
        JSON.parse(l)
      );
      expect(log.map(({ step }) => step)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
      expect(log[0].loss).toBeGreaterThan(2.5);
      expect(log[199].loss).toBeLessThan(1);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });
});
