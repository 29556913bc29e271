import { expect } from "@std/expect";
import { describe, it } from "@std/testing/bdd";
import { memorySource } from "./byte_source.ts";
import { isContiguous, readStrided } from "./strided_reads.ts";

/** The straight way: every index of the shape in turn. */
function gather(elements: readonly number[], offset: number, shape: number[], strides: number[]): number[] {
  const [size, ...inner] = shape;
  const [stride, ...inner_strides] = strides;
  if (size === undefined) return [elements[offset]!];
  return Array.from({ length: size }, (_, i) => i)
    .flatMap((i) => gather(elements, offset + i * stride!, inner, inner_strides));
}

const cases: [number[], number[]][] = [
  [[], []],
  [[7], [3]],
  [[4, 5], [1, 4]],
  [[4, 5], [5, 1]],
  [[30, 2], [1, 30]],
  [[2, 30], [1, 2]],
  [[3, 4, 5], [1, 15, 3]],
  [[5, 1, 4, 3], [12, 99, 1, 4]],
  [[2, 3, 2, 5], [3, 1, 30, 6]],
  [[3, 4], [0, 7]],
  [[6, 6], [7, 1]],
  [[0, 5], [5, 1]],
];

describe("readStrided", () => {
  it("gives the elements of any view in order, however little it may read at once", async () => {
    const elements = Uint16Array.from({ length: 120 }, (_, i) => 1000 + i);
    const source = memorySource("x", new Uint8Array(elements.buffer));
    let pieces = 0;
    for (const [shape, strides] of cases) {
      for (const gather_elements of [1, 4, 11, 1000]) {
        for (const gather_read_bytes of [2, 10, 50, 1000]) {
          const bounds = { piece_elements: 7, gather_elements, gather_read_bytes };
          const view = { offset: 6, element_bytes: 2, shape, strides };
          const found: number[] = [];
          for await (const piece of readStrided(source, view, bounds)) {
            expect(piece.length).toBeLessThanOrEqual(14);
            found.push(...new Uint16Array(piece.buffer));
            pieces++;
          }
          expect([shape, strides, bounds, found]).toEqual([
            shape,
            strides,
            bounds,
            shape.includes(0) ? [] : gather([...elements], 3, shape, strides),
          ]);
        }
      }
    }
    expect(pieces).toBeGreaterThan(1000);
  });

  it("moves elements of every width bit for bit", async () => {
    const bytes = Uint8Array.from({ length: 96 }, (_, i) => 255 - i);
    for (const element_bytes of [1, 2, 4, 8]) {
      const view = { offset: 0, element_bytes, shape: [3, 4], strides: [1, 3] };
      const [piece] = await Array.fromAsync(readStrided(memorySource("x", bytes), view));
      const wanted = gather(Array.from({ length: 12 }, (_, i) => i), 0, [3, 4], [1, 3])
        .flatMap((i) => [...bytes.subarray(i * element_bytes, (i + 1) * element_bytes)]);
      expect([...piece!]).toEqual(wanted);
    }
  });
});

describe("isContiguous", () => {
  it("does not look at dimensions of one", () => {
    const found = cases.map(([shape, strides]) => isContiguous(shape, strides));
    expect(found).toEqual([true, false, false, true, false, false, false, false, false, false, false, true]);
    expect(isContiguous([1, 6, 1], [99, 1, 0])).toBe(true);
  });
});
