// What the two gates do, measured on the sample clip (moving shapes, still scenes, cuts): frames spared by the
// visual-change gate, captions held back by the text-novelty gate, and that each can be switched off.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { builtinBundle } from "../../src/compose.ts";
import { sampleClip } from "./clip.ts";
import { openWhole, playThrough } from "./whole_service.ts";

/** The built-in model without chance in its words: what looks alike is called alike, so there is repetition. */
async function greedyBundle(): Promise<string> {
  const folder = Deno.makeTempDirSync({ prefix: "gander-greedy-" });
  const builtin = await builtinBundle("seed");
  for (const { name } of Deno.readDirSync(builtin)) {
    Deno.copyFileSync(`${builtin}/${name}`, `${folder}/${name}`);
  }
  const manifest = JSON.parse(Deno.readTextFileSync(`${folder}/manifest.json`));
  manifest.caption.sampler = { temperature: 0, top_p: 1, presence_penalty: 0, count_penalty: 0 };
  manifest.caption.tokens_max = 3;
  Deno.writeTextFileSync(`${folder}/manifest.json`, JSON.stringify(manifest));
  return folder;
}

describe("gates", () => {
  it("spare work and repetition, and are off when switched off", async () => {
    const bundle = await greedyBundle();
    await using whole = await openWhole({ bundle });
    const { gander } = whole;
    const source = { kind: "pull" as const, url: await sampleClip() };
    const measure = async (id: string, gates: { change: boolean; novelty: boolean }) => {
      // A low threshold makes the model talk: there is something to hold back.
      await playThrough(gander, { id, name: id, source, pace: "lossless", gates, speak_threshold: 0.05 });
      const { stats } = gander.service.get(id);
      const line =
        `gates ${id}: ${stats.frames_offered} frames, ${stats.frames_fed} fed, ${stats.drops.still} still, ` +
        `${stats.captions} captions, ${stats.drops.novelty} held back\n`;
      Deno.stdout.writeSync(new TextEncoder().encode(line));
      expect(stats.frames_offered).toBe(stats.frames_fed + stats.drops.still + stats.drops.mailbox);
      return stats;
    };
    const off = await measure("off", { change: false, novelty: false });
    const change = await measure("change", { change: true, novelty: false });
    const both = await measure("both", { change: true, novelty: true });

    expect([off.drops.still, off.drops.novelty, change.drops.novelty]).toEqual([0, 0, 0]);
    expect(off.frames_fed).toBe(off.frames_offered);
    // The clip stands still for a good part of its time, and moves for a good part.
    expect(change.drops.still).toBeGreaterThan(0.05 * change.frames_offered);
    expect(change.frames_fed).toBeGreaterThan(0.3 * change.frames_offered);
    expect(both.drops.novelty).toBeGreaterThan(0);
    expect(both.captions + both.drops.novelty).toBe(change.captions);
    Deno.removeSync(bundle, { recursive: true });
  });
});
