// Ten thousand spoiled headers for each container.
import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { meterAllocations } from "./allocation_meter.ts";
import { fuzz, type FuzzOutcome, type Random, spoil, spoilJson } from "./container_fuzz.ts";
import { safetensorsOf, sampleGguf, sampleSafetensors } from "./header_samples.ts";
import { sampleTorch, zipOf } from "./torch_samples.ts";

const rounds = 10_000;

function expectSound(outcome: FuzzOutcome, sentences_min: number): void {
  expect(outcome.offences.slice(0, 10)).toEqual([]);
  expect(outcome.opened + outcome.refused).toBe(rounds);
  // Not hollow: many spoiled files are still good, many are refused, and for many reasons.
  expect([outcome.opened > rounds / 50, outcome.refused > rounds / 4]).toEqual([true, true]);
  expect(outcome.sentences.size).toBeGreaterThan(sentences_min);
}

describe("ten thousand spoiled headers", () => {
  it("of torch archives", async () => {
    const { bytes, entries } = sampleTorch();
    const wide = zipOf(entries, true);
    /** The archive around a spoiled pickle is right, so that the spoiling is not found by the archive. */
    const withPickle = (random: Random) => {
      const [pickle, ...others] = entries;
      return zipOf([
        { ...pickle!, bytes: spoil(pickle!.bytes, [[0, pickle!.bytes.length]], random) },
        ...others,
      ]);
    };
    const makers = [bytes, wide].map((file) => (random: Random) => spoil(file, [[0, file.length]], random));
    expectSound(await fuzz([...makers, withPickle, withPickle], rounds, 1), 40);
  });

  it("of safetensors files", async () => {
    const { bytes, header_bytes } = sampleSafetensors();
    const json = new TextDecoder().decode(bytes.subarray(8, header_bytes));
    const withJson = (random: Random) => safetensorsOf(spoilJson(json, random), bytes.subarray(header_bytes));
    const anyhow = (random: Random) => spoil(bytes, [[0, 8], [8, header_bytes]], random);
    expectSound(await fuzz([anyhow, withJson, withJson], rounds, 2), 7);
  });

  it("of GGUF files", async () => {
    const { bytes, header_bytes } = sampleGguf();
    // Most of the header is a vocabulary: its ends are spoiled more often than its middle.
    const ranges = [[0, 300], [header_bytes - 300, header_bytes], [0, header_bytes]] as const;
    expectSound(await fuzz([(random) => spoil(bytes, ranges, random)], rounds, 3), 18);
  });
});

describe("meterAllocations", () => {
  it("sees what is allocated", async () => {
    const seen = await meterAllocations((seen) => {
      new Float32Array(1000);
      new Uint8Array(new ArrayBuffer(5000));
      return Promise.resolve(seen);
    });
    expect(seen).toEqual({ largest: 5000, total: 9000 });
    new Uint8Array(10);
    expect(seen.total).toBe(9000);
  });
});
