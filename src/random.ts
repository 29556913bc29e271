// Random numbers that are the same on every machine: 32-bit integer steps, one stream per name.
// Must not know what they are for.

/** Uniform in [-1, 1), from sfc32 seeded by the seed and the name. */
export function randomStream(seed: number, name: string): () => number {
  let a = seed | 0, b = nameHash(name), c = 0x9e3779b9 | 0, counter = 1;
  const next = () => {
    const sum = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21 | c >>> 11) + sum) | 0;
    return sum / 2 ** 31;
  };
  for (let warm_up = 0; warm_up < 12; warm_up++) next();
  return next;
}

/** `count` numbers, uniform with standard deviation `deviation`. */
export function uniform(seed: number, name: string, count: number, deviation: number): Float32Array {
  const next = randomStream(seed, name);
  const scale = deviation * Math.sqrt(3);
  const data = new Float32Array(count);
  for (let index = 0; index < count; index++) data[index] = scale * next();
  return data;
}

/** FNV-1a. */
function nameHash(name: string): number {
  let hash = 0x811c9dc5 | 0;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}
