// Spoils files in ten thousand ways and looks at what the importer does with them: it opens them or refuses with an
// ImportError, and asks for no more memory than the file has bytes. Must not know formats.
import { memorySource } from "../../src/model/import/byte_source.ts";
import { ImportError } from "../../src/model/import/import_error.ts";
import { joinContainers } from "../../src/model/import/open_checkpoint.ts";
import { meterAllocations } from "./allocation_meter.ts";

export type Random = () => number;

/** mulberry32: the same numbers on every machine. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Bytes = Uint8Array<ArrayBuffer>;

/** Numbers at the edges of what sizes may be. */
const edges = [
  0n,
  1n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 53n,
  2n ** 62n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/** One to four changes at places inside `ranges` (byte ranges of the headers). */
export function spoil(
  original: Bytes,
  ranges: readonly (readonly [number, number])[],
  random: Random,
): Bytes {
  let bytes = original.slice();
  const below = (count: number) => Math.floor(random() * count);
  for (let left = 1 + below(4); left > 0; left--) {
    const [start, end] = ranges[below(ranges.length)]!;
    const at = Math.min(start + below(end - start), bytes.length - 1);
    const kind = random();
    if (kind < 0.35) bytes[at] = below(256);
    else if (kind < 0.5) bytes[at]! ^= 1 << below(8);
    else if (kind < 0.65) {
      const width = [2, 4, 8][below(3)]!;
      const edge = edges[below(edges.length)]!;
      for (let i = 0; i < width && at + i < bytes.length; i++) {
        bytes[at + i] = Number(edge >> BigInt(8 * i) & 255n);
      }
    } else if (kind < 0.75) bytes[at] = (bytes[at]! + (random() < 0.5 ? 1 : 255)) & 255;
    else if (kind < 0.8) bytes = bytes.slice(0, at + 1);
    else {
      // A piece is taken out, doubled or replaced by another piece of the file.
      const length = 1 + below(12);
      const from = below(bytes.length);
      const piece = kind < 0.87 ? bytes.slice(0, 0) : bytes.slice(from, from + length);
      const rest = kind < 0.94 ? at + length : at;
      const spoiled = new Uint8Array(at + piece.length + Math.max(0, bytes.length - rest));
      spoiled.set(bytes.subarray(0, at));
      spoiled.set(piece, at);
      spoiled.set(bytes.subarray(Math.min(rest, bytes.length)), at + piece.length);
      bytes = spoiled;
    }
    if (bytes.length === 0) return bytes;
  }
  return bytes;
}

export interface FuzzOutcome {
  opened: number;
  refused: number;
  /** How many refusals each sentence had, with names and numbers left out. */
  sentences: Map<string, number>;
  /** Things that must not be: thrown by accident, too large, read too often. */
  offences: string[];
}

/** What a table, a window or a piece of the importer takes whatever the file. */
const constant_bytes = 1 << 20;
/** float32 numbers in a byte of the densest format (256 in 84 bytes), and room for both forms. */
const growth = 4 * 256 / 84 + 2;

/** Each round takes the next of `makers`, which make a spoiled file. */
export async function fuzz(
  makers: readonly ((random: Random) => Bytes)[],
  rounds: number,
  seed: number,
): Promise<FuzzOutcome> {
  const outcome: FuzzOutcome = { opened: 0, refused: 0, sentences: new Map(), offences: [] };
  const random = randomOf(seed);
  for (let round = 0; round < rounds; round++) {
    await tryOne(makers[round % makers.length]!(random), outcome, `round ${round}`);
  }
  return outcome;
}

/** JSON with one to three of its words or numbers replaced by others; mostly still JSON. */
export function spoilJson(text: string, random: Random): string {
  const pick = <T>(choices: readonly T[]) => choices[Math.floor(random() * choices.length)]!;
  const words = text.match(/"(?:[^"\\]|\\.)*"|-?\d+|[^]/g)!;
  const places = words.flatMap((word, i) => /^["\d]/.test(word) ? [i] : []);
  const texts = places.map((i) => words[i]!).filter((word) => word.startsWith('"'));
  const edges = ["-1", "0", "0.5", "1", "1e308", "110", "4294967296", "9007199254740993", "null", "[]", "{}"];
  for (let left = 1 + Math.floor(random() * 3); left > 0; left--) {
    const place = pick(places);
    const is_text = words[place]!.startsWith('"');
    words[place] = is_text && random() < 0.9 ? pick([...texts, '"F64"', '"__proto__"']) : pick(edges);
  }
  return words.join("");
}

async function tryOne(bytes: Bytes, outcome: FuzzOutcome, label: string): Promise<void> {
  let reads = 0;
  let read_bytes = 0;
  const memory = memorySource("x", bytes);
  const source = {
    ...memory,
    read(offset: number, byte_count: number) {
      reads++;
      read_bytes += byte_count;
      return memory.read(offset, byte_count);
    },
  };
  await meterAllocations(async (seen) => {
    try {
      await using checkpoint = await joinContainers([source]);
      if (seen.total > 2 * bytes.length + constant_bytes) {
        outcome.offences.push(`${label}: opening took ${seen.total}`);
      }
      for (const tensor of checkpoint.tensors.values()) {
        let elements = 0;
        for await (const piece of tensor.readFloats()) elements += piece.length;
        if (elements !== tensor.elements) {
          outcome.offences.push(`${label}: ${elements} of ${tensor.elements}`);
        }
      }
      outcome.opened++;
    } catch (error) {
      if (!(error instanceof ImportError)) outcome.offences.push(`${label}: ${error}`);
      else {
        outcome.refused++;
        const sentence = error.message.replace(/0x[0-9a-f]+|"(?:[^"\\]|\\.)*"|\d+|\[[^\]]*\]/g, "_");
        outcome.sentences.set(sentence, (outcome.sentences.get(sentence) ?? 0) + 1);
      }
    }
    if (seen.largest > growth * bytes.length + constant_bytes) {
      outcome.offences.push(`${label}: one allocation of ${seen.largest} for ${bytes.length} bytes`);
    }
  });
  if (reads > 20 * bytes.length + 10 || read_bytes > 200 * (bytes.length + 65_536)) {
    outcome.offences.push(`${label}: ${reads} reads of ${read_bytes} bytes`);
  }
}
