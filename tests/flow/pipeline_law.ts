// How a law is held against random input: the same input every time, another with GANDER_SEED, and the seed is printed
// with the smallest case that breaks it.
import fc from "fast-check";
import process from "node:process";

const seed = Number(process.env.GANDER_SEED ?? 20_240_911);

export async function hold<T>(
  runs: number,
  input: fc.Arbitrary<T>,
  law: (input: T) => void | Promise<void>,
): Promise<void> {
  const property = fc.asyncProperty(input, async (value) => {
    await law(value);
  });
  await fc.assert(property, { seed, numRuns: runs });
}
