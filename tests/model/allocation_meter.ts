// Measures how much memory a piece of code asks for at once: every buffer and typed array made by size passes here
// while it runs. What the runtime makes inside itself is not seen. And how many entries of maps it visits.
// Must not know what is measured.

const kinds = [
  ...["Uint8Array", "Int8Array", "Uint16Array", "Int16Array", "Uint32Array", "Int32Array"],
  ...["Float32Array", "Float64Array", "BigUint64Array", "BigInt64Array", "ArrayBuffer"],
] as const;

interface Sized {
  new (...parameters: unknown[]): { byteLength: number };
  BYTES_PER_ELEMENT?: number;
}

/** The largest single allocation in bytes, and all of them together. */
export interface Allocations {
  largest: number;
  total: number;
}

/** Replaces the constructors while `body` runs. Nothing else may run beside it. */
export async function meterAllocations<T>(body: (seen: Allocations) => Promise<T>): Promise<T> {
  const seen: Allocations = { largest: 0, total: 0 };
  const scope = globalThis as unknown as Record<string, Sized>;
  const real = kinds.map((kind) => [kind, scope[kind]!] as const);
  for (const [kind, constructor] of real) {
    scope[kind] = new Proxy(constructor, {
      construct(target, parameters, made) {
        const [size] = parameters;
        if (typeof size === "number") {
          const bytes = size * (target.BYTES_PER_ELEMENT ?? 1);
          seen.largest = Math.max(seen.largest, bytes);
          seen.total += bytes;
        }
        return Reflect.construct(target, parameters, made);
      },
    });
  }
  try {
    return await body(seen);
  } finally {
    for (const [kind, constructor] of real) scope[kind] = constructor;
  }
}

/**
 * How many entries of maps are visited while `body` runs: work that a clock would show only on a quiet machine.
 * Replaces the step of all iterators over maps meanwhile; nothing else may run beside it.
 */
export async function countVisits(body: () => Promise<unknown>): Promise<number> {
  const iterator = Object.getPrototypeOf(new Map().values()) as Iterator<unknown>;
  const { next } = iterator;
  let visits = 0;
  iterator.next = function (this: Iterator<unknown>) {
    visits++;
    return next.call(this);
  };
  try {
    await body();
  } finally {
    iterator.next = next;
  }
  return visits;
}
