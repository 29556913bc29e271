// 20,000 ticks at an accelerated clock: memory, file descriptors, child processes and the time of a step stay flat.
// Flat: growth over the second half is, with 95% confidence, below a small share of the mean. Slopes are printed.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import process from "node:process";
import { descendants } from "./gander_process.ts";
import { measureSlope } from "./slope.ts";
import { openWhole } from "./whole_service.ts";

const ticks = 20_000;
const rate_hz = 10;
const sample_every_ms = 250;

function countFiles(): number {
  return [...Deno.readDirSync("/proc/self/fd")].length;
}

/** Resident memory without the pages of files: what this process itself holds, bytes. */
function residentBytes(): number {
  const status = Deno.readTextFileSync("/proc/self/status");
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)![1]) * 1024;
}

/** With `--v8-flags=--expose-gc`, as the whole test run does. */
const collect = (globalThis as { gc?: () => void }).gc ?? (() => {});

describe("soak", () => {
  it(`${ticks} ticks leave memory, descriptors, children and step time flat`, async () => {
    await using whole = await openWhole();
    const { service } = whole.gander;
    const samples = {
      rss: [] as number[],
      files: [] as number[],
      children: [] as number[],
      step: [] as number[],
    };
    await service.add({
      id: "soak",
      name: "soak",
      source: { kind: "pull", url: "testsrc:testsrc2?size=160x120&rate=10" },
      pace: "lossless",
      tick_rate_hz: rate_hz,
      gates: { change: false, novelty: true },
    });
    const state_bytes = service.get("soak").stats.state_bytes;
    while (service.get("soak").stats.ticks < ticks) {
      const { stats } = service.get("soak");
      // What is held, not what the collector has not looked at yet: without this, memory is a sawtooth of many minutes.
      collect();
      samples.rss.push(residentBytes());
      samples.files.push(countFiles());
      samples.children.push(descendants(process.pid).length);
      samples.step.push(stats.step_p50_ms ?? 0);
      await new Promise((resolve) => setTimeout(resolve, sample_every_ms));
    }
    await service.pause("soak");
    const { stats } = service.get("soak");

    // The first half is warm-up: caches, the JIT, SQLite's pages and the snapshot ladder fill.
    const second_half = (values: number[]) => values.slice(Math.floor(values.length / 2));
    const report = Object.fromEntries(
      Object.entries(samples).map(([name, values]) => [name, measureSlope(second_half(values))]),
    );
    for (const [name, { change, margin, mean }] of Object.entries(report)) {
      const line = `soak ${name}: mean ${mean.toFixed(2)}, change over the second half ${
        change.toFixed(2)
      } ± ${margin.toFixed(2)}`;
      Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
    }
    expect(stats.ticks).toBeGreaterThanOrEqual(ticks);
    expect(stats.frames_offered).toBe(stats.frames_fed + stats.drops.mailbox + stats.drops.still);
    expect(stats.state_bytes).toBe(state_bytes);
    // Growth that would matter over weeks: 10,000 ticks are 83 minutes at 2 ticks a second.
    // The interval's unfavourable end must be small, so that noise cannot hide growth.
    expect(report.rss!.change + report.rss!.margin).toBeLessThan(0.06 * report.rss!.mean);
    expect(Math.abs(report.files!.change) + report.files!.margin).toBeLessThan(3);
    expect(Math.abs(report.children!.change) + report.children!.margin).toBeLessThan(1);
    // Step time jitters with whatever else the machine does; a trend that grows with age would be far above this.
    expect(report.step!.change - report.step!.margin).toBeLessThan(0.1 * report.step!.mean);
  });
});
